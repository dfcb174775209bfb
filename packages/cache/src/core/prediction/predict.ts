import { checkNames, count, optionalFunction, wrong } from '../checks.ts'
import type { EntryOptions } from '../entry-options.ts'
import type { FactoryContext } from '../factory.ts'
import { Prediction, type PredictionSettings } from './prediction.ts'

/** How entries are fetched before they are asked for. */
export interface PredictionOptions extends PredictionSettings {
  /**
   * Makes the value of an entry that is likely to be needed next, by its key with the prefixes of its
   * namespaces. `undefined`: there is none, or it isn't to be fetched in advance.
   */
  readonly load: (key: string, context: FactoryContext<unknown>) => unknown
  /** How such entries are made and kept. Default: as the cache's. */
  readonly options?: EntryOptions | undefined
}

/** What prediction needs of a cache. */
interface Tier {
  /** Whether memory has it, fresh. */
  has(key: string): boolean
  readonly now: () => number
}

const SHARES = ['confidence', 'maxWaste'] as const
/** Whole numbers, with the least that makes sense. */
const LEAST = { callsPerMinute: 0, pauseMs: 0, withinMs: 1, maxKeys: 1 } as const
const KNOWN = ['load', 'caller', ...SHARES, ...Object.keys(LEAST), 'options']

/**
 * Puts prediction in front of a cache: what it fetches goes through the namespace that was asked for it.
 *
 * @throws CacheError `invalid_option`.
 */
export function predict(options: PredictionOptions, tier: Tier): Prediction {
  const { load, options: entry } = check(options)
  return new Prediction(
    options,
    {
      has: (key) => tier.has(key),
      fetch: (key, by) => by.fetch(key, (context) => load(key, context), entry),
    },
    tier.now,
  )
}

function check(options: PredictionOptions): PredictionOptions {
  checkNames('prediction', options, KNOWN)
  if (typeof options.load !== 'function') {
    throw wrong('prediction.load', options.load, 'a function')
  }
  optionalFunction('prediction.caller', options.caller)
  for (const name of SHARES) {
    const value = options[name]
    if (value === undefined || (value >= 0 && value <= 1)) continue
    throw wrong(`prediction.${name}`, value, 'a number from 0 to 1')
  }
  for (const [name, least] of Object.entries(LEAST)) {
    const value = options[name as keyof typeof LEAST]
    if (value !== undefined) count(`prediction.${name}`, value, least)
  }
  return options
}
