import { RateLimitError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { checkEvaluator, type RedisEvaluator } from './evaluator.ts'
import { Nodes } from './nodes.ts'
import { ScriptBackend } from './script-backend.ts'
import { TieredStore } from './tiers/tiered-store.ts'

export type { RedisEvaluator }

/** How {@link redisStore} is made. */
export interface RedisStoreOptions {
  readonly redis: RedisEvaluator
  /**
   * What all keys begin with, so that several applications can share one Redis; without braces, which
   * Redis Cluster would read. Default `tidegate:limit:1`.
   */
  readonly prefix?: string | undefined
  /**
   * False for one command per subject from the first one on. All that is asked in one turn of the event
   * loop is one command, until Redis refuses it, as a Cluster does: that is found out, and nothing is
   * charged twice. To be said only to a proxy that shares keys out among servers and refuses nothing:
   * it would send a script where its first key lives. Default true.
   */
  readonly multiSlot?: boolean | undefined
  /**
   * Milliseconds for which a denial is believed at most, without asking again; what others reset or
   * give back is seen so much later. Default 10,000; 0 asks every time.
   */
  readonly denyCacheMs?: number | undefined
  /** How many subjects are remembered in this process: of denials, and of leases. Default 10,000. */
  readonly maxSubjects?: number | undefined
  /** What tells this process from the others that share the store. Default: random. */
  readonly nodeId?: string | undefined
  /** Milliseconds of a clock that never steps. Default `performance.now`. */
  readonly monotonic?: (() => number) | undefined
  /** Milliseconds of a clock that goes on while the machine sleeps. Default `Date.now`. */
  readonly wall?: (() => number) | undefined
}

/**
 * A store in Redis, from 6.0 on, or Valkey: one server or a Cluster. All that is asked about a subject is
 * decided by one script, exactly as `memoryStore` decides it, by the clock of Redis in whole milliseconds;
 * the limiter's `now` is ignored. Every key expires when it is as new. Subjects and ids are kept as
 * hashes. A look or a denial writes nothing: should the clock of Redis step back, time that only those have
 * seen passes once more, and limits are stricter for as long.
 *
 * Redis is asked as little as can be: not at all for what is still denied (`source` is `deny-cache`) or
 * leased (`lease`: policies whose `precision` isn't `exact`), once at a time for each subject, once for all
 * that is asked at the same time (`redis`).
 *
 * Each process says every five seconds that it is there, which makes `nodes`: how many share the store, as
 * last known. `close` takes it back, and forgets what is known here.
 *
 * What the evaluator rejects with passes as it is: then nothing may be assumed to have been charged or
 * not. Redis refuses a script before its first write, when it is out of memory or a replica, so that
 * nothing is charged in part. The evaluator has to give up in time, as others may wait for its answer;
 * when too many do, calls reject with `store_busy`.
 *
 * @throws RateLimitError `invalid_limit` for a `redis` without `evaluate`, a prefix that holds braces, or a
 *   number that is no count.
 */
export function redisStore(options: RedisStoreOptions): Store {
  const { redis, prefix, multiSlot } = options
  checkEvaluator('redisStore', redis)
  if (prefix !== undefined && /[{}]/.test(prefix)) {
    throw new RateLimitError('invalid_limit', 'redisStore: the prefix must not hold "{" or "}".')
  }
  const nodes = new Nodes({
    redis,
    key: `${prefix ?? 'tidegate:limit:1'}:nodes`,
    nodeId: options.nodeId,
  })
  const store = new TieredStore({
    backend: new ScriptBackend({ redis, prefix, multiSlot }),
    clocks: {
      monotonic: options.monotonic ?? (() => performance.now()),
      wall: options.wall ?? Date.now,
    },
    denyCacheMs: countOf('denyCacheMs', options.denyCacheMs ?? 10_000, 0),
    maxSubjects: countOf('maxSubjects', options.maxSubjects ?? 10_000, 1),
  })
  return {
    decide: (subject, requests) => store.decide(subject, requests),
    decideSync: (subject, requests) => store.decideSync(subject, requests),
    get nodes() {
      return nodes.count
    },
    async close() {
      store.forget()
      await nodes.close()
    },
  }
}

function countOf(option: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new RateLimitError(
    'invalid_limit',
    `redisStore: ${option} must be a whole number from ${least}.`,
  )
}
