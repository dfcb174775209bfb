import type { CacheBus, CacheDriver } from './driver.ts'
import { type Duration, describe, parseDuration } from './duration.ts'
import { DEFAULT_POLICY, type EntryOptions, type Policy, resolvePolicy } from './entry-options.ts'
import { CacheError } from './errors.ts'
import type { CacheListener } from './events.ts'
import type { PopularityOptions } from './popularity.ts'
import type { PredictionOptions } from './prediction/predict.ts'

/** How a cache is made. The options of an entry among them are the defaults of all calls. */
export interface CacheOptions extends EntryOptions {
  /** Part of every key that is shared: caches of one name on one second tier are one. Default `default`. */
  readonly name?: string | undefined
  /** The first tier, in memory; `false`: none. */
  readonly l1?: MemoryOptions | false | undefined
  /** The second tier, shared by processes. Default: none. */
  readonly l2?: CacheDriver | SharedTierOptions | undefined
  /**
   * Tells other processes' memory of changes. Without it, they see them when they look at the second tier:
   * after `l1.ttl`.
   */
  readonly bus?: CacheBus | undefined
  /** Records which entries are asked for most, for `popular`. Default `false`. */
  readonly popular?: boolean | PopularityOptions | undefined
  /** Fetches entries before they are asked for, by what it has learned. Default: off. */
  readonly prediction?: PredictionOptions | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Told of all that happens, at once; so it has to be quick. What it throws is dropped. */
  readonly onEvent?: CacheListener | undefined
  /** A key that is longer, with its namespaces, is replaced by its SHA-256. Default 1,024 characters. */
  readonly maxKeyLength?: number | undefined
}

/** How the first tier is limited. */
export interface MemoryOptions {
  /** Default 10,000. */
  readonly entries?: number | undefined
  /** About how much memory values may take. Default: not counted. */
  readonly bytes?: number | undefined
  /** The bytes of a value, where the estimate isn't good enough. */
  readonly sizeOf?: ((value: unknown) => number) | undefined
  /**
   * Memory serves nothing for longer than this without a look at the second tier. Default: as long as it
   * is fresh.
   */
  readonly ttl?: Duration | undefined
}

/** How the second tier is used. */
export interface SharedTierOptions {
  readonly driver: CacheDriver
  /** With a stale value in memory: how long the second tier is waited for. Default: `hardTimeout`. */
  readonly softTimeout?: Duration | undefined
  /** How long it is waited for at all. Then memory goes on alone for a while. Default `1s`. */
  readonly hardTimeout?: Duration | undefined
  /** What is larger, as it is sent, stays in memory. Default 1 MiB. */
  readonly maxValueBytes?: number | undefined
  /** From how many bytes values are compressed. Default `false`: never. */
  readonly compress?: { readonly above: number } | false | undefined
}

/** Options of a cache that aren't an entry's. */
const OWN = [
  'name',
  'l1',
  'l2',
  'bus',
  'popular',
  'prediction',
  'now',
  'random',
  'onEvent',
  'maxKeyLength',
] as const

const OWN_OF_L1 = ['entries', 'bytes', 'sizeOf', 'ttl']

/** The options, checked. */
export interface Settings {
  readonly name: string
  readonly policy: Policy
  readonly now: () => number
  readonly random: () => number
  readonly maxKeyLength: number
  readonly memory: {
    readonly entries: number
    readonly bytes: number | undefined
    readonly sizeOf: ((value: unknown) => number) | undefined
    readonly ttlMs: number | undefined
  }
}

/** Checks options and sets the defaults. */
export function parseOptions(options: CacheOptions): Settings {
  const { name = 'default', now = systemTime, random = Math.random, maxKeyLength = 1_024 } = options
  if (typeof name !== 'string' || name === '') throw wrong('name', name, 'a text that isn’t empty')
  if (typeof now !== 'function') throw wrong('now', now, 'a function')
  if (typeof random !== 'function') throw wrong('random', random, 'a function')
  return {
    name,
    now,
    random,
    policy: resolvePolicy(DEFAULT_POLICY, options, OWN),
    maxKeyLength: count('maxKeyLength', maxKeyLength, 64),
    memory: parseMemory(options.l1),
  }
}

function parseMemory(l1: CacheOptions['l1']): Settings['memory'] {
  if (l1 === false) return { entries: 0, bytes: undefined, sizeOf: undefined, ttlMs: undefined }
  if (l1 !== undefined && (typeof l1 !== 'object' || l1 === null)) {
    throw wrong('l1', l1, 'an object of limits, or false')
  }
  const { entries = 10_000, bytes, sizeOf, ttl } = l1 ?? {}
  const unknown = Object.keys(l1 ?? {}).find((name) => !OWN_OF_L1.includes(name))
  if (unknown !== undefined) {
    throw new CacheError(
      'invalid_option',
      `There is no option "l1.${unknown}". There are: ${OWN_OF_L1.join(', ')}.`,
    )
  }
  return {
    entries: count('l1.entries', entries, 1),
    bytes: bytes === undefined ? undefined : count('l1.bytes', bytes, 1),
    sizeOf,
    ttlMs: ttl === undefined ? undefined : parseDuration('l1.ttl', ttl),
  }
}

function count(name: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw wrong(name, value, `a whole number from ${least}`)
}

function wrong(name: string, value: unknown, wanted: string): CacheError {
  return new CacheError('invalid_option', `${name} is ${describe(value)}; it has to be ${wanted}.`)
}

/** Looked up each time: a test may put another clock in its place. */
function systemTime(): number {
  return Date.now()
}
