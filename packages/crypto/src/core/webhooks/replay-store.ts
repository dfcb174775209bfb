import { CryptoError } from '../errors.ts'

/** How many keys it holds before it looks for those that have ended. */
const SMALL = 1024

/** Where verifiers remember what they have received. With replicas it has to be one that they share. */
export interface ReplayStore {
  /**
   * Remembers the key until that time (milliseconds since 1970) and says whether it is new, in one step: of two calls
   * at once, one is told `true`. In Redis: `SET key 1 NX PXAT untilMs`. What it throws is thrown on by the verifier.
   */
  remember(key: string, untilMs: number): boolean | Promise<boolean>
}

export interface MemoryReplayStoreOptions {
  /** How many keys it holds at most; about 150 bytes each. Default: 100,000. */
  readonly max?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * A replay store in this process' memory. When it is full of keys that are still of use, `remember` throws a
 * CryptoError, `replay_store_full`, instead of forgetting one: a copy of it could come. Only who has the secret can
 * fill it.
 *
 * @throws CryptoError `invalid_option`.
 */
export function createMemoryReplayStore(options: MemoryReplayStoreOptions = {}): ReplayStore {
  const { max = 100_000, now = Date.now } = options
  if (!(Number.isSafeInteger(max) && max >= 1)) {
    throw new CryptoError('invalid_option', 'max has to be a whole number from 1.')
  }
  const untilByKey = new Map<string, number>()
  let sweepFrom = Math.min(max, SMALL)
  let notBefore = Number.NEGATIVE_INFINITY

  function sweep(time: number): void {
    for (const [key, until] of untilByKey) {
      if (until < time) untilByKey.delete(key)
    }
    // After each doubling it costs a constant per key; while full, no more than once a second.
    sweepFrom = Math.min(max, Math.max(SMALL, untilByKey.size * 2))
    notBefore = time + 1000
  }

  return {
    remember(key, untilMs) {
      const time = now()
      const known = untilByKey.get(key)
      if (known !== undefined && known >= time) return false
      if (untilByKey.size >= sweepFrom && time >= notBefore) sweep(time)
      if (untilByKey.size >= max && !untilByKey.has(key)) throw full(max)
      untilByKey.set(key, untilMs)
      return true
    },
  }
}

function full(max: number): CryptoError {
  return new CryptoError(
    'replay_store_full',
    `The replay store holds ${max} deliveries that may still be copied. Raise max, or shorten the verifier's toleranceMs.`,
  )
}
