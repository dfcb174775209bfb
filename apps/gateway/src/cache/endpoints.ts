import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { GatewayEnv } from '../env.ts'
import type { BodyLimits } from '../handlers/body.ts'
import { wholeBody } from '../handlers/body.ts'
import { allow } from '../methods.ts'
import { GatewayError } from '../problems.ts'
import type { SharedAnswers } from './open.ts'
import { type PurgeTarget, purge, purgeTarget } from './purge.ts'
import { cacheReport } from './report.ts'
import { warmOrder } from './warm-order.ts'

/** What the endpoints of the cache need. */
export interface CacheEndpointsOptions {
  /** Absent: nothing is kept. */
  readonly answers: SharedAnswers | undefined
  /** How much memory answers may take, in bytes. */
  readonly memory: number
  readonly body: BodyLimits
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
  /** Whether whoever asks may throw away what is kept without the admin key. */
  readonly isTrusted: (c: Context<GatewayEnv>) => boolean
  /** Ends a user's sessions, and returns how many there were. */
  readonly endSessions: (user: string) => Promise<number>
  /** Told of what an operator threw away. */
  readonly onPurge: (target: PurgeTarget, removed: number) => void
}

/** `GET /cache/stats`, `DELETE /cache`, `GET` and `POST /cache/warm`: for operators. */
export function cacheEndpoints(options: CacheEndpointsOptions): Hono<GatewayEnv> {
  const { answers, memory, adminOnly, isTrusted, endSessions, onPurge } = options
  const app = new Hono<GatewayEnv>()

  const orTrusted: MiddlewareHandler<GatewayEnv> = (c, next) =>
    isTrusted(c) ? next() : adminOnly(c, next)

  app.all('/cache', orTrusted, async (c) => {
    allow(c, 'DELETE')
    const target = purgeTarget(new URL(c.req.url).searchParams)
    const removed = answers?.kept === undefined ? 0 : await purge(answers.kept, target)
    const ended = target.by === 'user' ? await endSessions(target.value) : undefined
    onPurge(target, removed)
    return c.json({ removed, ...(ended !== undefined && { sessions_ended: ended }) }, 200, noStore)
  })

  // It takes whatever is below it.
  app.all('/cache/*', adminOnly, async (c) => {
    const what = c.req.path.slice('/cache/'.length)
    if (what === 'stats') {
      allow(c, 'GET', 'HEAD')
      return c.json(await cacheReport(answers, memory), 200, noStore)
    }
    if (what !== 'warm') {
      throw new GatewayError('no_route', 'The cache has no such endpoint.')
    }
    const warmer = answers?.warmer
    if (c.get('exchange').method !== 'POST') {
      allow(c, 'GET', 'HEAD', 'POST')
      return c.json(warmer?.report ?? { last: null, budget_left: 0 }, 200, noStore)
    }
    const order = warmOrder(await wholeBody(c, options.body), warmer)
    return c.json(await order(), 200, noStore)
  })
  return app
}

const noStore = { 'cache-control': 'no-store' }
