import { checkNumber, checkWhole } from '../core/option-checks.ts'
import { RollingWindow } from './rolling-window.ts'

/** What counts as unusual. */
export interface DetectorOptions {
  readonly metric: string
  /** Whether values are unusual that are too high, too low, or either. Default `up`. */
  readonly direction?: 'up' | 'down' | 'both' | undefined
  /** How far a value has to be from the expected one, in robust standard deviations. Default 6. */
  readonly threshold?: number | undefined
  /** The least change that matters, in the unit of the metric. Default 0. */
  readonly minChange?: number | undefined
  /** The least change that matters, as a share of the expected value: 0.5 is half as much again. Default 0.25. */
  readonly minRelativeChange?: number | undefined
  /** Values with less behind them (requests, say) are left out: too little traffic tells nothing. Default 0. */
  readonly minWeight?: number | undefined
  /**
   * Whether the metric is a share of its weight, such as failed requests of all: then chance alone explains larger
   * changes the less there was. Default `false`.
   */
  readonly isRatio?: boolean | undefined
  /** How many values are looked back on, and how many have to be known. Default 360 and 60. */
  readonly window?: number | undefined
  readonly minPoints?: number | undefined
  /** It begins when so many of so many values in a row are unusual. Default 4 of 6. */
  readonly begin?: { readonly points: number; readonly of: number } | undefined
  /** It ends after so many values in a row that aren't, or are missing. Default 6. */
  readonly endAfter?: number | undefined
}

/** A time in which a metric was unusual. */
export interface Anomaly {
  readonly metric: string
  /** When the first unusual value was, and the first usual one; in milliseconds since 1970. */
  readonly since: number
  readonly until: number | null
  /** The most unusual value so far, what was expected then, and how far that is in standard deviations. */
  readonly value: number
  readonly expected: number
  readonly score: number
  readonly direction: 'up' | 'down'
}

/** Tells whether the values of a metric are unusual. */
export interface Detector {
  readonly metric: string
  /** The anomaly that has begun and not ended. */
  readonly active: Anomaly | undefined
  /**
   * Takes the next value, at even intervals; `null` when there is none. Says when an anomaly begins (`until` is
   * `null`) and when it ends.
   *
   * @param at Milliseconds since 1970.
   * @param weight What is behind the value: how many requests. Default: enough.
   */
  push(value: number | null, at: number, weight?: number): Anomaly | undefined
}

/** As many values as are ever kept, or waited for. */
export const MOST = 1_000_000

/** Of normally distributed values, the quartiles are so many standard deviations from the median. */
const QUARTILE = 0.6745
/** Where nothing ever varied, any change would be infinitely far. */
const MAX_SCORE = 1_000

