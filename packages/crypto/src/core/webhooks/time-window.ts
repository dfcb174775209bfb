import { CryptoError } from '../errors.ts'
import type { ReplayStore } from './replay-store.ts'

const FIVE_MINUTES = 300_000
const SECONDS = /^(?:0|[1-9]\d{0,10})$/

export type TimeFault = 'bad_timestamp' | 'too_old' | 'too_new'

export interface TimeWindowOptions {
  /** How far a timestamp may be in the past and in the future, in milliseconds. Default: five minutes. */
  readonly toleranceMs?: number
  /** Refuses copies of what has come before. Default: none, so that a copy passes within the tolerance. */
  readonly replayStore?: ReplayStore
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/** Which moments are near enough to now, and what was received within them. */
export interface TimeWindow {
  /** What is wrong with a timestamp in seconds since 1970, or nothing. */
  faultOf(timestamp: string): TimeFault | undefined
  /** Whether this is the first time that something authentic of that moment is received. */
  isFirst(key: string, timestamp: string): Promise<boolean>
}

/** @throws CryptoError `invalid_option`. */
export function createTimeWindow(options: TimeWindowOptions): TimeWindow {
  const { toleranceMs = FIVE_MINUTES, replayStore, now = Date.now } = options
  if (!(Number.isSafeInteger(toleranceMs) && toleranceMs >= 0)) {
    throw new CryptoError(
      'invalid_option',
      'toleranceMs has to be a whole number of milliseconds, 0 or more.',
    )
  }
  return {
    faultOf(timestamp) {
      if (!SECONDS.test(timestamp)) return 'bad_timestamp'
      const age = now() - Number(timestamp) * 1000
      if (age > toleranceMs) return 'too_old'
      return age < -toleranceMs ? 'too_new' : undefined
    },
    async isFirst(key, timestamp) {
      if (!replayStore) return true
      // Twice the tolerance, as other replicas that share the store may have clocks that are behind.
      return await replayStore.remember(key, Number(timestamp) * 1000 + 2 * toleranceMs)
    },
  }
}
