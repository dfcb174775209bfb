import {
  createTraceState,
  type HrTime,
  type SpanContext,
  SpanKind,
  TraceFlags,
} from '@opentelemetry/api'
import { SAMPLED, type TraceContext } from '../core/trace-context/trace-context.ts'

/** OpenTelemetry's numbers for what a span is. */
export const kinds = {
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  server: SpanKind.SERVER,
} as const

export function spanContextOf(context: TraceContext, isRemote: boolean): SpanContext {
  const { traceId, spanId, flags, tracestate } = context
  return {
    traceId,
    spanId,
    isRemote,
    traceFlags: flags & SAMPLED ? TraceFlags.SAMPLED : TraceFlags.NONE,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  }
}

/** As seconds and nanoseconds: the SDK takes a plain number for either of two scales. */
export function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  const nanoseconds = Math.round((ms - seconds * 1_000) * 1e6)
  return nanoseconds >= 1e9 ? [seconds + 1, nanoseconds - 1e9] : [seconds, nanoseconds]
}
