import { availableParallelism } from 'node:os'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** What a process needs of its machine. */
interface ProcessFigures {
  /** CPU time since the reading before, as a share of what all cores have. */
  readonly cpuRatio: number
  readonly rssBytes: number
  /** 99 of 100 turns of the event loop were no later than this. */
  readonly eventLoopDelayMs: number
}

/** Reads the figures of this process; cheap enough for each second. */
export interface ProcessReader extends Disposable {
  read(): ProcessFigures
}

/** How exactly the delay is measured: what is within it counts as none. */
const RESOLUTION_MS = 10

export function processReader(): ProcessReader {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let [at, cpu] = [performance.now(), process.cpuUsage()]
  return {
    read: () => {
      const { user, system } = process.cpuUsage(cpu)
      const possibleMs = Math.max(1, performance.now() - at) * availableParallelism()
      const late = delay.count === 0 ? 0 : delay.percentile(99) / 1e6 - RESOLUTION_MS
      delay.reset()
      ;[at, cpu] = [performance.now(), process.cpuUsage()]
      return {
        cpuRatio: Math.min(1, (user + system) / 1_000 / possibleMs),
        rssBytes: process.memoryUsage.rss(),
        eventLoopDelayMs: Math.max(0, late),
      }
    },
    [Symbol.dispose]: () => void delay.disable(),
  }
}
