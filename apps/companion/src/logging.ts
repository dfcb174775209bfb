import { type Logger, logSecurityEvent } from '@tidegate/logger'
import type { RequestEnd } from '@tidegate/logger/hono'
import { type Exchange, isServerError } from '@tidegate/server'
import type { Context } from 'hono'
import type { AuthFailure } from './auth/authenticate.ts'
import type { CompanionEnv } from './env.ts'

/** The client closed the connection before it had its answer (nginx's number, known to operators). */
const CLIENT_CLOSED_REQUEST = 499

/** What every line written during a request carries, and its own line at the end. */
export const requestFields = {
  context: (c: Context<CompanionEnv>) => ({ request_id: c.get('exchange').requestId }),

  line: (c: Context<CompanionEnv>, end: RequestEnd) => {
    const exchange = c.get('exchange')
    return {
      request_id: exchange.requestId,
      client_request_id: exchange.clientRequestId,
      method: exchange.method,
      path: c.req.path,
      route: exchange.route,
      status_code: statusAt(end, exchange),
      duration_ms: end.durationMs,
      client: exchange.client ?? null,
      client_ip: exchange.clientIp,
      tenant: exchange.tenant ?? null,
      error_code: exchange.errorCode,
    }
  },
}

/** What was answered, or that nobody was there any more. */
export function statusAt({ clientGone, statusCode }: RequestEnd, { status }: Exchange): number {
  return clientGone ? CLIENT_CLOSED_REQUEST : status || statusCode
}

/** A fault of ours with its cause: what the client is not told, the operator is. */
export function logFault(logger: Logger, status: number, error: unknown): void {
  if (status < 500) return
  const code = isServerError(error) ? error.code : 'internal_error'
  if (code === 'deadline_exceeded') logger.warn({ error_code: code, err: error }, 'out of time')
  else logger.error({ error_code: code, err: error }, 'a request failed')
}

export function logAuthFailure(logger: Logger, exchange: Exchange, failure: AuthFailure): void {
  logSecurityEvent(logger, {
    type: failure.reason === 'insufficient' ? 'access_denied' : 'auth_failure',
    reason: failure.reason,
    key: failure.key,
    scope: failure.scope,
    client_ip: exchange.clientIp,
    route: exchange.route,
  })
}
