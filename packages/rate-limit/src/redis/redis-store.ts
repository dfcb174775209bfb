import { RateLimitError } from '../core/errors.ts'
import { limiterKey } from '../core/limiter-key.ts'
import type { Store, Verdict } from '../core/store.ts'
import { requestArguments } from './request-arguments.ts'
import { decideScript } from './script/decide-script.ts'

/**
 * What is needed of Redis: the `commands` of `@tidegate/redis`, or a few lines around another client.
 */
export interface RedisEvaluator {
  /**
   * Sends `EVALSHA` with the script's `sha1` and, only when Redis answers `NOSCRIPT`, `EVAL` with its
   * source. It has to send it once: a script that is sent again after a lost answer is charged twice. On
   * a Cluster it goes where the keys live, which all share one slot.
   */
  evaluate(
    script: { readonly source: string; readonly sha1: string },
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>
}

/** How {@link redisStore} is made. */
export interface RedisStoreOptions {
  readonly redis: RedisEvaluator
  /**
   * What all keys begin with, so that several applications can share one Redis; without braces, which
   * Redis Cluster would read. Default `tidegate:limit:1`.
   */
  readonly prefix?: string | undefined
}

const FIELDS = 5

/**
 * A store in Redis, from 6.0 on, or Valkey: one server or a Cluster. All that is asked about a subject is
 * decided by one script, in one round trip, exactly as `memoryStore` decides it, by the clock of Redis in
 * whole milliseconds; the limiter's `now` is ignored. Every key expires when it is as new. Subjects and
 * ids are kept as hashes. A look or a denial writes nothing: should the clock of Redis step back, time that
 * only those have seen passes once more, and limits are stricter for as long.
 *
 * What the evaluator rejects with passes as it is: then nothing may be assumed to have been charged or
 * not. Redis refuses a script before its first write, when it is out of memory or a replica, so that
 * nothing is charged in part.
 *
 * @throws RateLimitError `invalid_limit` for a prefix that holds braces.
 */
export function redisStore({ redis, prefix }: RedisStoreOptions): Store {
  if (prefix !== undefined && /[{}]/.test(prefix)) {
    throw new RateLimitError('invalid_limit', 'redisStore: the prefix must not hold "{" or "}".')
  }
  return {
    async decide(subject, requests) {
      if (requests.length === 0) return []
      const keys = requests.map(({ limit }) => limiterKey(subject, limit, prefix))
      const reply = await redis.evaluate(decideScript, keys, requests.flatMap(requestArguments))
      return verdictsOf(reply, requests.length)
    },
  }
}

function verdictsOf(reply: unknown, count: number): readonly Verdict[] {
  if (!Array.isArray(reply) || reply.length !== count * FIELDS) throw misread()
  return Array.from({ length: count }, (_, at) => {
    const start = at * FIELDS
    const [allowed, applied, remaining, retryAfter, reset] = reply.slice(start, start + FIELDS)
    return {
      allowed: numberOf(allowed) === 1,
      applied: numberOf(applied) === 1,
      remaining: numberOf(remaining),
      retryAfterMs: retryAfter === 'never' ? Number.POSITIVE_INFINITY : numberOf(retryAfter),
      resetMs: numberOf(reset),
      source: 'redis',
    }
  })
}

function numberOf(text: unknown): number {
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text)) throw misread()
  return Number(text)
}

function misread(): TypeError {
  return new TypeError(
    "redisStore: the script's reply has another form. `evaluate` has to return it as it came, texts as strings.",
  )
}
