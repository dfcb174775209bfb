import { compress } from '@tidegate/server'
import type { History, Series } from '@tidegate/telemetry/history'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import type { GatewayEnv } from '../../env.ts'
import { allow } from '../../methods.ts'
import { GatewayError } from '../../problems.ts'
import { askedDuration, askedMetrics, askedWindow } from '../streams/asked.ts'
import { anomalyReport } from './anomalies.ts'
import type { KeptHistory } from './open.ts'

const noStore = { 'cache-control': 'no-store' }

export interface HistoryEndpointsOptions {
  /** Absent: it is off. */
  readonly kept: Pick<KeptHistory, 'history' | 'anomalies'> | undefined
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
  readonly compression: boolean
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** `GET /metrics/history` and `GET /metrics/anomalies`: for operators. */
export function historyEndpoints(options: HistoryEndpointsOptions): Hono<GatewayEnv> {
  const { kept, adminOnly, compression, now = Date.now } = options
  const app = new Hono<GatewayEnv>()
  if (compression) app.use('/metrics/history', compress())
  app.all('/metrics/history', adminOnly, async (c) => {
    const query = readQuery(c)
    if (kept === undefined)
      throw new GatewayError('no_route', 'The history is off on this gateway.')
    return c.json(await historyReport(kept.history, query, now()), 200, noStore)
  })
  app.all('/metrics/anomalies', adminOnly, (c) => {
    readQuery(c)
    return c.json(anomalyReport(kept?.anomalies), 200, noStore)
  })
  return app
}

/** Whatever is below `/metrics` and isn't there must not reach some upstream of a wide route. */
export const noSuchMetrics: Handler<GatewayEnv> = () => {
  throw new GatewayError('no_route', 'There is nothing of this name below /metrics.')
}

async function historyReport(
  history: History,
  query: URLSearchParams,
  now: number,
): Promise<Readonly<Record<string, unknown>>> {
  const metrics = askedMetrics(query)
  const windowMs = askedWindow(query)
  const stepMs = askedDuration(query, 'step')
  if (metrics === undefined) return { metrics: await history.names() }
  const series = await history.query({ metrics, windowMs, stepMs })
  return {
    now,
    window_seconds: windowMs / 1_000,
    step_seconds: stepOf(series, stepMs) / 1_000,
    series: series.map(({ metric, kind, unit, points }) => ({ metric, kind, unit, points })),
  }
}

/** All series of one answer have the same. */
function stepOf([first]: readonly Series[], asked = 1_000): number {
  return first?.stepMs ?? asked
}

function readQuery(c: Context<GatewayEnv>): URLSearchParams {
  allow(c, 'GET', 'HEAD')
  return new URL(c.req.url).searchParams
}
