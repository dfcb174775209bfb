import { ServerError } from '@tidegate/server'
import type { MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import type { Callers } from './auth/callers.ts'
import type { SharedAnswers } from './cache/open.ts'
import { cacheHealth } from './cache/report.ts'
import type { GatewayEnv } from './env.ts'
import type { Limits } from './limits/limits.ts'
import { GatewayError } from './problems.ts'
import type { SharedRedis } from './redis.ts'
import type { Endpoint } from './upstreams/endpoint.ts'
import type { FailureLog } from './upstreams/failure-log.ts'
import type { Upstream } from './upstreams/upstream.ts'
import { refusesStreamOptions } from './usage/usage-question.ts'

/** What the health endpoints look at. */
export interface HealthSources {
  readonly version: string
  readonly upstreams: readonly Upstream[]
  readonly failureLog: FailureLog
  readonly callers: Callers
  readonly limits: Limits
  readonly redis: SharedRedis | undefined
  readonly answers: SharedAnswers | undefined
  /** False from the first signal on. */
  readonly ready: () => boolean
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
}

/**
 * `/livez` says that the process answers, and looks at nothing else; `/readyz` whether it should be
 * sent requests; `/health` sums up. What there is to know about components is for operators.
 */
export function health(sources: HealthSources): Hono<GatewayEnv> {
  const { version, upstreams, failureLog, callers, limits, redis, answers } = sources
  const { ready, adminOnly } = sources
  const app = new Hono<GatewayEnv>()
  const known = Object.fromEntries(
    upstreams.map((each) => [each.name, () => upstreamHealth(each)] as const),
  )
  const components: Components = {
    process: processHealth,
    limits: () => limits.health,
    ...(redis !== undefined && { redis: () => redis.report() }),
    ...(answers?.kept !== undefined && { cache: () => cacheHealth(answers) }),
    ...(callers.signingKeys.length > 0 && { auth: () => authHealth(callers) }),
    ...known,
  }
  // The gateway goes on without these: it is worse, and no reason to send requests elsewhere.
  const worse = (): readonly string[] => [
    ...(redis?.available === false ? ['redis'] : []),
    ...(limits.available ? [] : ['limits']),
  ]

  // For all methods: what can only be read here must not be written to on some upstream of a wide route.
  app.all('/livez', readOnly, (c) => c.json({ status: 'alive' }, 200, noStore))
  app.all('/readyz', readOnly, (c) =>
    ready()
      ? c.json(readiness(worse()), 200, noStore)
      : c.json({ status: 'draining' }, 503, { ...noStore, 'retry-after': '1' }),
  )
  app.all('/health', readOnly, (c) =>
    c.json(
      {
        status: ready() ? (worse().length > 0 ? 'degraded' : 'healthy') : 'unhealthy',
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
  app.all('/health/:component', readOnly, async (c) => {
    const name = c.req.param('component')
    if (name === 'components') return c.json(await lookAtAll(components), 200, noStore)
    if (name === 'upstreams') return c.json({ upstreams: await lookAtAll(known) }, 200, noStore)
    if (name === 'failures') return c.json({ failures: failureLog.list() }, 200, noStore)
    const look = Object.hasOwn(components, name) ? components[name] : undefined
    if (look === undefined) {
      throw new GatewayError('unknown_component', `There is no component "${name}".`)
    }
    return c.json({ component: name, ...(await look()) }, 200, noStore)
  })
  return app
}

function readiness(degraded: readonly string[]): object {
  return { status: 'ready', ...(degraded.length > 0 && { degraded }) }
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

type Components = Readonly<Record<string, () => object | Promise<object>>>

async function lookAtAll(components: Components): Promise<object> {
  const looks = Object.entries(components).map(
    async ([name, look]) => [name, await look()] as const,
  )
  return Object.fromEntries(await Promise.all(looks))
}

/** Told from real traffic: the gateway sends nothing of its own to a paid model. */
function upstreamHealth({ protocol, endpoints, bulkhead, budget, demo }: Upstream): object {
  const each = endpoints.map(endpointHealth)
  const good = each.filter(({ status }) => status === 'healthy').length
  const all = endpoints.map(({ traffic }) => traffic)
  const last = all.reduce((one, other) => (other.lastFailureAt > one.lastFailureAt ? other : one))
  return {
    status: good === each.length ? 'healthy' : good > 0 ? 'degraded' : 'unhealthy',
    checked_at: isoOrNull(
      Math.max(...all.map((one) => Math.max(one.lastAnswerAt, one.lastFailureAt))),
    ),
    protocol,
    demo,
    pending: bulkhead.active,
    queued: bulkhead.queued,
    retry_budget: Math.floor(budget.balance),
    attempts: sum(all.map(({ attempts }) => attempts)),
    answered: sum(all.map(({ answered }) => answered)),
    failed: sum(all.map(({ failed }) => failed)),
    last_failure_at: isoOrNull(last.lastFailureAt),
    last_failure: last.lastFailure ?? null,
    endpoints: each,
  }
}

function endpointHealth(endpoint: Endpoint) {
  const { label, url, weight, pending, breaker, latency, traffic } = endpoint
  const failing = traffic.lastFailureAt > traffic.lastAnswerAt
  const state = breaker?.state ?? 'off'
  return {
    name: label,
    status: failing || state === 'open' || state === 'half-open' ? 'degraded' : 'healthy',
    endpoint: url.host,
    weight,
    pending,
    breaker: state,
    ...(state === 'open' && { probe_in_ms: Math.ceil(breaker?.retryAfterMs ?? 0) }),
    attempts: traffic.attempts,
    answered: traffic.answered,
    failed: traffic.failed,
    malformed_events: traffic.malformedEvents,
    ...(refusesStreamOptions(endpoint) && { refuses_stream_options: true }),
    latency_ms: percentiles(latency),
    last_answer_at: isoOrNull(traffic.lastAnswerAt),
    last_failure_at: isoOrNull(traffic.lastFailureAt),
    last_failure: traffic.lastFailure ?? null,
  }
}

/** Times to the answer's first byte; `null` while there are too few of them. */
function percentiles(latency: Endpoint['latency']): object {
  const at = (quantile: number): number | null => {
    const ms = latency.value(quantile)
    return ms === undefined ? null : Math.round(ms * 10) / 10
  }
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

/** Whose tokens can be verified: with old keys they still can, without any nobody's. */
function authHealth({ signingKeys }: Callers): object {
  const issuers = signingKeys.map(({ issuer, keys, fetchedAt, lastFault }) => ({
    issuer,
    status: keys === 0 ? 'unhealthy' : lastFault === undefined ? 'healthy' : 'degraded',
    keys,
    fetched_at: isoOrNull(fetchedAt),
    last_fault: lastFault ?? null,
  }))
  const worst = ['unhealthy', 'degraded'].find((status) =>
    issuers.some((each) => each.status === status),
  )
  return { status: worst ?? 'healthy', checked_at: new Date().toISOString(), issuers }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

function isoOrNull(at: number): string | null {
  return at === 0 ? null : new Date(at).toISOString()
}
