import { checkNames, count, isObject, optionalFunction, wrong } from './checks.ts'
import type { CacheBus, CacheDriver } from './driver.ts'
import { type Duration, parseDuration } from './duration.ts'
import { DEFAULT_POLICY, type EntryOptions, type Policy, resolvePolicy } from './entry-options.ts'
import { CacheError } from './errors.ts'
import type { CacheListener } from './events.ts'
import type { PopularityOptions } from './popularity.ts'
import type { PredictionOptions } from './prediction/predict.ts'
import {
  parseSharedTier,
  type SharedTierOptions,
  type SharedTierSettings,
} from './shared-tier-options.ts'

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
  readonly shared: SharedTierSettings | undefined
  readonly memory: {
    readonly entries: number
    readonly bytes: number | undefined
    readonly sizeOf: ((value: unknown) => number) | undefined
    readonly ttlMs: number | undefined
  }
}

/** Checks options and sets the defaults. */
export function parseOptions(options: CacheOptions): Settings {
  if (!isObject(options)) throw wrong('options', options, 'an object such as { ttl: "5m" }')
  const { name = 'default', now = systemTime, random = Math.random, maxKeyLength = 1_024 } = options
  if (typeof name !== 'string' || name === '') throw wrong('name', name, 'a text that isn’t empty')
  optionalFunction('now', now)
  optionalFunction('random', random)
  optionalFunction('onEvent', options.onEvent)
  checkBus(options)
  return {
    name,
    now,
    random,
    policy: resolvePolicy(DEFAULT_POLICY, options, OWN),
    maxKeyLength: count('maxKeyLength', maxKeyLength, 64),
    memory: parseMemory(options.l1),
    shared: parseSharedTier(options.l2),
  }
}

function checkBus({ bus, l2 }: CacheOptions): void {
  if (bus === undefined) return
  if (l2 === undefined) {
    const message = 'A bus tells of changes in a second tier: it needs `l2`.'
    throw new CacheError('invalid_option', message)
  }
  if (typeof bus?.publish === 'function' && typeof bus.subscribe === 'function') return
  throw wrong('bus', bus, 'a bus such as redisBus({ redis, subscriber })')
}

function parseMemory(l1: CacheOptions['l1']): Settings['memory'] {
  if (l1 === false) return { entries: 0, bytes: undefined, sizeOf: undefined, ttlMs: undefined }
  if (l1 !== undefined && !isObject(l1)) throw wrong('l1', l1, 'an object of limits, or false')
  const { entries = 10_000, bytes, sizeOf, ttl } = l1 ?? {}
  checkNames('l1', l1 ?? {}, OWN_OF_L1)
  optionalFunction('l1.sizeOf', sizeOf)
  return {
    entries: count('l1.entries', entries, 1),
    bytes: bytes === undefined ? undefined : count('l1.bytes', bytes, 1),
    sizeOf,
    ttlMs: ttl === undefined ? undefined : parseDuration('l1.ttl', ttl),
  }
}

/** Looked up each time: a test may put another clock in its place. */
function systemTime(): number {
  return Date.now()
}
