import { type Logger, logSecurityEvent } from '@tidegate/logger'
import { type Exchange, isServerError } from '@tidegate/server'
import type { Context } from 'hono'
import type { AuthFailure } from './auth.ts'
import type { GatewayEnv } from './env.ts'

/** The client closed the connection before it had its answer (nginx's number, known to operators). */
const CLIENT_CLOSED_REQUEST = 499

/** What every line written during a request carries, and what its own line adds at the end. */
export const requestFields = {
  context: (c: Context<GatewayEnv>) => ({ request_id: c.get('exchange').requestId }),

  fields: (c: Context<GatewayEnv>, end: { readonly statusCode: number }) => {
    const exchange = c.get('exchange')
    return {
      request_id: exchange.requestId,
      client_request_id: exchange.clientRequestId,
      method: exchange.method,
      path: c.env.incoming.target.ok ? c.env.incoming.target.path : undefined,
      route: exchange.route,
      status_code: statusCode(exchange, end.statusCode),
      client: exchange.client ?? null,
      client_ip: exchange.clientIp,
      tenant: exchange.tenant ?? null,
      bytes_out: exchange.bytesOut,
      outcome: exchange.outcome === 'complete' ? undefined : exchange.outcome,
      error_code: exchange.errorCode,
    }
  },
}

/** A stream that the upstream broke keeps the status that the client saw; one that left has none. */
function statusCode(exchange: Exchange, sent: number): number {
  if (exchange.outcome === 'client_gone') return CLIENT_CLOSED_REQUEST
  return exchange.status === 0 ? sent : exchange.status
}

/** A fault of ours or an upstream's, with its cause: what the client is not told, the operator is. */
export function logFault(logger: Logger, c: Context<GatewayEnv>, error: unknown): void {
  const code = isServerError(error) ? error.code : 'internal_error'
  c.get('exchange').errorCode = code
  if (code.startsWith('upstream_') || code === 'deadline_exceeded') {
    logger.warn({ error_code: code, err: error }, 'upstream failed')
  } else if (code === 'internal_error') {
    logger.error({ err: error }, 'unexpected error')
  }
}

export function logAuthFailure(logger: Logger, exchange: Exchange, failure: AuthFailure): void {
  logSecurityEvent(logger, {
    type: 'auth_failure',
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
