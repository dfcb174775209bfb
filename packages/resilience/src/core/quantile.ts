import { checkCount } from './options.ts'

/** Fewer samples than this say nothing about a tail. */
const MIN_SAMPLES = 20

/** What the last samples were like. */
export interface Quantile {
  /** Adds a sample in place of the oldest one; what isn't a number from 0 is ignored. */
  record(ms: number): void
  /**
   * The value that the share `q` of the samples doesn't exceed (nearest rank), `q` above 0 and at most
   * 1; `undefined` below 20 samples.
   */
  value(q: number): number | undefined
}

/** How {@link Quantile} is made. */
export interface QuantileOptions {
  /** How many samples are kept. Default 512, at least 20. */
  readonly window?: number | undefined
}

/**
 * Keeps the last samples, by age and by size: recording moves some memory, reading costs nothing.
 *
 * @throws RangeError for a window that isn't a whole number from 20.
 */
export function createQuantile({ window = 512 }: QuantileOptions = {}): Quantile {
  checkCount('window', window, MIN_SAMPLES)
  const byAge = new Float64Array(window)
  const bySize = new Float64Array(window)
  let next = 0
  let count = 0

  return {
    record(ms) {
      if (!(ms >= 0)) return
      const gap = count === window ? position(bySize, count, byAge[next] ?? 0) : count
      const at = position(bySize, count, ms)
      if (at > gap) {
        bySize.copyWithin(gap, gap + 1, at)
        bySize[at - 1] = ms
      } else {
        bySize.copyWithin(at + 1, at, gap)
        bySize[at] = ms
      }
      count = Math.min(count + 1, window)
      byAge[next] = ms
      next = (next + 1) % window
    },
    value(q) {
      if (count < MIN_SAMPLES) return undefined
      return bySize[Math.min(count, Math.max(1, Math.ceil(q * count))) - 1]
    },
  }
}

/** Where in the first `count` of the sorted values `value` stands, or would stand. */
function position(sorted: Float64Array, count: number, value: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}
