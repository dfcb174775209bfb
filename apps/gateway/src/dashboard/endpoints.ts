import { ServerError } from '@tidegate/server'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import type { GatewayEnv } from '../env.ts'
import { type BodyLimits, wholeBody } from '../handlers/body.ts'
import { allow } from '../methods.ts'
import { GatewayError } from '../problems.ts'
import { sessionCookie } from './cookie.ts'
import { type OperatorSessions, SESSION_MS } from './operator-sessions.ts'
import { isOwnPage } from './own-page.ts'
import type { PageFiles } from './page-files.ts'
import { servePage } from './serve-page.ts'

/** What the dashboard needs. */
export interface DashboardOptions {
  /** Absent: the gateway was built without the page. */
  readonly files: PageFiles | undefined
  /** Absent: no admin key is configured, and whoever may see anything needs none. */
  readonly sessions: OperatorSessions | undefined
  /** Whether it is the admin key. Throws where too many others came from. */
  readonly isKey: (c: Context<GatewayEnv>, presented: string) => boolean
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
  /** Milliseconds without a byte after which a sender counts as gone. */
  readonly idleMs: number
  /** Told of an operator who came or went. */
  readonly onSession: (c: Context<GatewayEnv>, action: 'login' | 'logout') => void
}

/** `GET /dashboard`, what the page loads, and who may see what it shows. */
export function dashboard(options: DashboardOptions): Hono<GatewayEnv> {
  const { files, sessions, adminOnly } = options
  const app = new Hono<GatewayEnv>()
  // The page itself tells nothing; without a key it isn't even shown to strangers.
  const shown: MiddlewareHandler<GatewayEnv> =
    sessions === undefined ? adminOnly : (_c, next) => next()
  const answers: Readonly<Record<string, Handler<GatewayEnv>>> = {
    '/dashboard/session': (c) => tell(c, sessions),
    '/dashboard/login': (c) => login(c, options),
    '/dashboard/logout': (c) => logout(c, options),
  }
  app.all('/dashboard/*', shown, (c, next) => {
    const { path } = c.req
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined
    if (answer !== undefined) return answer(c, next)
    allow(c, 'GET', 'HEAD')
    return servePage(c, files)
  })
  return app
}

const noStore = { 'cache-control': 'no-store' }

async function tell(
  c: Context<GatewayEnv>,
  sessions: OperatorSessions | undefined,
): Promise<Response> {
  allow(c, 'GET', 'HEAD')
  if (sessions === undefined) return c.json({ authenticated: true, csrf: null }, 200, noStore)
  const session = isOwnPage(c) ? await sessions.find(c.env.incoming.headers.cookie) : undefined
  if (session === undefined) return c.json({ authenticated: false, csrf: null }, 200, noStore)
  const csrf = await sessions.csrfTokenOf(session)
  const expires = new Date(session.expiresAt).toISOString()
  return c.json({ authenticated: true, csrf, expires_at: expires }, 200, noStore)
}

/** More than any key. */
const MOST_FORM = 16_384

/** For the whole form. */
const FORM_MS = 10_000

async function login(c: Context<GatewayEnv>, options: DashboardOptions): Promise<Response> {
  const { sessions, isKey, idleMs, onSession } = options
  allow(c, 'POST')
  if (sessions === undefined) {
    throw new GatewayError('no_route', 'No admin key is configured: nobody has to log in.')
  }
  refuseStrangers(c)
  const key = await formField(c, 'key', idleMs)
  if (!isKey(c, key)) {
    throw new GatewayError('admin_key_required', 'This is not the admin key.')
  }
  const token = await sessions.begin()
  onSession(c, 'login')
  const cookie = sessionCookie(token, { secure: isSecure(c), maxAgeS: SESSION_MS / 1000 })
  return c.body(null, 204, { ...noStore, 'set-cookie': cookie })
}

async function logout(c: Context<GatewayEnv>, options: DashboardOptions): Promise<Response> {
  const { sessions, onSession } = options
  allow(c, 'POST')
  if (sessions === undefined) return c.body(null, 204, noStore)
  refuseStrangers(c)
  const { headers } = c.env.incoming
  const session = await sessions.find(headers.cookie)
  if (session === undefined) {
    throw new GatewayError('admin_key_required', 'There is no session to end.')
  }
  const presented = headers['x-csrf-token']
  if (typeof presented !== 'string' || !(await sessions.isCsrfToken(session, presented))) {
    throw new ServerError('forbidden', 'The header x-csrf-token is not the token of this session.')
  }
  sessions.end(session)
  onSession(c, 'logout')
  const cookie = sessionCookie('', { secure: isSecure(c), maxAgeS: 0 })
  return c.body(null, 204, { ...noStore, 'set-cookie': cookie })
}

async function formField(c: Context<GatewayEnv>, name: string, idleMs: number): Promise<string> {
  const type = c.env.incoming.headers['content-type'] ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    throw new ServerError(
      'unsupported_media_type',
      'The form is sent as application/x-www-form-urlencoded.',
    )
  }
  const limits: BodyLimits = { limit: MOST_FORM, idle: Math.min(idleMs, FORM_MS) }
  const exchange = c.get('exchange')
  exchange.deadlineAt = exchange.startedAt + FORM_MS
  const body = await wholeBody(c, limits)
  const value = new URLSearchParams(body.toString('utf8')).get(name)
  if (value === null) throw new ServerError('missing_field', `The form has no field "${name}".`)
  return value
}

function refuseStrangers(c: Context<GatewayEnv>): void {
  if (isOwnPage(c)) return
  throw new ServerError('forbidden', 'Only a page of this gateway may ask for this.')
}

/** Whether the browser reached us, or the proxy that speaks for it, over TLS. */
function isSecure(c: Context<GatewayEnv>): boolean {
  const { incoming } = c.env
  const told = c.get('exchange').peerTrusted ? incoming.headers['x-forwarded-proto'] : undefined
  return incoming.secure || (typeof told === 'string' && /^\s*https\s*(?:,|$)/i.test(told))
}
