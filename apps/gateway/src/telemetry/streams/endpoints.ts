import type { EventLog, LogEntry } from '@tidegate/events'
import { eventStream } from '@tidegate/events/hono'
import type { PublishedMetric } from '@tidegate/telemetry/history'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import type { GatewayEnv } from '../../env.ts'
import { type BodyLimits, wholeBody } from '../../handlers/body.ts'
import { allow } from '../../methods.ts'
import { GatewayError } from '../../problems.ts'
import { askedMetrics, askedWindow, invalidQuery } from './asked.ts'
import type { MetricStreams } from './open.ts'
import { publishOrder } from './publish-order.ts'
import { publishedMetric } from './published.ts'
import { feedEvent } from './sample-feed.ts'

/** A thousand metrics with a few tags each are less. */
const MOST_BYTES = 1024 ** 2
const MOST_ENTRIES = 1_000
const noStore = { 'cache-control': 'no-store' }

/** What the endpoints need. */
export interface StreamEndpointsOptions {
  /** Absent: the history is off. */
  readonly streams: MetricStreams | undefined
  readonly body: BodyLimits
  readonly adminOnly: MiddlewareHandler<GatewayEnv>
}

/** `POST /metrics`, `GET /metrics/stream`, `GET /metrics/published`: for operators. */
export function streamEndpoints(options: StreamEndpointsOptions): Hono<GatewayEnv> {
  const { adminOnly, body } = options
  const limits = { ...body, limit: Math.min(body.limit, MOST_BYTES) }
  const app = new Hono<GatewayEnv>()
  const withStreams =
    (answer: (c: Context<GatewayEnv>, streams: MetricStreams) => Response | Promise<Response>) =>
    (c: Context<GatewayEnv>): Response | Promise<Response> => {
      if (options.streams !== undefined) return answer(c, options.streams)
      throw new GatewayError('no_route', 'The history of metrics is off on this gateway.')
    }

  app.post(
    '/metrics',
    adminOnly,
    withStreams(async (c, { history, published, now }) => {
      const metrics = publishOrder(await wholeBody(c, limits), history, now())
      const accepted = metrics.length
      const kept = await published.publishAll(metrics)
      return c.json({ accepted, ...(kept < accepted && { kept }) }, 202, noStore)
    }),
  )
  app.all('/metrics/stream', adminOnly, reading(withStreams(sampleStream)))
  app.all('/metrics/published', adminOnly, reading(withStreams(publishedValues)))
  return app
}

/** `event: sample` each second, and whatever else is told. */
async function sampleStream(c: Context<GatewayEnv>, streams: MetricStreams): Promise<Response> {
  const { feed, onError } = streams
  const metrics = askedMetrics(queryOf(c))
  const wanted = metrics && new Set(metrics)
  const { outgoing } = c.env
  const watcher = await feed.watch(metrics)
  if (outgoing.closed) watcher.release()
  else outgoing.once('close', watcher.release)
  return eventStream(c, watcher.log, {
    signal: turnOf(c, streams),
    onError,
    toEvent: ({ data }) => {
      const told = feedEvent(data)
      if (wanted === undefined) return told
      const kept = told.event === 'sample' ? chosen(told.data, wanted) : ofMetric(told.data, wanted)
      return kept === undefined ? undefined : { event: told.event, data: kept }
    },
  })
}

/** A sample of the metrics that somebody wants; `undefined` when it has none of them. */
function chosen(sample: string, wanted: ReadonlySet<string>): string | undefined {
  const { t, values } = JSON.parse(sample)
  const kept = Object.entries(values).filter(([metric]) => wanted.has(metric))
  return kept.length === 0 ? undefined : JSON.stringify({ t, values: Object.fromEntries(kept) })
}

function ofMetric(data: string, wanted: ReadonlySet<string>): string | undefined {
  const { metric } = JSON.parse(data)
  return metric === undefined || wanted.has(metric) ? data : undefined
}

/** The stream of published values: as events from now on, or those of a window as JSON. */
function publishedValues(
  c: Context<GatewayEnv>,
  streams: MetricStreams,
): Response | Promise<Response> {
  const { now, onError } = streams
  const { log } = streams.published
  const query = queryOf(c)
  const metrics = askedMetrics(query)
  const wanted = metrics && new Set(metrics)
  const read = ({ data }: LogEntry): PublishedMetric | undefined => {
    const metric = publishedMetric(data)
    const isWanted = metric !== undefined && (wanted === undefined || wanted.has(metric.name))
    return isWanted ? metric : undefined
  }
  if (/\btext\/event-stream\b/i.test(c.env.incoming.headers.accept ?? '')) {
    return eventStream(c, log, {
      signal: turnOf(c, streams),
      onError,
      toEvent: (entry) => {
        const metric = read(entry)
        return metric && { event: 'metric', data: JSON.stringify(metric) }
      },
    })
  }
  return page(c, log, query, read, now())
}

/** Ends a reader's turn: after its time, and when the gateway begins to shut down. */
function turnOf(c: Context<GatewayEnv>, { ending, turnMs }: MetricStreams): AbortSignal {
  const turn = new AbortController()
  const end = (): void => turn.abort()
  const timer = setTimeout(end, turnMs).unref()
  if (ending.aborted) end()
  else ending.addEventListener('abort', end)
  c.env.outgoing.once('close', () => {
    clearTimeout(timer)
    ending.removeEventListener('abort', end)
  })
  return turn.signal
}

async function page(
  c: Context<GatewayEnv>,
  log: EventLog,
  query: URLSearchParams,
  readEntry: (entry: LogEntry) => PublishedMetric | undefined,
  now: number,
): Promise<Response> {
  const windowMs = askedWindow(query)
  const after = query.get('after') ?? undefined
  if (after !== undefined && !/^\d{1,16}-\d{1,16}$/.test(after)) {
    throw invalidQuery('"after" is no id of this stream.')
  }
  const { entries, gap } = await log
    .read({ lastMs: windowMs, limit: MOST_ENTRIES, ...(after !== undefined && { after }) })
    .catch((cause) => {
      throw new GatewayError('metrics_unavailable', 'The stream of metrics can not be read now.', {
        cause,
      })
    })
  const more = entries.length === MOST_ENTRIES
  return c.json(
    {
      ...{ now, window_seconds: windowMs / 1_000, gap },
      metrics: entries.flatMap((entry) => {
        const metric = readEntry(entry)
        return metric === undefined ? [] : [{ id: entry.id, ...metric }]
      }),
      next: more ? (entries.at(-1)?.id ?? null) : null,
    },
    200,
    noStore,
  )
}

function reading(answer: Handler<GatewayEnv>): Handler<GatewayEnv> {
  return (c, next) => {
    allow(c, 'GET', 'HEAD')
    return answer(c, next)
  }
}

function queryOf(c: Context<GatewayEnv>): URLSearchParams {
  return new URL(c.req.url).searchParams
}
