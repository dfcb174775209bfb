import type { Metrics } from '@tidegate/telemetry'
import type { RequestObserver } from '../../front.ts'
import { CLIENT_CLOSED_REQUEST, outcomeAt } from '../../logging.ts'
import { ownRoute } from './own-route.ts'

const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY'],
])

/** Counts and times every request, whoever answers it. */
export function requestMetrics(registry: Metrics): RequestObserver {
  const duration = registry.histogram('http_server_request_duration_seconds', {
    help: "From a request's arrival to the end of its answer.",
    unit: 'seconds',
    labels: ['http_request_method', 'http_route', 'http_response_status_code', 'error_type'],
  })
  const active = registry
    .upDownCounter('http_server_active_requests', { help: 'Requests under way.' })
    .series()
  const requests = registry.counter('tidegate_requests_total', {
    help: 'Requests on routes, by how they ended; those on no route have none.',
    labels: ['http_route', 'tidegate_upstream', 'tidegate_tier', 'outcome'],
  })
  active.set(0)
  return {
    begin: () => {
      active.add(1)
      return undefined
    },
    end: (c, end) => {
      active.add(-1)
      const exchange = c.get('exchange')
      const ended = outcomeAt(end, exchange)
      const isGone = ended === 'client_gone'
      const status = isGone ? CLIENT_CLOSED_REQUEST : exchange.status || end.statusCode
      const own = exchange.route === undefined ? ownRoute(c) : undefined
      const route = exchange.route ?? own ?? ''
      const method = METHODS.has(exchange.method) ? exchange.method : '_OTHER'
      const failed = ended !== 'complete' || status >= 400
      const error = failed ? (exchange.errorCode ?? (isGone ? ended : String(status))) : ''
      duration.series(method, route, String(status), error).record(end.durationMs / 1000)
      if (own !== undefined) return
      const outcome = isGone ? ended : outcomeOf(ended === 'complete' ? status : 500)
      const upstream = c.get('call')?.upstream.name ?? ''
      requests.series(route, upstream, c.get('identity')?.tier ?? '', outcome).add()
    },
  }
}

function outcomeOf(status: number): string {
  if (status >= 500) return 'server_error'
  return status >= 400 ? 'client_error' : 'success'
}
