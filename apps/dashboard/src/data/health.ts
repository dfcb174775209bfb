import { type RedisMemory, readRedisMemory } from './figures.ts'
import { entries, type Fields, fields, instant, list, number, text } from './wire.ts'

type Status = 'healthy' | 'degraded' | 'unhealthy' | 'unknown'
export type Breaker = 'closed' | 'open' | 'half-open' | 'off'

/** A part of the gateway that isn't an upstream. */
export interface Component {
  readonly name: string
  readonly status: Status
  /** Whether the gateway can do its work without it. */
  readonly critical: boolean
  readonly latencyMs: number | null
  readonly reason: string | null
  readonly sinceAt: number | null
  /** Since when the page has seen this status, where the gateway doesn't say. */
  readonly seenAt: number | null
  readonly memory: RedisMemory
}

/** How attempts go, at one endpoint or at all of an upstream's. */
interface Going {
  readonly status: Status
  readonly pending: number | null
  readonly attempts: number
  readonly failed: number
  readonly lastFailureAt: number | null
  readonly lastFailure: string | null
}

export interface Endpoint extends Going {
  readonly name: string
  readonly host: string
  readonly breaker: Breaker
  readonly probeInMs: number | null
  readonly p95Ms: number | null
  readonly lastAnswerAt: number | null
}

export interface Upstream extends Going {
  readonly name: string
  readonly protocol: string | null
  readonly queued: number | null
  readonly endpoints: readonly Endpoint[]
}

/** The components of `GET /health/components` that are none of these upstreams. */
export function readComponents(
  body: unknown,
  upstreams: readonly Upstream[],
): readonly Component[] {
  const all = fields(body)
  const known = new Set(upstreams.map(({ name }) => name))
  const own = 'components' in all && !('status' in fields(all.components)) ? all.components : all
  return entries(own, readComponent).filter(
    ({ name, status }) => !known.has(name) && status !== 'unknown',
  )
}

/** Remembers since when each has had the status that it has. */
export function keepSeen(
  components: readonly Component[],
  before: readonly Component[],
  now: number,
): readonly Component[] {
  return components.map((component) => {
    const { name, status } = component
    const same = before.find((each) => each.name === name && each.status === status)
    return { ...component, seenAt: same?.seenAt ?? now }
  })
}

function readComponent(name: string, component: Fields): Component {
  const details = fields(component.details)
  const issuers = list(component.issuers).map((each) => text(fields(each).last_fault))
  const reasons = [
    fields(component.error).message,
    fields(component.error).code,
    component.error,
    component.reason,
    component.message,
    ...issuers,
    component.state,
  ]
  return {
    name,
    status: readStatus(component.status),
    critical: component.critical === true,
    latencyMs: number(component.latency_ms),
    reason: reasons.map(text).find((reason) => reason !== null) ?? null,
    sinceAt: instant(component.since),
    seenAt: null,
    memory: readRedisMemory({ ...details, ...component }),
  }
}

/** `GET /health/upstreams`. */
export function readUpstreams(body: unknown): readonly Upstream[] {
  return entries(fields(body).upstreams, (name, upstream) => ({
    name,
    ...readGoing(upstream),
    protocol: text(upstream.protocol),
    queued: number(upstream.queued),
    endpoints: list(upstream.endpoints).map((each) => readEndpoint(fields(each))),
  }))
}

function readEndpoint(endpoint: Fields): Endpoint {
  return {
    name: text(endpoint.name) ?? '',
    host: text(endpoint.endpoint) ?? '',
    ...readGoing(endpoint),
    breaker: readBreaker(endpoint.breaker),
    probeInMs: number(endpoint.probe_in_ms),
    p95Ms: number(fields(endpoint.latency_ms).p95),
    lastAnswerAt: instant(endpoint.last_answer_at),
  }
}

function readGoing(of: Fields): Going {
  return {
    status: readStatus(of.status),
    pending: number(of.pending),
    attempts: number(of.attempts) ?? 0,
    failed: number(of.failed) ?? 0,
    lastFailureAt: instant(of.last_failure_at),
    lastFailure: text(of.last_failure),
  }
}

/** The state that matters most among an upstream's endpoints. */
export function worstBreaker({ endpoints }: Upstream): Breaker {
  const states = new Set(endpoints.map(({ breaker }) => breaker))
  const order: readonly Breaker[] = ['open', 'half-open', 'closed']
  return order.find((state) => states.has(state)) ?? 'off'
}

function readStatus(value: unknown): Status {
  return value === 'healthy' || value === 'degraded' || value === 'unhealthy' ? value : 'unknown'
}

function readBreaker(value: unknown): Breaker {
  return value === 'closed' || value === 'open' || value === 'half-open' ? value : 'off'
}
