import type { DampingOptions } from './damping.ts'
import { type Duration, parseDuration } from './duration.ts'
import { checkNames, wrong } from './option-checks.ts'

/** How a check is run, and what hangs on it. */
export interface CheckOptions {
  /**
   * Whether the whole can't work without it: unhealthy, it makes the whole unhealthy and not ready.
   * Otherwise it makes it degraded. Default true.
   */
  readonly critical?: boolean | undefined
  /** How long it may take; then its signal aborts and it counts as unhealthy. Default `5s`. */
  readonly timeout?: Duration | undefined
  /** From how long on a healthy answer counts as degraded. Default: never. */
  readonly slow?: Duration | undefined
  /** How long a result is given to whoever asks. Default `5s`; with an `interval`, three of them. */
  readonly ttl?: Duration | undefined
  /** How often to look in the background, give or take a tenth, at first at once. Default: never. */
  readonly interval?: Duration | undefined
  /** Names of groups, by which reports can be asked for. */
  readonly tags?: readonly string[] | undefined
  /** How many results in a row change the status. Default: one. */
  readonly damping?: DampingOptions | undefined
}

/** Options of a check, with everything decided. */
export interface ComponentPlan {
  readonly critical: boolean
  readonly timeoutMs: number
  readonly slowMs: number
  readonly ttlMs: number
  /** 0: never. */
  readonly intervalMs: number
  readonly tags: readonly string[]
  readonly damping: DampingOptions
}

const NAMES = ['critical', 'timeout', 'slow', 'ttl', 'interval', 'tags', 'damping']

/** With an interval, a result is good for so many: one that fails to come isn't noticed at once. */
const INTERVALS_KEPT = 3

/** @throws HealthError `invalid_option` */
export function planOf(name: string, options: CheckOptions): ComponentPlan {
  const of = `The check "${name}"`
  checkNames(of, options, NAMES)
  const { critical = true, timeout = 5_000, slow, ttl, interval, tags = [] } = options
  if (typeof critical !== 'boolean') throw wrong(`${of}: critical`, critical, 'true or false')
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string')) {
    throw wrong(`${of}: tags`, tags, 'a list of texts')
  }
  const damping = options.damping ?? {}
  checkNames(`${of}: damping`, damping, ['failures', 'successes'])
  const intervalMs = interval === undefined ? 0 : parseDuration(`${of}: interval`, interval, 1)
  const kept = intervalMs > 0 ? INTERVALS_KEPT * intervalMs : 5_000
  return {
    critical,
    timeoutMs: parseDuration(`${of}: timeout`, timeout, 1),
    slowMs: slow === undefined ? Number.POSITIVE_INFINITY : parseDuration(`${of}: slow`, slow),
    ttlMs: ttl === undefined ? kept : parseDuration(`${of}: ttl`, ttl),
    intervalMs,
    tags: [...tags],
    damping,
  }
}
