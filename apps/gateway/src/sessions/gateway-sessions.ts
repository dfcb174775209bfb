import { type Logger, logSecurityEvent } from '@tidegate/logger'
import { type RedisEvaluator, redisSessionStore } from '@tidegate/rate-limit/redis'
import {
  createSessions,
  memorySessionStore,
  type SessionEvent,
  type Sessions,
} from '@tidegate/rate-limit/sessions'
import type { SessionSettings } from '../config/settings.ts'
import { HitLog } from '../limits/hit-log.ts'
import { SessionGate } from './session-gate.ts'

/** How long an answer of Redis about an open session is good for in this process. */
const CONFIRMED_FOR_MS = 1_000

/** What sessions are kept in: Redis, so that all processes share them, or this process's memory. */
export interface SessionSharing {
  readonly redis: RedisEvaluator
  /** What all keys begin with. */
  readonly prefix: string
}

/** The sessions of the gateway's users. */
export interface GatewaySessions {
  readonly sessions: Sessions
  readonly gate: SessionGate
}

/**
 * Makes the sessions that a configuration asks for. Refusals are security events, of a flood of them one
 * now and then; that the store is away is logged once, and that it is back.
 */
export function createGatewaySessions(
  { max, ttl }: SessionSettings,
  logger: Logger,
  sharing?: SessionSharing,
): GatewaySessions {
  const store =
    sharing === undefined
      ? memorySessionStore()
      : redisSessionStore({ redis: sharing.redis, prefix: `${sharing.prefix}:sessions:1` })
  const hits = new HitLog()
  const sessions = createSessions({
    store,
    maxPerUser: max,
    ttlMs: ttl,
    confirmedForMs: sharing === undefined ? 0 : CONFIRMED_FOR_MS,
    onEvent: (event) => logRefusal(logger, hits, event),
  })
  const gate = new SessionGate({
    sessions,
    onChange: ({ available, error }) => {
      if (available) logger.info('sessions are counted again')
      else logger.warn({ err: error }, 'sessions unavailable: requests pass without being counted')
    },
  })
  return { sessions, gate }
}

function logRefusal(logger: Logger, log: HitLog, event: SessionEvent): void {
  if (event.type !== 'refused') return
  const { user, handle, answer } = event
  if (answer.reason === 'ended') {
    const hits = log.hit('ended', handle)
    if (hits === undefined) return
    const about = { reason: 'session_ended', user, session: handle, hits }
    logSecurityEvent(logger, { type: 'access_denied', ...about })
    return
  }
  const hits = log.hit('limit', user)
  if (hits === undefined) return
  const { limit, active } = answer
  const about = { policy: 'sessions', user, limit, active, hits }
  logSecurityEvent(logger, { type: 'limit_hit', ...about })
}
