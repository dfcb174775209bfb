import { HEALTH_JSON, type HealthStatus } from '@tidegate/health'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { SharedAnswers } from '../cache/open.ts'
import type { GatewayEnv } from '../env.ts'
import { allow } from '../methods.ts'
import { GatewayError } from '../problems.ts'
import type { FailureLog } from '../upstreams/failure-log.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { advancedReport } from './advanced.ts'
import { lookAtAll } from './component.ts'
import { healthJsonOf } from './health-json.ts'
import type { GatewayHealth } from './open.ts'

/** What the health endpoints look at. */
export interface HealthSources {
  readonly version: string
  readonly health: GatewayHealth
  readonly upstreams: readonly Upstream[]
  readonly answers: SharedAnswers | undefined
  readonly failureLog: FailureLog
  /** False from the first signal on. */
  readonly ready: () => boolean
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
}

/**
 * `/livez` says that the process answers, and looks at nothing else; `/readyz` whether it should be
 * sent requests; `/health` sums up. What there is to know about components is for operators.
 */
export function healthEndpoints(sources: HealthSources): Hono<GatewayEnv> {
  const { version, health, ready, adminOnly } = sources
  const app = new Hono<GatewayEnv>()
  app.all('/livez', readOnly, (c) => c.json({ status: 'alive' }, 200, noStore))
  app.all('/readyz', readOnly, (c) => {
    const { failing, degraded } = health.summary()
    if (!ready()) return c.json({ status: 'draining' }, 503, soon)
    if (failing.length > 0) return c.json({ status: 'not_ready', failing }, 503, soon)
    const worse = degraded.length > 0 && { degraded }
    return c.json({ status: 'ready', ...worse }, 200, noStore)
  })
  app.all('/health', readOnly, (c) => {
    const status = statusOf(sources)
    const code = status === 'unhealthy' ? 503 : 200
    if (wantsHealthJson(c))
      return c.body(JSON.stringify(healthJsonOf(status, version)), code, asHealth)
    return c.json({ ...summaryOf(version, status) }, code, varied)
  })
  app.use('/health/*', adminOnly)
  // One pattern for all of them: a fixed name beside it would cost every request the slower router.
  app.all('/health/:component', readOnly, (c) => tell(c, c.req.param('component'), sources))
  return app
}

async function tell(
  c: Context<GatewayEnv>,
  name: string,
  sources: HealthSources,
): Promise<Response> {
  const { health, version, failureLog } = sources
  if (name === 'components') {
    const components = await lookAtAll(health.looks)
    if (!wantsHealthJson(c)) return c.json(components, 200, varied)
    const status = statusOf(sources)
    return c.body(JSON.stringify(healthJsonOf(status, version, components)), 200, asHealth)
  }
  if (name === 'upstreams') {
    return c.json({ upstreams: await lookAtAll(health.upstreams) }, 200, noStore)
  }
  if (name === 'failures') return c.json({ failures: failureLog.list() }, 200, noStore)
  if (name === 'advanced') {
    const report = await advancedReport(sources)
    return c.json({ ...summaryOf(version, statusOf(sources)), ...report }, 200, noStore)
  }
  const look = health.looks.get(name)
  if (look === undefined) {
    throw new GatewayError('unknown_component', `There is no component "${name}".`)
  }
  return c.json({ component: name, ...(await look.now()) }, 200, noStore)
}

function statusOf({ health, ready }: HealthSources): HealthStatus {
  const { failing, degraded } = health.summary()
  if (!ready() || failing.length > 0) return 'unhealthy'
  return degraded.length > 0 ? 'degraded' : 'healthy'
}

function summaryOf(version: string, status: HealthStatus): object {
  return {
    status,
    version,
    timestamp: new Date().toISOString(),
    uptime_seconds: Math.round(process.uptime()),
  }
}

const readOnly: MiddlewareHandler<GatewayEnv> = (c, next) => {
  allow(c, 'GET', 'HEAD')
  return next()
}

function wantsHealthJson(c: Context<GatewayEnv>): boolean {
  return c.env.incoming.headers.accept?.toLowerCase().includes(HEALTH_JSON) === true
}

const noStore = { 'cache-control': 'no-store' }
const soon = { ...noStore, 'retry-after': '1' }
const varied = { ...noStore, vary: 'accept' }
const asHealth = { ...varied, 'content-type': HEALTH_JSON }