/**
 * Compares each value with the median of those before it, in units of how far the quartile on its side is from that:
 * single values that are unusual move neither. Drops are compared as ratios, so that nothing at all is unusual
 * however much there usually varies. An anomaly is not learnt from, until it has lasted as long as is looked back on:
 * then it is the usual, and that ends it.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function createDetector(options: DetectorOptions): Detector {
  return new RobustDetector(options)
}

class RobustDetector implements Detector {
  readonly metric: string
  readonly #options: Required<{ [Key in keyof DetectorOptions]: NonNullable<DetectorOptions[Key]> }>
  #window: RollingWindow
  /** What there was since the anomaly began. */
  #since: RollingWindow
  /** When the last values were unusual, or `undefined`, newest last. */
  #last: readonly (Anomaly | undefined)[] = []
  #quiet = 0
  #quietSince = 0
  active: Anomaly | undefined

  constructor(options: DetectorOptions) {
    const { metric, direction = 'up', isRatio = false, begin = { points: 4, of: 6 } } = options
    this.metric = metric
    const window = checkWhole('window', options.window ?? 360, 4, MOST)
    this.#options = {
      metric,
      direction,
      isRatio,
      begin,
      window,
      threshold: checkNumber('threshold', options.threshold ?? 6, Number.MIN_VALUE),
      minChange: checkNumber('minChange', options.minChange ?? 0, 0),
      minRelativeChange: checkNumber('minRelativeChange', options.minRelativeChange ?? 0.25, 0),
      minWeight: checkNumber('minWeight', options.minWeight ?? 0, 0),
      minPoints: checkWhole('minPoints', options.minPoints ?? Math.min(60, window), 2, window),
      endAfter: checkWhole('endAfter', options.endAfter ?? 6, 1, MOST),
    }
    checkWhole('begin.points', begin.points, 1, checkWhole('begin.of', begin.of, 1, MOST))
    this.#window = new RollingWindow(window)
    this.#since = new RollingWindow(window)
  }

  push(value: number | null, at: number, weight = Number.POSITIVE_INFINITY): Anomaly | undefined {
    const { minWeight, minPoints } = this.#options
    if (value === null || !Number.isFinite(value) || !(weight >= minWeight)) {
      return this.#follow(undefined, at, true)
    }
    const isKnown = this.#window.size >= minPoints
    const seen = isKnown ? this.#look(value, at, weight) : undefined
    if (this.active === undefined) this.#window.push(value)
    else this.#since.push(value)
    if (seen === undefined) return this.#follow(undefined, at, true)
    const { threshold, window } = this.#options
    if (this.#since.size === window) return this.#adopt(at)
    const isUnusual = seen.score >= threshold
    return this.#follow(isUnusual ? seen : undefined, at, seen.score < threshold / 2)
  }

  /** How unusual a value is. */
  #look(value: number, at: number, weight: number): Anomaly {
    const { metric, direction } = this.#options
    const expected = this.#window.quantile(0.5)
    const towards = value < expected ? 'down' : 'up'
    const isWanted = direction === 'both' || direction === towards
    const score = isWanted && value !== expected ? this.#score(value, expected, weight) : 0
    return { metric, since: at, until: null, value, expected, score, direction: towards }
  }

  #score(value: number, expected: number, weight: number): number {
    const { threshold, minChange, minRelativeChange, isRatio } = this.#options
    const matters = Math.max(minChange, minRelativeChange * Math.abs(expected))
    const quartile = this.#window.quantile(value < expected ? 0.25 : 0.75)
    if (value < expected && quartile > 0) {
      if (matters >= expected) return 0
      const least = Math.log(expected / (expected - matters)) / threshold
      const spread = Math.max(Math.log(expected / quartile) / QUARTILE, least)
      return Math.min(Math.log(expected / Math.max(value, 0)) / spread, MAX_SCORE)
    }
    const spread = Math.max(
      Math.abs(quartile - expected) / QUARTILE,
      matters / threshold,
      isRatio ? chance(expected, weight) : 0,
    )
    return Math.min(Math.abs(value - expected) / spread, MAX_SCORE)
  }

  /** What has lasted so long is the usual from now on. */
  #adopt(at: number): Anomaly | undefined {
    this.#window = this.#since
    return this.#end(at)
  }

  #end(until: number): Anomaly | undefined {
    const ended = this.active && { ...this.active, until }
    this.active = undefined
    this.#since = new RollingWindow(this.#options.window)
    this.#quiet = 0
    return ended
  }

  #follow(unusual: Anomaly | undefined, at: number, isQuiet: boolean): Anomaly | undefined {
    const { begin, endAfter } = this.#options
    if (this.active === undefined) {
      this.#last = [...this.#last, unusual].slice(-begin.of)
      return this.#begin(this.#last.filter((each) => each !== undefined))
    }
    if (unusual !== undefined) {
      const { active } = this
      if (unusual.score > active.score) this.active = { ...unusual, since: active.since }
    }
    if (!isQuiet) {
      this.#quiet = 0
      return undefined
    }
    if (this.#quiet === 0) this.#quietSince = at
    this.#quiet += 1
    if (this.#quiet < endAfter) return undefined
    return this.#end(this.#quietSince)
  }

  /** Begins an anomaly when enough is unusual in one direction. */
  #begin(unusual: readonly Anomaly[]): Anomaly | undefined {
    const { begin } = this.#options
    const newest = unusual.at(-1)
    const alike = unusual.filter(({ direction }) => direction === newest?.direction)
    const [first] = alike
    if (first === undefined || alike.length < begin.points) return undefined
    const worst = alike.reduce((one, other) => (other.score > one.score ? other : one))
    this.active = { ...worst, since: first.since }
    this.#last = []
    this.#quiet = 0
    return this.active
  }
}

/** The standard deviation of a share by chance alone, of so many. */
function chance(share: number, weight: number): number {
  const likely = Math.min(Math.max(share, 1 / weight), 0.5)
  return Math.sqrt((likely * (1 - likely)) / weight)
}
