import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Delays of the event loop, in milliseconds. */
export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Watches the event loop. */
export interface LoopMonitor {
  /** Delays since the last call. */
  read(): LoopDelay
  close(): void
}

const RESOLUTION_MS = 10

/** Begins to watch this process's event loop. */
export function createLoopMonitor(): LoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  // What is recorded are the times between two timers: the delay is what is longer than they wait.
  const delay = (ns: number): number =>
    Math.max(0, Math.round((ns / 1e6 - RESOLUTION_MS) * 100) / 100)
  return {
    read() {
      const seen = histogram.count > 0
      const p50 = seen ? delay(histogram.percentile(50)) : 0
      const p99 = seen ? delay(histogram.percentile(99)) : 0
      const max = seen ? delay(histogram.max) : 0
      histogram.reset()
      return { p50, p99, max }
    },
    close: () => void histogram.disable(),
  }
}
