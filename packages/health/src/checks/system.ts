import type { Check, CheckDetails, CheckOutcome } from '../core/check.ts'
import { type Duration, parseDuration } from '../core/duration.ts'
import { callable, checkNames, count, ratio, wrong } from '../core/option-checks.ts'
import type { HealthStatus } from '../core/status.ts'
import { readDiskSpace } from '../core/system/disk.ts'
import { createLoopMonitor } from '../core/system/loop-monitor.ts'
import { type MemoryUse, readMemory } from '../core/system/memory.ts'
import { countTcpSockets } from '../core/system/network.ts'
import { abortable } from './asking.ts'

/** Options of {@link diskCheck}. */
export interface DiskCheckOptions {
  /** A path on the disk. Default: the folder the process runs in. */
  readonly path?: string | undefined
  /** Used part of the disk from which on it is degraded. Default 0.9. */
  readonly degradedFrom?: number | undefined
  /** Used part of the disk from which on it is unhealthy. Default 0.98. */
  readonly unhealthyFrom?: number | undefined
}

/**
 * Looks at how full a disk is, by what an ordinary user may still write.
 *
 * @throws HealthError `invalid_option`
 */
export function diskCheck(options: DiskCheckOptions = {}): Check {
  checkNames('diskCheck', options, ['path', 'degradedFrom', 'unhealthyFrom'])
  const { path = '.' } = options
  if (typeof path !== 'string' || path === '') throw wrong('diskCheck: path', path, 'a path')
  const levels = levelsOf('diskCheck', options, 0.9, 0.98)
  return async ({ signal }) => {
    const { free_bytes, size_bytes } = await abortable(readDiskSpace(path), signal)
    const used = size_bytes === 0 ? 0 : 1 - free_bytes / size_bytes
    const details = { free_bytes, size_bytes, used_ratio: rounded(used) }
    return judge(used, levels, details, 'disk_full', `${percent(used)} of the disk is used.`)
  }
}

/** Options of {@link memoryCheck}. */
export interface MemoryCheckOptions {
  /** Used part from which on it is degraded. Default 0.85. */
  readonly degradedFrom?: number | undefined
  /** Used part from which on it is unhealthy. Default 0.95. */
  readonly unhealthyFrom?: number | undefined
  /** Default: this process's memory. */
  readonly read?: (() => MemoryUse) | undefined
}

/**
 * Looks at the process's memory against what it may use, the container's limit if there is one, and at its
 * heap against the heap's own limit: whichever is fuller counts, as either ends the process.
 *
 * @throws HealthError `invalid_option`
 */
export function memoryCheck(options: MemoryCheckOptions = {}): Check {
  checkNames('memoryCheck', options, ['degradedFrom', 'unhealthyFrom', 'read'])
  const levels = levelsOf('memoryCheck', options, 0.85, 0.95)
  const read = callable('memoryCheck: read', options.read ?? readMemory)
  return () => {
    const { rss_bytes, limit_bytes, heap_used_bytes, heap_limit_bytes } = read()
    const memory = rss_bytes / limit_bytes
    const heap = heap_used_bytes / heap_limit_bytes
    const details = {
      ...{ rss_bytes, limit_bytes, heap_used_bytes, heap_limit_bytes },
      used_ratio: rounded(Math.max(memory, heap)),
    }
    return heap > memory
      ? judge(heap, levels, details, 'heap_full', `${percent(heap)} of the heap is used.`)
      : judge(memory, levels, details, 'memory_full', `${percent(memory)} of the memory is used.`)
  }
}

/** Options of {@link eventLoopCheck}. */
export interface EventLoopCheckOptions {
  /** The p99 of the delay since the last look, from which on it is degraded. Default `100ms`. */
  readonly degradedFrom?: Duration | undefined
  /** The p99 of the delay since the last look, from which on it is unhealthy. Default `1s`. */
  readonly unhealthyFrom?: Duration | undefined
}

/**
 * Looks at the delay of this process's event loop since the last look.
 *
 * @throws HealthError `invalid_option`
 */
export function eventLoopCheck(options: EventLoopCheckOptions = {}): Check {
  checkNames('eventLoopCheck', options, ['degradedFrom', 'unhealthyFrom'])
  const { degradedFrom = 100, unhealthyFrom = 1_000 } = options
  const levels = {
    degraded: parseDuration('eventLoopCheck: degradedFrom', degradedFrom, 1),
    unhealthy: parseDuration('eventLoopCheck: unhealthyFrom', unhealthyFrom, 1),
  }
  const loop = createLoopMonitor()
  return () => {
    const { p50, p99, max } = loop.read()
    const message = `The event loop is late: by ${p99} ms at the 99th percentile.`
    return judge(p99, levels, { delay_ms: { p50, p99, max } }, 'event_loop_late', message)
  }
}

/** Options of {@link connectionsCheck}. */
export interface ConnectionsCheckOptions {
  /** How many there may be; from 80 % of it on it is degraded, and unhealthy from it on. */
  readonly max: number
  /** How many there are. Default: the TCP sockets of the process's network namespace (Linux). */
  readonly count?: (() => number | Promise<number>) | undefined
}

/**
 * Looks at how many network connections there are.
 *
 * @throws HealthError `invalid_option`
 */
export function connectionsCheck(options: ConnectionsCheckOptions): Check {
  checkNames('connectionsCheck', options, ['max', 'count'])
  const max = count('connectionsCheck: max', options.max, 1)
  const read = callable('connectionsCheck: count', options.count ?? countTcpSockets)
  return async ({ signal }) => {
    const connections = await abortable(Promise.resolve(read()), signal)
    const levels = { degraded: 0.8, unhealthy: 1 }
    const message = `There are ${connections} of ${max} connections.`
    return judge(connections / max, levels, { connections, max }, 'connections', message)
  }
}

interface Levels {
  readonly degraded: number
  readonly unhealthy: number
}

function levelsOf(
  of: string,
  options: Pick<DiskCheckOptions, 'degradedFrom' | 'unhealthyFrom'>,
  degraded: number,
  unhealthy: number,
): Levels {
  return {
    degraded: ratio(`${of}: degradedFrom`, options.degradedFrom ?? degraded),
    unhealthy: ratio(`${of}: unhealthyFrom`, options.unhealthyFrom ?? unhealthy),
  }
}

function judge(
  value: number,
  { degraded, unhealthy }: Levels,
  details: CheckDetails,
  code: string,
  message: string,
): CheckOutcome {
  const status: HealthStatus =
    value >= unhealthy ? 'unhealthy' : value >= degraded ? 'degraded' : 'healthy'
  return status === 'healthy' ? { details } : { status, error: { code, message }, details }
}

function rounded(part: number): number {
  return Math.round(part * 1e4) / 1e4
}

function percent(part: number): string {
  return `${Math.round(part * 1_000) / 10} %`
}
