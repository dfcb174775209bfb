import { ServerError } from '@tidegate/server'
import type { MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import type { GatewayEnv } from './env.ts'
import { GatewayError } from './problems.ts'
import type { Upstream } from './upstreams/upstream.ts'

/** What the health endpoints look at. */
export interface HealthSources {
  readonly version: string
  readonly upstreams: readonly Upstream[]
  /** False from the first signal on. */
  readonly ready: () => boolean
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
}

/**
 * `/livez` says that the process answers, and looks at nothing else; `/readyz` whether it should be
 * sent requests; `/health` sums up. What there is to know about components is for operators.
 */
export function health({ version, upstreams, ready, adminOnly }: HealthSources): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>()
  const components: Record<string, () => object> = {
    process: processHealth,
    ...Object.fromEntries(upstreams.map((each) => [each.name, () => upstreamHealth(each)])),
  }

  // For all methods: what can only be read here must not be written to on some upstream of a wide route.
  app.all('/livez', readOnly, (c) => c.json({ status: 'alive' }, 200, noStore))
  app.all('/readyz', readOnly, (c) =>
    ready()
      ? c.json({ status: 'ready' }, 200, noStore)
      : c.json({ status: 'draining' }, 503, { ...noStore, 'retry-after': '1' }),
  )
  app.all('/health', readOnly, (c) =>
    c.json(
      {
        status: ready() ? 'healthy' : 'unhealthy',
        version,
        timestamp: new Date().toISOString(),
        uptime_seconds: Math.round(process.uptime()),
      },
      ready() ? 200 : 503,
      noStore,
    ),
  )
  app.use('/health/*', adminOnly)
  // One pattern for all of them: a fixed name beside it would cost every request the slower router.
  app.all('/health/:component', readOnly, (c) => {
    const name = c.req.param('component')
    if (name === 'components') {
      const all = Object.entries(components).map(([each, look]) => [each, look()] as const)
      return c.json(Object.fromEntries(all), 200, noStore)
    }
    const look = Object.hasOwn(components, name) ? components[name] : undefined
    if (look === undefined) {
      throw new GatewayError('unknown_component', `There is no component "${name}".`)
    }
    return c.json({ component: name, ...look() }, 200, noStore)
  })
  return app
}

const readOnly: MiddlewareHandler<GatewayEnv> = (c, next) => {
  const { method } = c.get('exchange')
  if (method === 'GET' || method === 'HEAD') return next()
  const facts = { allow: 'GET, HEAD' }
  throw new ServerError('method_not_allowed', 'This endpoint can only be read.', { facts })
}

const noStore = { 'cache-control': 'no-store' }

function processHealth(): object {
  const { rss, heapUsed } = process.memoryUsage()
  return {
    status: 'healthy',
    checked_at: new Date().toISOString(),
    memory: { rss_bytes: rss, heap_used_bytes: heapUsed },
    node: process.version,
  }
}

/** Told from real traffic: the gateway sends nothing of its own to a paid model. */
function upstreamHealth({ traffic, protocol, endpoint, demo }: Upstream): object {
  const failing = traffic.lastFailureAt > traffic.lastAnswerAt
  return {
    status: failing ? 'degraded' : 'healthy',
    checked_at: isoOrNull(Math.max(traffic.lastAnswerAt, traffic.lastFailureAt)),
    protocol,
    endpoint: endpoint.url.host,
    demo,
    in_flight: traffic.inFlight,
    answered: traffic.answered,
    failed: traffic.failed,
    last_answer_at: isoOrNull(traffic.lastAnswerAt),
    last_failure_at: isoOrNull(traffic.lastFailureAt),
    last_failure: traffic.lastFailure ?? null,
  }
}

function isoOrNull(at: number): string | null {
  return at === 0 ? null : new Date(at).toISOString()
}
