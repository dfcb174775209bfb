import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** How the event loop did since the last reading. */
export interface LoadReading {
  /**
   * How long a turn of the loop took beyond what is usual, in milliseconds, as a request meets it that comes
   * at any time: long turns weigh by their length, so one of two seconds isn't lost among fifty short ones.
   */
  readonly delayMs: number
  /** Share of the time that it was busy, from 0 to 1. */
  readonly utilization: number
}

/** Where a shedder's readings come from. */
export interface LoadSource {
  /** What happened since the last call. */
  read(): LoadReading
  close(): void
}

const RESOLUTION_MS = 10

/** Measures this process's event loop. */
export function createLoadSource(): LoadSource {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  return {
    read() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      const delayMs = histogram.count > 0 ? metDelayMs(histogram) : 0
      histogram.reset()
      return { delayMs, utilization }
    },
    close: () => void histogram.disable(),
  }
}

/** The mean of the turns, each weighed by its own length: Σd² / Σd. */
function metDelayMs({ mean, stddev }: { readonly mean: number; readonly stddev: number }): number {
  return Math.max(0, (mean * mean + stddev * stddev) / mean / 1e6 - RESOLUTION_MS)
}
