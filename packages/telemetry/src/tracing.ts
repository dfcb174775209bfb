export {
  type OtlpEnvironment,
  type OtlpSettings,
  type OtlpTargetSettings,
  otlpEnvironment,
} from './core/environment/otlp-environment.ts'
export { newSpanId, newTraceId } from './core/trace-context/ids.ts'
export {
  RANDOM,
  readTraceContext,
  SAMPLED,
  type TraceContext,
  writeTraceparent,
} from './core/trace-context/trace-context.ts'
export {
  type ClientRequest,
  clientEnding,
  clientSpan,
  routed,
  type ServerRequest,
  serverEnding,
  serverSpan,
} from './core/tracing/http-spans.ts'
export type { SpanRecorder, SpanStart, StartedSpan } from './core/tracing/recorder.ts'
export type {
  SpanAttribute,
  SpanAttributes,
  SpanEnding,
  SpanHandle,
  SpanKind,
  SpanOptions,
} from './core/tracing/span.ts'
export {
  type BeginOptions,
  createTracing,
  type Tracing,
  type TracingOptions,
} from './core/tracing/tracing.ts'
