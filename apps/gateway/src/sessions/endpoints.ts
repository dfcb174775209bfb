import type { Session, Sessions } from '@tidegate/rate-limit/sessions'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import { anonymous } from '../auth/identity.ts'
import type { GatewayEnv } from '../env.ts'
import { type Gate, middlewareOf } from '../gates.ts'
import { noSuchMethod } from '../methods.ts'
import { GatewayError } from '../problems.ts'
import { clientOf, refusalOf } from './in-session.ts'
import { within } from './session-gate.ts'
import { namedUser, sessionUser } from './session-user.ts'

const SESSIONS_PATH = '/api/v1/sessions'

/** Where the endpoints are, in the router's own syntax. */
export const SESSION_PATHS = [SESSIONS_PATH, `${SESSIONS_PATH}/:session`] as const

/** What the endpoints of sessions need. */
export interface SessionEndpointsOptions {
  readonly sessions: Sessions
  /** Finds out who is calling. Absent: nobody is asked, and sessions are those of an address. */
  readonly authenticate: Gate | undefined
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
  /** What every request has to pass first. */
  readonly guards: readonly Gate[]
  /** Told what an operator ended. */
  readonly onEndedByAdmin: (user: string, ended: readonly Session[]) => void
}

/**
 * A client opens, lists and ends its own sessions with the credential that it has anyway; an operator
 * those of anybody whom `?user=` names.
 */
export function sessionEndpoints(options: SessionEndpointsOptions): Hono<GatewayEnv> {
  const { sessions, adminOnly, onEndedByAdmin } = options
  const guards = options.guards.map(middlewareOf)
  const authenticate = options.authenticate && middlewareOf(options.authenticate)
  const app = new Hono<GatewayEnv>()

  const authorise: MiddlewareHandler<GatewayEnv> = (c, next) => {
    // An id in the path may be a secret, and the log has no use for it.
    c.set('loggedPath', c.req.param('session') === undefined ? undefined : ONE)
    c.set('identity', anonymous)
    if (c.req.query('user') !== undefined) return adminOnly(c, next)
    return authenticate === undefined ? next() : authenticate(c, next)
  }

  const open = async (c: Context<GatewayEnv>, user: string): Promise<Response> => {
    const answer = await asked(sessions.open(user, { client: clientOf(c) }))
    if (!answer.allowed) throw refusalOf(answer)
    const { id, session } = answer
    const location = `${SESSIONS_PATH}/${session.handle}`
    return c.json({ id, user, ...shown(session) }, 201, { ...noStore, location })
  }

  const list = async (c: Context<GatewayEnv>, user: string): Promise<Response> => {
    const open = await asked(sessions.list(user))
    return c.json({ user, limit: sessions.maxPerUser, sessions: open.map(shown) }, 200, noStore)
  }

  const endAll = async (c: Context<GatewayEnv>, user: string): Promise<Response> => {
    const ended = await asked(sessions.endAll(user))
    if (isOperators(c)) onEndedByAdmin(user, ended)
    return c.json({ user, ended: ended.map(({ handle }) => handle) }, 200, noStore)
  }

  const find = async (c: Context<GatewayEnv>, user: string, name: string): Promise<Response> => {
    const open = await asked(sessions.list(user))
    const handle = sessions.handleOf(user, name)
    const found = open.find((each) => each.handle === name || each.handle === handle)
    if (found === undefined) throw unknown()
    return c.json({ user, ...shown(found) }, 200, noStore)
  }

  const end = async (c: Context<GatewayEnv>, user: string, name: string): Promise<Response> => {
    const ended =
      (await asked(sessions.end(user, name))) ??
      (await asked(sessions.end(user, sessions.handleOf(user, name))))
    if (ended === undefined) throw unknown()
    if (isOperators(c)) onEndedByAdmin(user, [ended])
    return c.body(null, 204)
  }

  app.use(SESSIONS_PATH, ...guards, authorise)
  app.all(SESSIONS_PATH, byMethod({ POST: open, GET: list, DELETE: endAll }))
  const one = byMethod({
    GET: (c, user) => find(c, user, nameOf(c)),
    DELETE: (c, user) => end(c, user, nameOf(c)),
  })
  app.use(`${SESSIONS_PATH}/:session`, ...guards, authorise)
  app.all(`${SESSIONS_PATH}/:session`, one)
  return app
}

const ONE = `${SESSIONS_PATH}/{session}`

type Answer = (c: Context<GatewayEnv>, user: string) => Promise<Response>

/** For all methods: what isn't answered here must not reach some upstream of a wide route. */
function byMethod(answers: Readonly<Record<string, Answer>>): Handler<GatewayEnv> {
  const methods = Object.keys(answers).flatMap((method) =>
    method === 'GET' ? ['GET', 'HEAD'] : [method],
  )
  return (c) => {
    const { method } = c.get('exchange')
    const answer = answers[method === 'HEAD' ? 'GET' : method]
    if (answer === undefined) throw noSuchMethod(methods)
    return answer(c, userOf(c))
  }
}

function userOf(c: Context<GatewayEnv>): string {
  const named = c.req.query('user')
  return named === undefined ? sessionUser(c.get('identity'), c.get('exchange')) : namedUser(named)
}

function isOperators(c: Context<GatewayEnv>): boolean {
  return c.req.query('user') !== undefined
}

function nameOf(c: Context<GatewayEnv>): string {
  const name = c.req.param('session') ?? ''
  if (name === '' || name.length > 1_024) throw unknown()
  return name
}

function unknown(): GatewayError {
  return new GatewayError('unknown_session', 'No such session of this user is open.')
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await within(answer)
  } catch (cause) {
    const message = 'The store of sessions did not answer.'
    throw new GatewayError('sessions_unavailable', message, {
      cause,
      facts: { retryAfterMs: 1_000 },
    })
  }
}

const noStore = { 'cache-control': 'no-store' }

function shown({ handle, client, createdAt, lastSeenAt, expiresAt }: Session): object {
  return {
    handle,
    client: client ?? null,
    created_at: new Date(createdAt).toISOString(),
    last_seen_at: new Date(lastSeenAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
  }
}
