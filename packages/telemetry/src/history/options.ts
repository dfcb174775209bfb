import { checkWhole, invalidOption } from '../core/option-checks.ts'
import type { PublishedMetric } from './published.ts'
import type { HistoryResolution, HistoryStore } from './store.ts'
import { stepsOf } from './track.ts'

/** How a history is made. */
export interface HistoryOptions {
  /** Where several processes put theirs together, and where it survives a restart. Default: only in this process. */
  readonly store?: HistoryStore | undefined
  /** Default: each second for ten minutes. */
  readonly fine?: HistoryResolution | undefined
  /** Its steps consist of whole fine ones. Default: each minute for a day. */
  readonly coarse?: HistoryResolution | undefined
  /** How many metrics are kept; values of further ones are dropped and counted. Default 500. */
  readonly maxMetrics?: number | undefined
  /** How often the store is told, in milliseconds. Default 5,000. */
  readonly flushMs?: number | undefined
  /** This process from its start to its end, unlike any other. Default: a random id. */
  readonly instance?: string | undefined
  /** Told of each published value, after it was recorded. */
  readonly onPublish?: ((published: PublishedMetric) => void) | undefined
  /** Told why the store didn't answer, each time, and what `onPublish` threw. */
  readonly onError?: ((error: unknown) => void) | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** Enough for a day of seconds; each takes 16 bytes per metric. */
const MAX_STEPS = 86_400

/**
 * Refuses resolutions that don't fit.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function checkResolutions(fine: HistoryResolution, coarse: HistoryResolution): void {
  for (const [name, resolution] of Object.entries({ fine, coarse })) {
    checkWhole(`${name}.stepMs`, resolution.stepMs, 1)
    checkWhole(`${name}.keepMs`, resolution.keepMs, resolution.stepMs)
    if (stepsOf(resolution) > MAX_STEPS) {
      throw invalidOption(`${name} has more than ${MAX_STEPS} steps; lengthen them, or keep fewer.`)
    }
  }
  if (coarse.stepMs % fine.stepMs !== 0) {
    throw invalidOption('A coarse step has to consist of whole fine ones: correct coarse.stepMs.')
  }
}
