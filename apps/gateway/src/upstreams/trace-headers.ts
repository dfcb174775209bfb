import type { SpanHandle } from '@tidegate/telemetry/tracing'

/** The W3C trace context of a request that is made within a span: flat header pairs. */
export function traceHeadersOf(span: SpanHandle | undefined): readonly string[] | undefined {
  if (span === undefined) return undefined
  const { traceparent, tracestate } = span
  return tracestate === undefined
    ? ['traceparent', traceparent]
    : ['traceparent', traceparent, 'tracestate', tracestate]
}
