import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

/** Memory of this process, in bytes. */
export interface MemoryUse {
  readonly rss_bytes: number
  readonly heap_used_bytes: number
  readonly heap_total_bytes: number
  /** As far as the heap may grow. */
  readonly heap_limit_bytes: number
  readonly external_bytes: number
  /** What the process may use: the container's (cgroup's) limit, or else the machine's memory. */
  readonly limit_bytes: number
  /** What is left to it by the platform's count. */
  readonly available_bytes: number
}

/** Reads the memory of this process and its limits. */
export function readMemory(): MemoryUse {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  return {
    rss_bytes: rss,
    heap_used_bytes: heapUsed,
    heap_total_bytes: heapTotal,
    heap_limit_bytes: getHeapStatistics().heap_size_limit,
    external_bytes: external,
    limit_bytes: limitOf(process.constrainedMemory(), totalmem()),
    available_bytes: process.availableMemory(),
  }
}

/** Without a limit the platform gives 0, nothing, or a number beyond all memory. */
export function limitOf(constrained: number | undefined, total: number): number {
  return constrained !== undefined && constrained > 0 && constrained < total ? constrained : total
}
