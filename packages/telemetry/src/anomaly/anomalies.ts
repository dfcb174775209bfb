import { checkWhole } from '../core/option-checks.ts'
import {
  type Anomaly,
  createDetector,
  type Detector,
  type DetectorOptions,
  MOST,
} from './detector.ts'

/** How {@link createAnomalies} is made. */
export interface AnomaliesOptions {
  readonly detectors: readonly DetectorOptions[]
  /** Told of each anomaly when it begins, and when it has ended. */
  readonly onBegin?: ((anomaly: Anomaly) => void) | undefined
  readonly onEnd?: ((anomaly: Anomaly) => void) | undefined
  /** Told what these two threw. */
  readonly onError?: ((error: unknown) => void) | undefined
  /** How many that have ended are remembered. Default 100. */
  readonly maxRecent?: number | undefined
}

/** A value and what is behind it, as `history.recent` gives it. */
export interface AnomalySample {
  readonly value: number
  readonly weight?: number | undefined
}

/** The anomalies of several metrics. */
export interface Anomalies {
  /** Those that have begun, the latest first. */
  readonly active: readonly Anomaly[]
  /** Those that have ended, the latest first. */
  readonly recent: readonly Anomaly[]
  /**
   * Asks for the value of each metric, and compares it with the ones before: to be called at even intervals, by
   * default every ten seconds, with what was measured since.
   *
   * @param read Gives the value, or nothing when there is none; one that throws counts as nothing.
   * @param at Milliseconds since 1970.
   */
  sample(read: (metric: string) => AnomalySample | undefined, at: number): void
}

/**
 * Watches metrics and remembers when they were unusual.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function createAnomalies(options: AnomaliesOptions): Anomalies {
  return new WatchedAnomalies(options)
}

class WatchedAnomalies implements Anomalies {
  readonly #detectors: readonly Detector[]
  readonly #options: AnomaliesOptions
  readonly #maxRecent: number
  recent: readonly Anomaly[] = []

  constructor(options: AnomaliesOptions) {
    this.#options = options
    this.#detectors = options.detectors.map((each) => createDetector(each))
    this.#maxRecent = checkWhole('maxRecent', options.maxRecent ?? 100, 0, MOST)
  }

  get active(): readonly Anomaly[] {
    const active = this.#detectors.map((detector) => detector.active)
    return active.filter((each) => each !== undefined).sort((a, b) => b.since - a.since)
  }

  sample(read: (metric: string) => AnomalySample | undefined, at: number): void {
    for (const detector of this.#detectors) {
      const sample = this.#quietly(() => read(detector.metric))
      const changed = detector.push(sample?.value ?? null, at, sample?.weight)
      if (changed === undefined) continue
      if (changed.until === null) this.#quietly(() => this.#options.onBegin?.(changed))
      else this.#end(changed)
    }
  }

  #end(anomaly: Anomaly): void {
    this.recent = [anomaly, ...this.recent].slice(0, this.#maxRecent)
    this.#quietly(() => this.#options.onEnd?.(anomaly))
  }

  /** Who listens, or is asked, must not keep others from being watched. */
  #quietly<T>(call: () => T): T | undefined {
    try {
      return call()
    } catch (error) {
      try {
        this.#options.onError?.(error)
      } catch {}
      return undefined
    }
  }
}

/** An anomaly as others are told of it, as JSON. */
export interface AnomalyEvent {
  readonly type: 'anomaly.begun' | 'anomaly.ended'
  readonly metric: string
  /** RFC 3339. */
  readonly since: string
  readonly until: string | null
  readonly value: number
  readonly expected: number
  readonly score: number
  readonly direction: 'up' | 'down'
}

/** What to tell of an anomaly that has begun, or ended. */
export function anomalyEvent(anomaly: Anomaly): AnomalyEvent {
  const { since, until } = anomaly
  return {
    type: until === null ? 'anomaly.begun' : 'anomaly.ended',
    ...anomaly,
    since: new Date(since).toISOString(),
    until: until === null ? null : new Date(until).toISOString(),
  }
}
