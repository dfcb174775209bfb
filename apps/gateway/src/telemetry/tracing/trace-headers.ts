import type { SpanHandle } from '@tidegate/telemetry/tracing'

/** The W3C trace context of a request that is made within a span: flat header pairs. */
export function traceHeadersOf({ traceparent, tracestate }: SpanHandle): readonly string[] {
  return tracestate === undefined
    ? ['traceparent', traceparent]
    : ['traceparent', traceparent, 'tracestate', tracestate]
}
