import type { CircuitBreaker, CircuitEvent, Quantile } from '@tidegate/resilience'
import { createCircuitBreaker, createQuantile } from '@tidegate/resilience'
import { Pool } from 'undici'
import type { EndpointSettings, UpstreamSettings } from '../config/settings.ts'
import { createConnector } from './connector.ts'
import type { CredentialPlan } from './headers.ts'

/** Idle connections are kept this long unless the endpoint asks for less (`Keep-Alive: timeout=`). */
const KEEP_ALIVE_MS = 30_000

/** One address of an upstream: its connections, its credential, and how it has been doing. */
export interface Endpoint {
  /** How it is named to operators; never to clients. */
  readonly label: string
  readonly url: URL
  readonly weight: number
  readonly pool: Pool
  readonly credentials: CredentialPlan
  /** In which header the provider takes a key that tells repeats from new requests, where it does. */
  readonly idempotencyHeader: string | undefined
  readonly breaker: CircuitBreaker | undefined
  /** How often the breaker has come to each of its states. */
  readonly breakerTurns: Record<CircuitEvent['to'], number>
  /** Times from a request to its answer's first byte, in milliseconds. */
  readonly latency: Quantile
  readonly traffic: Traffic
  /** Attempts under way. */
  pending: number
  /** When it last answered only without `stream_options`, on the scale of `performance.now()`. */
  streamOptionsRefusedAt: number
  /** Where a request for `path` (normalised, with its prefix stripped) goes here. */
  target(path: string, query: string): string
}

/** Counted by the attempts; read by the health endpoints. */
interface Traffic {
  attempts: number
  answered: number
  failed: number
  /** Stream events that were passed on although their data is no JSON. */
  malformedEvents: number
  /** Milliseconds since the epoch; 0 = never. */
  lastAnswerAt: number
  lastFailureAt: number
  lastFailure: string | undefined
}

export function createEndpoint(
  upstream: UpstreamSettings,
  settings: EndpointSettings,
  index: number,
): Endpoint {
  const { url, weight } = settings
  const { breaker } = upstream
  const breakerTurns = { closed: 0, open: 0, 'half-open': 0 }
  return {
    label: upstream.endpoints.length === 1 ? upstream.name : `${upstream.name}/${index}`,
    url,
    weight,
    pool: new Pool(url.origin, {
      // One stream holds one connection: the cap is the upstream's concurrency, which queues in order.
      connections: null,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: createConnector(upstream.timeouts.connect),
      // Both limits are the attempt's own, which knows a quiet stream from a dead one.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 64 * 1024,
    }),
    credentials: { replacement: credentialHeader(upstream, settings) },
    idempotencyHeader: url.host === 'api.openai.com' ? 'idempotency-key' : undefined,
    breaker:
      breaker === undefined
        ? undefined
        : createCircuitBreaker({
            trip: { kind: 'consecutive', failures: breaker.failures },
            openForMs: breaker.openFor,
            onStateChange: ({ to }) => {
              breakerTurns[to] += 1
            },
          }),
    breakerTurns,
    latency: createQuantile(),
    traffic: {
      attempts: 0,
      answered: 0,
      failed: 0,
      malformedEvents: 0,
      lastAnswerAt: 0,
      lastFailureAt: 0,
      lastFailure: undefined,
    },
    pending: 0,
    streamOptionsRefusedAt: Number.NEGATIVE_INFINITY,
    target: targetBuilder(upstream, url),
  }
}

function credentialHeader(
  { protocol }: UpstreamSettings,
  { apiKey }: EndpointSettings,
): CredentialPlan['replacement'] {
  const key = apiKey?.reveal()
  if (key === undefined) return undefined
  return protocol === 'anthropic' ? ['x-api-key', key] : ['authorization', `Bearer ${key}`]
}

/**
 * An AI endpoint is named with its version (`https://api.openai.com/v1`) and so are the routes
 * (`/v1/**`): the last segment of the one and the first of the other are the same place.
 */
function targetBuilder({ protocol }: UpstreamSettings, url: URL): Endpoint['target'] {
  const base = url.pathname.replace(/\/+$/, '')
  if (protocol === 'http') return (path, query) => (base + path || '/') + query
  const overlap = base.slice(base.lastIndexOf('/'))
  return (path, query) => {
    const rest = path.startsWith(overlap) ? path.slice(overlap.length) : undefined
    const overlaps = overlap !== '' && rest !== undefined && (rest === '' || rest[0] === '/')
    return (base + (overlaps ? rest : path) || '/') + query
  }
}
