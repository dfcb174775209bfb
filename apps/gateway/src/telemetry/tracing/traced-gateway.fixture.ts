import type { OtlpCollector, ReceivedSpan } from '@tidegate/testkit'
import { type ObservedGateway, observedGateway } from '../observed-gateway.fixture.ts'

export type Fields = Readonly<Record<string, unknown>>

export const clientKey = 'sk-of-ada'

/** A gateway that sends every span to the collector at once, unless it is told otherwise. */
export async function tracedGateway(
  collector: OtlpCollector | undefined,
  urls: readonly string[],
  { tracing = {}, route = {}, upstream = {}, more = {}, env = {} }: TracedOptions = {},
): Promise<ObservedGateway> {
  const upstreams = Object.fromEntries(
    urls.map((url, index) => [
      `up${index}`,
      {
        protocol: 'openai',
        endpoints: [{ url: `${url}/v1`, apiKey: 'sk-of-the-provider' }],
        breaker: 'off',
        retry: index === 0 && urls.length === 1 ? { retries: 1, initial: '1ms' } : 'off',
        ...upstream,
      },
    ]),
  )
  const endpoint = collector && { endpoint: collector.url, sample: '100%' }
  return await observedGateway(
    {
      upstreams,
      routes: [{ match: '/v1/**', upstreams: Object.keys(upstreams), auth: 'required', ...route }],
      auth: { keys: [{ id: 'ada', key: clientKey, tier: 'free' }] },
      limits: {},
      tiers: { free: { requests: '1000/1m' } },
      telemetry: { tracing: { ...endpoint, ...tracing } },
      ...more,
    },
    { OTEL_BSP_SCHEDULE_DELAY: '10', ...env },
  )
}

export interface TracedOptions {
  readonly tracing?: Fields
  readonly route?: Fields
  /** Of all of them. */
  readonly upstream?: Fields
  readonly more?: Fields
  readonly env?: Readonly<Record<string, string>>
}

/** Asks for a chat, and reads all of it. */
export async function chat(
  { url }: ObservedGateway,
  body: Fields = {},
  headers: Readonly<Record<string, string>> = {},
  path = '/v1/chat/completions',
): Promise<Response> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${clientKey}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ model: 'tide-1', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })
  await response.text()
  return response
}

/** The span of the request, and all of its trace once that has arrived. */
export async function traceOf(
  collector: OtlpCollector,
  matches: (root: ReceivedSpan) => boolean = () => true,
): Promise<Trace> {
  const root = await collector.waitForSpan((span) => span.kind === 'server' && matches(span))
  const spans = collector.spans.filter(({ traceId }) => traceId === root.traceId)
  const below = (span: ReceivedSpan): readonly ReceivedSpan[] =>
    spans.filter(({ parentSpanId }) => parentSpanId === span.spanId)
  const attempts = below(root).filter(({ kind }) => kind === 'client')
  const steps = below(root).filter(({ kind }) => kind === 'internal')
  return { root, spans, attempts, steps }
}

interface Trace {
  readonly root: ReceivedSpan
  readonly spans: readonly ReceivedSpan[]
  /** In order of their numbers. */
  readonly attempts: readonly ReceivedSpan[]
  readonly steps: readonly ReceivedSpan[]
}
