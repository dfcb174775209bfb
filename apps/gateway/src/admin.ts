import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Secret } from '@tidegate/config'
import { isLoopback } from '@tidegate/server'
import type { Context, MiddlewareHandler } from 'hono'
import type { FailureGuard } from './auth/failure-guard.ts'
import { tooManyFailures } from './auth/refusals.ts'
import type { Profile } from './config/settings.ts'
import type { OperatorSessions } from './dashboard/operator-sessions.ts'
import { isOwnPage } from './dashboard/own-page.ts'
import type { GatewayEnv } from './env.ts'
import { GatewayError } from './problems.ts'

/** What a browser on this machine calls us by; anything else may be a stranger's name that points here. */
const LOCAL_HOST = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i

type Exchange = GatewayEnv['Variables']['exchange']

export interface AdminOptions {
  readonly key: Secret | undefined
  /** Of operators who have shown the key to the dashboard. Absent: there is no key. */
  readonly sessions: OperatorSessions | undefined
  readonly profile: Profile
  /** Absent: guesses are answered without end. */
  readonly guard: FailureGuard | undefined
  readonly onRefused: (exchange: Exchange, reason: string) => void
}

/** Who tells operators from others. */
export interface Admin {
  /** Lets operators alone through. */
  readonly only: MiddlewareHandler<GatewayEnv>
  /** Whether that is the admin key: false without one. Throws for a network that guesses. */
  readonly isKey: (exchange: Exchange, presented: string) => boolean
}

/**
 * Guards the gateway's own endpoints. With an admin key configured it must be sent (`x-admin-key`, or
 * Bearer); what only reads, the dashboard's session opens too. Without one they answer in the development
 * profile only, to a direct peer on this machine whose Host and Origin are this machine's too: neither a
 * proxied stranger nor a web page in the developer's own browser gets in (DNS rebinding included).
 */
export function createAdmin(options: AdminOptions): Admin {
  const { key, sessions, profile, guard, onRefused } = options
  const expected = key === undefined ? undefined : hash('sha256', key.reveal(), 'buffer')

  const isKey = (exchange: Exchange, presented: string): boolean => {
    // One key for all: nobody passes here while somebody guesses, or a right guess would be told.
    const wait = guard?.blockedFor(exchange.clientIp) ?? 0
    if (wait > 0) throw tooManyFailures(wait)
    if (expected !== undefined && matches(presented, expected)) return true
    void guard?.failed(exchange.clientIp, presented)
    onRefused(exchange, 'wrong')
    return false
  }

  const only: MiddlewareHandler<GatewayEnv> = async (c, next) => {
    const exchange = c.get('exchange')
    const { headers } = c.env.incoming
    if (expected !== undefined) {
      const presented = headers['x-admin-key'] ?? bearerToken(headers.authorization)
      const isOperator =
        presented === undefined
          ? await isInSession(c, sessions)
          : isKey(exchange, String(presented))
      if (isOperator) return next()
      if (presented === undefined) onRefused(exchange, 'missing')
      throw new GatewayError('admin_key_required', 'This endpoint is for operators.', challenge)
    }
    if (profile === 'development' && isOnThisMachine(c)) return next()
    onRefused(exchange, 'disabled')
    throw new GatewayError('admin_disabled', 'No admin key is configured on this gateway.')
  }
  return { only, isKey }
}

/** A session only reads: what a browser sends by itself must change nothing. */
async function isInSession(
  c: Context<GatewayEnv>,
  sessions: OperatorSessions | undefined,
): Promise<boolean> {
  const { method } = c.get('exchange')
  if (method !== 'GET' && method !== 'HEAD') return false
  const { cookie } = c.env.incoming.headers
  if (sessions === undefined || cookie === undefined || !isOwnPage(c)) return false
  return (await sessions.find(cookie)) !== undefined
}

/** Whether a program on this machine asks, directly and by this machine's name. */
export function isOnThisMachine(c: Context<GatewayEnv>): boolean {
  const { peerIp, forwarded } = c.get('exchange')
  const { headers } = c.env.incoming
  const isDirect = isLoopback(peerIp) && !forwarded
  if (!isDirect || isForOtherSite(headers)) return false
  return LOCAL_HOST.test(headers.host ?? '') && isLocalOrigin(headers.origin)
}

/** A page of another site may load from here without telling its origin; a link on it may lead here. */
function isForOtherSite(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate'
}

const challenge = { facts: { authenticate: 'Bearer realm="tidegate admin"' } }

function matches(presented: string, expected: Buffer): boolean {
  return (
    timingSafeEqual(hash('sha256', Buffer.from(presented, 'latin1'), 'buffer'), expected) ||
    timingSafeEqual(hash('sha256', presented, 'buffer'), expected)
  )
}

function bearerToken(value: string | undefined): string | undefined {
  return value !== undefined && /^bearer /i.test(value) ? value.slice(7).trim() : undefined
}

function isLocalOrigin(origin: string | undefined): boolean {
  if (origin === undefined) return true
  const at = origin.indexOf('://')
  return at !== -1 && LOCAL_HOST.test(origin.slice(at + 3))
}
