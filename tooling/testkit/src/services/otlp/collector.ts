import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { keepPort } from '../../net/kept-port.ts'
import { Journal } from '../../process/waiting.ts'
import { decodeMetrics, decodeSpans, type ReceivedMetric, type ReceivedSpan } from './telemetry.ts'

/**
 * What the collector does with an export: `up` takes it; `refuse`: nobody listens; `hang`: it is read and
 * never answered; a status: it is answered with that and not kept.
 */
export type CollectorMode =
  | 'up'
  | 'refuse'
  | 'hang'
  | { readonly status: number; readonly retryAfterSeconds?: number }

/** One request that arrived, whatever became of it. */
export interface ReceivedExport {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Decompressed. */
  readonly body: Buffer
}

/** Takes OTLP over HTTP in protobuf at `/v1/traces` and `/v1/metrics`, decoded. */
export interface OtlpCollector extends AsyncDisposable {
  /** The endpoint without `/v1/…`, as in `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string
  readonly exports: readonly ReceivedExport[]
  readonly spans: readonly ReceivedSpan[]
  /** Each export's, so that of the same name the last is the newest. */
  readonly metrics: readonly ReceivedMetric[]
  /** The first span, past or future, that matches. */
  readonly waitForSpan: (
    matches: (span: ReceivedSpan) => boolean,
    timeoutMs?: number,
  ) => Promise<ReceivedSpan>
  /** The first metric, past or future, that matches. */
  readonly waitForMetric: (
    matches: (metric: ReceivedMetric) => boolean,
    timeoutMs?: number,
  ) => Promise<ReceivedMetric>
  /** The first export, past or future, that matches. */
  readonly waitForExport: (
    matches: (received: ReceivedExport) => boolean,
    timeoutMs?: number,
  ) => Promise<ReceivedExport>
  readonly behave: (mode: CollectorMode) => Promise<void>
}

const contentType = 'application/x-protobuf'

/** Starts a collector on 127.0.0.1. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const exports = new Journal<ReceivedExport>('export')
  const spans = new Journal<ReceivedSpan>('span')
  const metrics = new Journal<ReceivedMetric>('metric')
  let mode: CollectorMode = 'up'

  const keep = ({ path, headers, body }: ReceivedExport): number => {
    if (headers['content-type'] !== contentType) return 415
    if (path === '/v1/traces') for (const span of decodeSpans(body)) spans.push(span)
    else if (path === '/v1/metrics') for (const metric of decodeMetrics(body)) metrics.push(metric)
    else return 404
    return 200
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const raw = await buffer(request)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
    const received = { path: request.url ?? '', headers: request.headers, body }
    exports.push(received)
    if (mode === 'hang') return
    if (typeof mode === 'object') {
      if (mode.retryAfterSeconds !== undefined) {
        response.setHeader('retry-after', mode.retryAfterSeconds)
      }
      response.writeHead(mode.status).end()
      return
    }
    // An empty message: everything was taken.
    response.writeHead(keep(received), { 'content-type': contentType }).end()
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error))
    })
  })
  const listener = await keepPort(server)
  return {
    url: `http://127.0.0.1:${listener.port}`,
    exports: exports.items,
    spans: spans.items,
    metrics: metrics.items,
    waitForSpan: async (matches, timeoutMs) => await spans.waitFor(matches, timeoutMs),
    waitForMetric: async (matches, timeoutMs) => await metrics.waitFor(matches, timeoutMs),
    waitForExport: async (matches, timeoutMs) => await exports.waitFor(matches, timeoutMs),
    behave: async (next) => {
      mode = next
      await (next === 'refuse' ? listener.stop() : listener.start())
    },
    [Symbol.asyncDispose]: async () => await listener[Symbol.asyncDispose](),
  }
}
