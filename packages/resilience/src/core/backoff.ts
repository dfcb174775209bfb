import { checkNumber, MAX_TIMER_MS } from './options.ts'

/** How long to wait before each retry. */
export interface Backoff {
  /**
   * Milliseconds to wait before a retry.
   *
   * @param retry Which retry, counted from 1.
   * @param previousMs What was waited before the retry that came before; 0 when there was none.
   */
  delay(retry: number, previousMs: number): number
}

/** How {@link createBackoff} spreads the waits. */
export interface BackoffOptions {
  /** Milliseconds that the first wait grows from. Default: 200. */
  readonly initial?: number | undefined
  /** Milliseconds that no wait exceeds. Default: 5,000. */
  readonly max?: number | undefined
  /** What each further wait is multiplied by; without effect on `decorrelated`. Default: 2. */
  readonly multiplier?: number | undefined
  /**
   * - `full`: anything from nothing to the grown wait. Callers that failed together come back apart.
   * - `decorrelated`: anything from `initial` to three times the previous wait.
   * - `none`: the grown wait itself.
   *
   * Default: `full`.
   */
  readonly jitter?: 'full' | 'decorrelated' | 'none' | undefined
  /** Gives numbers from 0 to less than 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/**
 * Waits that grow exponentially from `initial` to `max`, spread by chance. No wait is shorter than one
 * millisecond. After "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
 *
 * @throws RangeError when an option is out of range.
 */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const { jitter = 'full', random = Math.random } = options
  const initial = checkNumber('initial', options.initial ?? 200, 0, MAX_TIMER_MS)
  const max = checkNumber('max', options.max ?? 5_000, 0, MAX_TIMER_MS)
  const multiplier = checkNumber('multiplier', options.multiplier ?? 2, 1, Number.MAX_VALUE)

  // The power is bounded first: nothing times infinity is not a number.
  const grown = (retry: number): number =>
    Math.min(max, initial * Math.min(multiplier ** (retry - 1), Number.MAX_VALUE))
  const decorrelated = (previousMs: number): number => {
    const longest = Math.max(initial, previousMs * 3)
    return Math.min(max, initial + random() * (longest - initial))
  }
  const wait = {
    none: grown,
    full: (retry: number) => random() * grown(retry),
    decorrelated: (_: number, previousMs: number) => decorrelated(previousMs || initial),
  }[jitter]

  return { delay: (retry, previousMs) => Math.max(1, wait(retry, previousMs)) }
}
