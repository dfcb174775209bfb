import { type Context, type Env, Hono, type MiddlewareHandler } from 'hono'
import { HealthError } from '../core/errors.ts'
import type { Health } from '../core/health.ts'
import { HEALTH_JSON, healthJson } from '../core/health-json.ts'
import { summaryOf } from '../core/report.ts'

/** Options of {@link healthRoutes}. */
export interface HealthRoutesOptions<E extends Env = Env> {
  readonly health: Health
  /** Whether who asks may see components, errors and details. Default: nobody may. */
  readonly authorised?: ((c: Context<E>) => boolean | Promise<boolean>) | undefined
}

/**
 * `GET /livez` (always 200), `/readyz` (503 while it isn't ready), `/health` (503 while unhealthy; degraded is
 * 200) and, for the authorised, `/health/{name}`. What everybody gets says how it stands and nothing of why.
 * With `Accept: application/health+json`, `/health` is in that form.
 */
export function healthRoutes<E extends Env = Env>(options: HealthRoutesOptions<E>): Hono<E> {
  const { health, authorised = () => false } = options
  const app = new Hono<E>()
  for (const path of ['/livez', '/readyz', '/health', '/health/:name']) app.use(path, onlyRead)
  app.get('/livez', (c) => c.json(health.liveness()))
  app.get('/readyz', async (c) => {
    const { ready, status, ...names } = await health.readiness()
    const body = (await authorised(c)) ? { status, ...names } : { status }
    if (!ready) c.header('retry-after', '1')
    return c.json(body, ready ? 200 : 503)
  })
  app.get('/health', async (c) => {
    const report = await health.report()
    const status = report.status === 'unhealthy' ? 503 : 200
    const mayKnow = await authorised(c)
    if (prefersHealthJson(c.req.header('accept'))) {
      const body = JSON.stringify(healthJson(report, { authorised: mayKnow }))
      return c.body(body, status, { 'content-type': HEALTH_JSON })
    }
    return c.json(mayKnow ? report : summaryOf(report), status)
  })
  app.get('/health/:name', async (c) => {
    if (!(await authorised(c)))
      return c.json(problem(403, 'Details of health need permission.'), 403)
    const name = c.req.param('name')
    try {
      return c.json({ component: name, ...(await health.run(name)) })
    } catch (error) {
      if (!(error instanceof HealthError) || error.code !== 'unknown_check') throw error
      return c.json(problem(404, 'There is no such component.'), 404)
    }
  })
  return app
}

const onlyRead: MiddlewareHandler = async (c, next) => {
  c.header('cache-control', 'no-store')
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return await next()
  c.header('allow', 'GET, HEAD')
  return c.json(problem(405, 'This can only be read.'), 405)
}

const TITLES = { 403: 'Forbidden', 404: 'Not found', 405: 'Method not allowed' } as const

function problem(status: keyof typeof TITLES, detail: string): object {
  return { type: 'about:blank', title: TITLES[status], status, detail }
}

function prefersHealthJson(accept = ''): boolean {
  return accept
    .toLowerCase()
    .split(',')
    .some((each) => each.trim().startsWith(HEALTH_JSON))
}
