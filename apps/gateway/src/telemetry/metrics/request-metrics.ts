import type { Exchange } from '@tidegate/server'
import { Distribution, type Metrics } from '@tidegate/telemetry'
import type { RequestObserver } from '../../front.ts'
import { CLIENT_CLOSED_REQUEST, outcomeAt } from '../../logging.ts'
import type { Instruments } from './instruments.ts'
import { ownRoute } from './own-route.ts'

/** All that a client can make up goes by one name. */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY'],
])

/** What is known of requests beside the instruments. */
export interface RequestMetrics extends RequestObserver {
  readonly active: number
  readonly activeStreams: number
  /** How long requests took in seconds, by the tier of their caller. */
  readonly tiers: ReadonlyMap<string, Distribution>
}

/** Counts and times every request, whoever answers it. `topKeys`: how many callers are told apart. */
export function requestMetrics(
  registry: Metrics,
  { requestDuration, requests, overhead, streamEnds }: Instruments,
  topKeys: number | undefined,
): RequestMetrics {
  const underWay = new Set<Exchange>()
  const tiers = new Map<string, Distribution>()
  const callers =
    topKeys === undefined
      ? undefined
      : registry.topK('tidegate_client_requests_total', {
          help: 'Requests of the busiest callers.',
          label: 'tidegate_client',
          k: topKeys,
        })
  return {
    tiers,
    get active() {
      return underWay.size
    },
    get activeStreams() {
      let streams = 0
      for (const { stream } of underWay) if (stream) streams += 1
      return streams
    },
    begin: (c) => {
      underWay.add(c.get('exchange'))
      return undefined
    },
    end: (c, end) => {
      const exchange = c.get('exchange')
      underWay.delete(exchange)
      const ended = outcomeAt(end, exchange)
      const status =
        ended === 'client_gone' ? CLIENT_CLOSED_REQUEST : exchange.status || end.statusCode
      const own = exchange.route === undefined ? ownRoute(c) : undefined
      const route = exchange.route ?? own ?? ''
      const method = METHODS.has(exchange.method) ? exchange.method : '_OTHER'
      const error = ended === 'complete' && status < 400 ? '' : errorOf(exchange, ended, status)
      const seconds = end.durationMs / 1000
      requestDuration.series(method, route, String(status), error).record(seconds)
      if (own !== undefined) return
      const tier = c.get('identity')?.tier ?? ''
      const upstream = c.get('call')?.upstream.name ?? ''
      requests.series(route, upstream, tier, outcomeOf(ended, status)).add()
      if (exchange.ownMs !== undefined) overhead.series(route).record(exchange.ownMs / 1000)
      if (exchange.stream) streamEnds.series(route, ended).add()
      if (tier !== '' && status !== 101) tierOf(tiers, tier).record(seconds)
      if (exchange.client !== undefined) callers?.add(exchange.client)
    },
  }
}

type Ended = ReturnType<typeof outcomeAt>

function errorOf({ errorCode }: Exchange, ended: Ended, status: number): string {
  return ended === 'client_gone' ? ended : (errorCode ?? String(status))
}

function outcomeOf(ended: Ended, status: number): string {
  if (ended === 'client_gone') return ended
  if (ended !== 'complete' || status >= 500) return 'server_error'
  return status >= 400 ? 'client_error' : 'success'
}

/** Tiers are those of the configuration. */
function tierOf(tiers: Map<string, Distribution>, tier: string): Distribution {
  let known = tiers.get(tier)
  if (known === undefined) {
    known = new Distribution()
    tiers.set(tier, known)
  }
  return known
}
