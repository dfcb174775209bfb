import { hash } from 'node:crypto'
import { RateLimitError } from '../core/errors.ts'
import { checkEvaluator, type RedisEvaluator } from '../redis/evaluator.ts'
import type { Session, SessionAnswer } from './session.ts'
import { sessionScript } from './session-script.ts'
import type { SessionStore } from './session-store.ts'

/** How {@link redisSessionStore} is made. */
export interface RedisSessionStoreOptions {
  readonly redis: RedisEvaluator
  /**
   * What all keys begin with, so that several applications can share one Redis; without braces, which
   * Redis Cluster would read. Default `tidegate:sessions:1`.
   */
  readonly prefix?: string | undefined
}

/** The handle, three times and the client. */
const FIELDS = 5

/**
 * Sessions in Redis, from 6.0 on, or Valkey: one server or a Cluster. Every call is one script about one
 * key, by the clock of Redis; `now` is ignored. Keys hold hashes of users and of ids, are bounded, and
 * expire by themselves. What the evaluator rejects with passes as it is.
 *
 * With an eviction policy other than `noeviction`, Redis may forget sessions: they begin anew, and what
 * was ended is refused no more.
 *
 * @throws RateLimitError `invalid_limit` for a `redis` without `evaluate`, or a prefix that holds braces.
 */
export function redisSessionStore({
  redis,
  prefix = 'tidegate:sessions:1',
}: RedisSessionStoreOptions): SessionStore {
  checkEvaluator('redisSessionStore', redis)
  if (/[{}]/.test(prefix)) {
    const message = 'redisSessionStore: the prefix must not hold "{" or "}".'
    throw new RateLimitError('invalid_limit', message)
  }
  const ask = (user: string, action: string, ...args: (string | number)[]): Promise<unknown> => {
    const tag = hash('sha256', user, 'base64url').slice(0, 22)
    return redis.evaluate(sessionScript, [`${prefix}:{${tag}}`], [action, ...args])
  }
  return {
    async touch(user, { handle, ttlMs, limit, client = '' }) {
      return answerOf(await ask(user, 'touch', handle, ttlMs, limit, client), limit)
    },
    async list(user) {
      return sessionsOf(await ask(user, 'list', '', 0, 0, ''))
    },
    async end(user, handle, ttlMs) {
      if (handle === '') return []
      return sessionsOf(await ask(user, 'end', handle ?? '', ttlMs, 0, ''))
    },
  }
}

function answerOf(reply: unknown, limit: number): SessionAnswer {
  const [verdict, ...rest] = textsOf(reply)
  if (verdict === 'ended') return { allowed: false, reason: 'ended', endedAt: numberOf(rest[0]) }
  if (verdict === 'limit') {
    const [active, retryAfterMs] = [numberOf(rest[0]), numberOf(rest[1])]
    return { allowed: false, reason: 'limit', limit, active, retryAfterMs }
  }
  const [session] = sessionsOf(rest)
  if (session === undefined || (verdict !== 'opened' && verdict !== 'renewed')) throw misread()
  return { allowed: true, opened: verdict === 'opened', session }
}

function sessionsOf(reply: unknown): readonly Session[] {
  const texts = textsOf(reply)
  if (texts.length % FIELDS !== 0) throw misread()
  return Array.from({ length: texts.length / FIELDS }, (_, at) => {
    const [handle = '', created, seen, expires, client] = texts.slice(at * FIELDS)
    return {
      handle,
      createdAt: numberOf(created),
      lastSeenAt: numberOf(seen),
      expiresAt: numberOf(expires),
      client: client === '' ? undefined : client,
    }
  })
}

function textsOf(reply: unknown): readonly string[] {
  if (!Array.isArray(reply) || !reply.every((each) => typeof each === 'string')) throw misread()
  return reply
}

function numberOf(text: string | undefined): number {
  if (text === undefined || !/^\d{1,16}$/.test(text)) throw misread()
  return Number(text)
}

function misread(): TypeError {
  return new TypeError(
    "redisSessionStore: the script's reply has another form. `evaluate` has to return it as it came, texts as strings.",
  )
}
