import { createSystemMetrics, type SystemMetrics } from '@tidegate/health'

/** Disks can hang: a scrape doesn't. */
const MOST_MS = 250

/** The newest reading of the platform's figures. */
export interface SystemReading {
  readonly last: SystemMetrics | undefined
  /** Reads anew, if it doesn't take too long. Never rejects. */
  refresh(): Promise<void>
  close(): void
}

export function createSystemReading(): SystemReading {
  const reader = createSystemMetrics()
  let last: SystemMetrics | undefined
  return {
    get last() {
      return last
    },
    refresh: async () => {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, MOST_MS)
      const read = reader.read().then((reading) => {
        last = reading
      })
      await Promise.race([read, late.promise])
      clearTimeout(timer)
    },
    close: () => reader.close(),
  }
}
