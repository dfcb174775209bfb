import { type Logger, logSecurityEvent } from '@tidegate/logger'
import type { RequestEnd } from '@tidegate/logger/hono'
import { type Exchange, isServerError, type Outcome } from '@tidegate/server'
import type { Context } from 'hono'
import type { AuthFailure } from './auth/authenticate.ts'
import type { CallersEvents } from './auth/callers.ts'
import type { Block } from './auth/failure-guard.ts'
import type { Identity } from './auth/identity.ts'
import type { PurgeTarget } from './cache/purge.ts'
import type { GatewayEnv } from './env.ts'
import type { LimitHit } from './limits/limits.ts'
import type { Call } from './upstreams/call.ts'
import type { TokenUsage } from './usage/reservation.ts'

/** The client closed the connection before it had its answer (nginx's number, known to operators). */
export const CLIENT_CLOSED_REQUEST = 499

/** What every line written during a request carries, and its own line at the end. */
export const requestFields = {
  context: (c: Context<GatewayEnv>) => ({ request_id: c.get('exchange').requestId }),

  line: (c: Context<GatewayEnv>, end: RequestEnd) => {
    const exchange = c.get('exchange')
    const outcome = outcomeAt(end, exchange)
    const [served, call] = [c.get('served'), c.get('call')]
    // What a call used that goes on without its client, its own line says.
    const tokens = c.get('led')?.leftBehind === true ? undefined : c.get('tokens')?.usage
    return {
      request_id: exchange.requestId,
      trace_id: c.get('span')?.traceId,
      span_id: c.get('span')?.spanId,
      client_request_id: exchange.clientRequestId,
      method: exchange.method,
      path: c.get('loggedPath') ?? (c.env.incoming.target.ok ? c.env.incoming.target.path : '/'),
      route: exchange.route,
      upstream: call?.upstream.name,
      attempts: call?.attempts,
      cache: served?.cache,
      shared: served?.shared === true ? true : undefined,
      status_code:
        outcome === 'client_gone' ? CLIENT_CLOSED_REQUEST : exchange.status || end.statusCode,
      duration_ms: end.durationMs,
      client: exchange.client ?? null,
      client_ip: exchange.clientIp,
      tenant: exchange.tenant ?? null,
      tier: c.get('identity')?.tier,
      // Of our own answers nobody counts the bytes.
      bytes_out: exchange.route === undefined ? undefined : exchange.bytesOut,
      tokens_in: tokens?.input,
      tokens_out: tokens?.output,
      // Only where an upstream didn't say it.
      tokens_estimated: tokens?.estimated === true ? true : undefined,
      outcome: outcome === 'complete' ? undefined : outcome,
      error_code: exchange.errorCode,
    }
  },
}

/**
 * How the request ended. The connection's end may be heard of here before the exchange has been told:
 * what is still open then has ended just now. A stream that the upstream broke stays one; what the
 * upstream completed is incomplete all the same if the client left before it had taken the rest. Of a
 * switched connection Node can't tell.
 */
export function outcomeAt({ clientGone }: RequestEnd, { outcome, status }: Exchange): Outcome {
  if (outcome === 'open') return clientGone ? 'client_gone' : 'complete'
  return outcome === 'complete' && clientGone && status !== 101 ? 'client_gone' : outcome
}

/** The end of a call that goes on when the client that led to it has left, or that none waits for. */
export function logSharedCall(
  logger: Pick<Logger, 'info'>,
  exchange: Exchange,
  { upstream, attempts }: Call,
  usage: TokenUsage | undefined,
): void {
  logger.info(
    {
      request_id: exchange.requestId,
      route: exchange.route,
      upstream: upstream.name,
      attempts,
      status_code: exchange.status,
      duration_ms: Math.round((performance.now() - exchange.startedAt) * 100) / 100,
      bytes_out: exchange.bytesOut,
      tokens_in: usage?.input,
      tokens_out: usage?.output,
      tokens_estimated: usage?.estimated === true ? true : undefined,
      outcome: exchange.outcome === 'complete' ? undefined : exchange.outcome,
      error_code: exchange.errorCode,
      ...(exchange.fault instanceof Error && { err: exchange.fault }),
    },
    'shared call ended',
  )
}

/** A fault of ours or an upstream's, with its cause: what the client is not told, the operator is. */
export function logFault(logger: Logger, c: Context<GatewayEnv>, error: unknown): void {
  const code = isServerError(error) ? error.code : 'internal_error'
  c.get('exchange').errorCode = code
  // Of a call that was to answer several, the one who led to it tells.
  if (c.get('served')?.shared === true) return
  if (code.startsWith('upstream_') || code === 'deadline_exceeded') {
    logger.warn({ error_code: code, err: error }, 'upstream failed')
  } else if (code === 'internal_error') {
    logger.error({ err: error }, 'unexpected error')
  }
}

/** A network is refused for a while, as it guesses: told once, not for each request that is. */
export function logAuthBlock(logger: Logger, { surface, network, failures, blockMs }: Block): void {
  logSecurityEvent(logger, {
    type: 'auth_blocked',
    surface,
    client_network: network,
    failures,
    block_ms: blockMs,
  })
}

/** At debug, as every request uses one. */
export function logKeyUse(logger: Logger, exchange: Exchange, identity: Identity): void {
  if (!logger.isLevelEnabled('debug')) return
  const { kind, id, tier } = identity
  const atDebug = { info: logger.debug.bind(logger), warn: logger.warn.bind(logger) }
  logSecurityEvent(atDebug, {
    type: 'key_use',
    kind,
    client: id,
    tier: tier ?? null,
    client_ip: exchange.clientIp,
    route: exchange.route,
  })
}

/** What is known of those who vouch for tokens. */
export function logAuthorities(logger: Logger): CallersEvents {
  return {
    onKeys: (issuer, { available, error }) => {
      if (available) logger.info({ issuer }, 'signing keys can be fetched again')
      else logger.warn({ issuer, err: error }, 'signing keys can not be fetched')
    },
    onFault: (authority, error) =>
      logger.warn({ authority, err: error }, 'a token could not be checked'),
  }
}

export function logAuthFailure(logger: Logger, exchange: Exchange, failure: AuthFailure): void {
  logSecurityEvent(logger, {
    type: failure.reason === 'insufficient' ? 'access_denied' : 'auth_failure',
    reason: failure.reason,
    header: failure.header,
    client_ip: exchange.clientIp,
    route: exchange.route,
  })
}

export function logAdminRefusal(logger: Logger, exchange: Exchange, reason: string): void {
  logSecurityEvent(logger, {
    type: 'auth_failure',
    surface: 'admin',
    reason,
    client_ip: exchange.clientIp,
  })
}

export function logLimitHit(logger: Logger, exchange: Exchange, hit: LimitHit): void {
  logSecurityEvent(logger, {
    type: 'limit_hit',
    policy: hit.policy,
    subject: hit.subject,
    hits: hit.hits,
    shadow: hit.shadow ? true : undefined,
    client: exchange.client ?? null,
    client_ip: exchange.clientIp,
    route: exchange.route,
  })
}

/** An operator's session at the dashboard began or ended. */
export function logOperator(logger: Logger, exchange: Exchange, action: 'login' | 'logout'): void {
  const { clientIp } = exchange
  logSecurityEvent(logger, { type: 'admin_access', action, client_ip: clientIp })
}

/** An operator has thrown kept answers away. */
export function logPurge(logger: Logger, { by, value }: PurgeTarget, removed: number): void {
  logSecurityEvent(logger, { type: 'admin_access', action: 'purge_cache', by, value, removed })
}
