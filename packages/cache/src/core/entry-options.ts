import { isObject, timer, wrong } from './checks.ts'
import { type Duration, parseDuration } from './duration.ts'
import { CacheError } from './errors.ts'

/** How one entry is made and kept. A cache has defaults for all of it; each call may say otherwise. */
export interface EntryOptions {
  /** How long it is fresh. Default `1m`. `0` with no `stale`: it isn't stored. */
  readonly ttl?: Duration | undefined
  /**
   * How long after that it may still be served, while a fresh one is made or when that fails. Default 0:
   * never.
   */
  readonly stale?: Duration | undefined
  /** The `ttl` of `null`. Default: `ttl`. */
  readonly negativeTtl?: Duration | undefined
  /**
   * The share of the ttl, 0 to 1, of which a random part is taken off, so that what was stored together
   * doesn't end together. Default 0.1.
   */
  readonly jitter?: number | undefined
  /**
   * With a stale value at hand: how long a caller waits for a fresh one. Default 0: it gets the stale one
   * at once, and the fresh one is made behind it.
   */
  readonly softTimeout?: Duration | undefined
  /**
   * How long anybody waits for a factory. Then its signal aborts, and callers get the stale value, or else
   * a `CacheTimeoutError`. Default `30s`, 24 days at most.
   */
  readonly hardTimeout?: Duration | undefined
  /**
   * The share of the ttl, above 0 up to 1, after which a hit has a fresh one made behind it. Default
   * `false`: off.
   */
  readonly eager?: number | false | undefined
  /**
   * Who makes a missing entry only once: the callers of this `process` (default), or those of all processes
   * on the second tier, at the price of two more round trips for each miss.
   */
  readonly lock?: 'process' | 'cluster' | undefined
  /**
   * After a failure with a stale value at hand: how long that is served before the factory is tried again.
   * Default `1s`.
   */
  readonly retryAfterError?: Duration | undefined
  /** What it can be invalidated by. Tags are the same in all namespaces of a cache. */
  readonly tags?: readonly string[] | undefined
  /** Whose it is: the tag `user:<id>`, for `invalidateUser`. */
  readonly user?: string | undefined
}

/** Options with their defaults, parsed: what nobody has to look at again. */
export interface Policy {
  readonly ttlMs: number
  readonly staleMs: number
  readonly negativeTtlMs: number | undefined
  readonly jitter: number
  readonly softMs: number
  readonly hardMs: number
  readonly eager: number | false
  readonly lock: 'process' | 'cluster'
  readonly retryMs: number
  readonly tags: readonly string[]
}

export const DEFAULT_POLICY: Policy = {
  ttlMs: 60_000,
  staleMs: 0,
  negativeTtlMs: undefined,
  jitter: 0.1,
  softMs: 0,
  hardMs: 30_000,
  eager: false,
  lock: 'process',
  retryMs: 1_000,
  tags: [],
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** `options` over `defaults`. Options of a call that aren't the entry's are ignored if `others` has them. */
export function resolvePolicy(
  defaults: Policy,
  options: EntryOptions,
  others: readonly string[] = [],
): Policy {
  if (!isObject(options)) throw wrong('options', options, 'an object such as { ttl: "5m" }')
  const policy: Mutable<Policy> = { ...defaults }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const apply = Object.hasOwn(APPLY, name) ? APPLY[name as keyof EntryOptions] : undefined
    if (apply !== undefined) apply(policy, value, name)
    else if (!others.includes(name)) {
      const known = [...Object.keys(APPLY), ...others].join(', ')
      throw new CacheError('invalid_option', `There is no option "${name}". There are: ${known}.`)
    }
  }
  return policy
}

/** The tag of all that is a user's. */
export function userTag(id: string): string {
  return `user:${nonEmpty('user', id)}`
}

/** A user's own tag: any text but an empty one, and none that begins as ours do. */
export function checkTag(tag: unknown): string {
  const text = nonEmpty('A tag', tag)
  if (text.charCodeAt(0) !== 0) return text
  throw new CacheError('invalid_option', 'A tag begins with U+0000: those are the cache’s own.')
}

const APPLY: {
  readonly [Name in keyof EntryOptions]-?: (
    policy: Mutable<Policy>,
    value: unknown,
    name: string,
  ) => void
} = {
  ttl: (policy, value, name) => {
    policy.ttlMs = parseDuration(name, value as Duration)
  },
  stale: (policy, value, name) => {
    policy.staleMs = parseDuration(name, value as Duration)
  },
  negativeTtl: (policy, value, name) => {
    policy.negativeTtlMs = parseDuration(name, value as Duration)
  },
  jitter: (policy, value, name) => {
    policy.jitter = share(name, value)
  },
  softTimeout: (policy, value, name) => {
    policy.softMs = timer(name, value)
  },
  hardTimeout: (policy, value, name) => {
    policy.hardMs = timer(name, value)
  },
  eager: (policy, value, name) => {
    policy.eager = value === false ? false : share(name, value)
    if (policy.eager === 0) throw wrong(name, value, 'above 0 up to 1, or false')
  },
  lock: (policy, value, name) => {
    if (value !== 'process' && value !== 'cluster')
      throw wrong(name, value, '"process" or "cluster"')
    policy.lock = value
  },
  retryAfterError: (policy, value, name) => {
    policy.retryMs = parseDuration(name, value as Duration)
  },
  tags: (policy, value, name) => {
    if (!Array.isArray(value)) throw wrong(name, value, 'an array of texts')
    policy.tags = [...policy.tags, ...value.map(checkTag)]
  },
  user: (policy, value) => {
    policy.tags = [...policy.tags, userTag(value as string)]
  },
}

function share(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw wrong(name, value, 'a number from 0 to 1')
}

function nonEmpty(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return value
  throw wrong(name, value, 'a well-formed text that isn’t empty')
}
