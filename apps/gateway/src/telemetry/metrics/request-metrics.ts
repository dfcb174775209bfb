import type { Exchange } from '@tidegate/server'
import {
  type CounterSeries,
  Distribution,
  type HistogramSeries,
  type Metrics,
} from '@tidegate/telemetry'
import type { RequestObserver } from '../../front.ts'
import { CLIENT_CLOSED_REQUEST, outcomeAt } from '../../logging.ts'
import type { Instruments } from './instruments.ts'
import { ownRoute } from './own-route.ts'
import { Roster } from './roster.ts'

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
  instruments: Instruments,
  topKeys: number | undefined,
): RequestMetrics {
  const { requestDuration, streamEnds } = instruments
  const found = new FoundSeries(instruments)
  const underWay = new Roster<Exchange>()
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
    begin: (c) => underWay.add(c.get('exchange')),
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
      if (own !== undefined) {
        requestDuration.series(method, route, String(status), error).record(seconds)
        return
      }
      const tier = c.get('identity')?.tier ?? ''
      const upstream = c.get('call')?.upstream.name ?? ''
      const outcome = outcomeOf(ended, status)
      const series = found.of({ method, route, status, error, upstream, tier, outcome })
      series.duration.record(seconds)
      series.requests.add()
      if (exchange.ownMs !== undefined) series.overhead().record(exchange.ownMs / 1000)
      if (exchange.stream) streamEnds.series(route, ended).add()
      if (tier !== '' && status !== 101) tierOf(tiers, tier).record(seconds)
      if (exchange.client !== undefined) callers?.add(exchange.client)
    },
  }
}

/** What a request that came to a route is counted by. */
interface RequestLabels {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly error: string
  readonly upstream: string
  readonly tier: string
  readonly outcome: string
}

/** The series of one combination of labels. */
class RequestSeries {
  readonly duration: HistogramSeries
  readonly requests: CounterSeries
  readonly #labels: RequestLabels
  readonly #instruments: Instruments
  #overhead: HistogramSeries | undefined

  constructor(labels: RequestLabels, instruments: Instruments) {
    const { method, route, status, error, upstream, tier, outcome } = labels
    this.duration = instruments.requestDuration.series(method, route, String(status), error)
    this.requests = instruments.requests.series(route, upstream, tier, outcome)
    this.#labels = labels
    this.#instruments = instruments
  }

  /** There is none yet where no request has had an answer's head. */
  overhead(): HistogramSeries {
    this.#overhead ??= this.#instruments.overhead.series(this.#labels.route)
    return this.#overhead
  }

  isOf(labels: RequestLabels): boolean {
    const own = this.#labels
    return (
      own.status === labels.status &&
      own.method === labels.method &&
      own.error === labels.error &&
      own.upstream === labels.upstream &&
      own.tier === labels.tier &&
      own.outcome === labels.outcome
    )
  }
}

/** Remembers for each route the series of its last request: nearly always the next one's, too. */
class FoundSeries {
  readonly #instruments: Instruments
  readonly #last = new Map<string, RequestSeries>()

  constructor(instruments: Instruments) {
    this.#instruments = instruments
  }

  of(labels: RequestLabels): RequestSeries {
    const last = this.#last.get(labels.route)
    if (last?.isOf(labels)) return last
    const found = new RequestSeries(labels, this.#instruments)
    this.#last.set(labels.route, found)
    return found
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
