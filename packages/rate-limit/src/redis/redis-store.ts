import { RateLimitError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { ScriptBackend } from './script-backend.ts'

export type { RedisEvaluator }

/** How {@link redisStore} is made. */
export interface RedisStoreOptions {
  readonly redis: RedisEvaluator
  /**
   * What all keys begin with, so that several applications can share one Redis; without braces, which
   * Redis Cluster would read. Default `tidegate:limit:1`.
   */
  readonly prefix?: string | undefined
}

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
  const backend = new ScriptBackend({ redis, prefix })
  return {
    async decide(subject, requests) {
      if (requests.length === 0) return []
      const wants = requests.map(() => 0)
      const [answer] = await backend.decide([{ subject, requests, count: 1, wants }])
      return answer?.verdicts ?? []
    },
  }
}
