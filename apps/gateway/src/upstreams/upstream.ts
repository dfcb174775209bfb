import { Pool } from 'undici'
import type { UpstreamSettings } from '../config/settings.ts'
import { createConnector } from './connector.ts'
import type { CredentialPlan } from './headers.ts'

/** Idle connections are kept this long unless the upstream asks for less (`Keep-Alive: timeout=`). */
const KEEP_ALIVE_MS = 30_000

/** One upstream, built once at start: its pool of connections, its paths and its credential. */
export interface Upstream extends UpstreamSettings {
  readonly pool: Pool
  readonly credentials: CredentialPlan
  /** Where a request for `path` (normalised, with its prefix stripped) goes on this upstream. */
  target(path: string, query: string): string
  /** Counted by the forwarder; read by the health endpoints. */
  readonly traffic: Traffic
}

interface Traffic {
  inFlight: number
  answered: number
  failed: number
  /** Milliseconds since the epoch; 0 = never. */
  lastAnswerAt: number
  lastFailureAt: number
  lastFailure: string | undefined
}

export function createUpstream(settings: UpstreamSettings): Upstream {
  const { url } = settings.endpoint
  return {
    ...settings,
    pool: new Pool(url.origin, {
      // One stream holds one connection: a cap here would be a queue nobody asked for.
      connections: null,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: createConnector(settings.timeouts.connect),
      // Both limits are the forwarder's own, which knows a quiet stream from a dead one.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 64 * 1024,
    }),
    credentials: { replacement: credentialHeader(settings) },
    target: targetBuilder(settings),
    traffic: {
      inFlight: 0,
      answered: 0,
      failed: 0,
      lastAnswerAt: 0,
      lastFailureAt: 0,
      lastFailure: undefined,
    },
  }
}

function credentialHeader(settings: UpstreamSettings): CredentialPlan['replacement'] {
  const key = settings.endpoint.apiKey?.reveal()
  if (key === undefined) return undefined
  return settings.protocol === 'anthropic' ? ['x-api-key', key] : ['authorization', `Bearer ${key}`]
}

/**
 * An AI endpoint is named with its version (`https://api.openai.com/v1`) and so are the routes
 * (`/v1/**`): the last segment of the one and the first of the other are the same place.
 */
function targetBuilder({ protocol, endpoint }: UpstreamSettings): Upstream['target'] {
  const base = endpoint.url.pathname.replace(/\/+$/, '')
  if (protocol === 'http') return (path, query) => (base + path || '/') + query
  const overlap = base.slice(base.lastIndexOf('/'))
  return (path, query) => {
    const rest = path.startsWith(overlap) ? path.slice(overlap.length) : undefined
    const overlaps = overlap !== '' && rest !== undefined && (rest === '' || rest[0] === '/')
    return (base + (overlaps ? rest : path) || '/') + query
  }
}
