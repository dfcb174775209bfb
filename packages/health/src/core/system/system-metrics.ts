import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { callable, checkNames, wrong } from '../option-checks.ts'
import { countOpenFiles, type DiskSpace, readDiskSpace } from './disk.ts'
import { createLoopMonitor, type LoopDelay } from './loop-monitor.ts'
import { type MemoryUse, readMemory } from './memory.ts'
import { countTcpSockets } from './network.ts'

/** Options of {@link createSystemMetrics}. */
export interface SystemMetricsOptions {
  /** A path on the disk to look at. Default: the folder the process runs in. */
  readonly diskPath?: string | undefined
  /** How many connections there are. Default: the TCP sockets of the process's network namespace (Linux). */
  readonly connections?: (() => number | Promise<number>) | undefined
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined
}

/** What the platform tells of this process. `null` is what it doesn't tell. */
export interface SystemMetrics {
  /** CPU time used by the process since the reading before, as a part (0 to 1) of what it may use. */
  readonly cpu_ratio: number
  /** CPU time used by the process since it began, user and system. */
  readonly cpu_seconds: number
  readonly memory: MemoryUse
  readonly disk: DiskSpace | null
  readonly network_connections: number | null
  readonly open_fds: number | null
  readonly uptime_seconds: number
  readonly event_loop: {
    /** Beyond the resolution of 10 ms, since the reading before. */
    readonly delay_ms: LoopDelay
    /** Share of the time that the loop was busy since the reading before, from 0 to 1. */
    readonly utilization: number
  }
}

/** Reads what the platform tells of this process. */
export interface SystemReader {
  /** Readings are at least a second apart: who asks sooner is given the last one. Never rejects. */
  read(): Promise<SystemMetrics>
  close(): void
  [Symbol.dispose](): void
}

/** So that several readers don't shorten each other's time to a moment that says nothing. */
const LEAST_MS = 1_000

/**
 * Makes a reader of this process's figures, from Node and the kernel alone. Limits of a container (cgroup)
 * count as the machine's.
 *
 * @throws HealthError `invalid_option`
 */
export function createSystemMetrics(options: SystemMetricsOptions = {}): SystemReader {
  checkNames('createSystemMetrics', options, ['diskPath', 'connections', 'now'])
  const { diskPath = '.', connections, now = () => performance.now() } = options
  if (typeof diskPath !== 'string') throw wrong('diskPath', diskPath, 'a path')
  const count = connections === undefined ? countTcpSockets : callable('connections', connections)
  const loop = createLoopMonitor()
  const rates = createRates(callable('now', now))
  let last: { readonly at: number; readonly metrics: Promise<SystemMetrics> } | undefined
  const readNow = async (): Promise<SystemMetrics> => {
    const { cpuRatio, cpuSeconds, utilization } = rates()
    const event_loop = { delay_ms: loop.read(), utilization }
    const [disk, network_connections, open_fds] = await Promise.all([
      orNull(() => readDiskSpace(diskPath)),
      orNull(count),
      orNull(countOpenFiles),
    ])
    return {
      cpu_ratio: cpuRatio,
      cpu_seconds: cpuSeconds,
      memory: readMemory(),
      disk,
      network_connections,
      open_fds,
      uptime_seconds: Math.round(process.uptime()),
      event_loop,
    }
  }
  const close = (): void => loop.close()
  return {
    async read() {
      const at = now()
      if (last === undefined || at - last.at >= LEAST_MS) last = { at, metrics: readNow() }
      return await last.metrics
    },
    close,
    [Symbol.dispose]: close,
  }
}

/** What is a difference to the reading before; the first one looks back to the making. */
function createRates(now: () => number) {
  let [at, cpu, loop] = [now(), process.cpuUsage(), performance.eventLoopUtilization()]
  return () => {
    const [at2, cpu2, loop2] = [now(), process.cpuUsage(), performance.eventLoopUtilization()]
    const usedMs = (cpu2.user - cpu.user + cpu2.system - cpu.system) / 1_000
    const possibleMs = Math.max(1, at2 - at) * availableParallelism()
    const { utilization } = performance.eventLoopUtilization(loop2, loop)
    ;[at, cpu, loop] = [at2, cpu2, loop2]
    return {
      cpuRatio: Math.min(1, Math.max(0, usedMs / possibleMs)),
      cpuSeconds: (cpu2.user + cpu2.system) / 1e6,
      utilization,
    }
  }
}

async function orNull<T>(read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch {
    return null
  }
}
