import type { TraceContext } from '../trace-context/trace-context.ts'
import type { SpanAttributes, SpanKind } from './span.ts'

/** A span to be recorded. All its times are milliseconds since 1970, with fractions. */
export interface SpanStart {
  readonly name: string
  readonly kind: SpanKind
  readonly startTime: number
  readonly attributes: SpanAttributes | undefined
  /** The trace and span it belongs to; absent: it is the first of a trace. */
  readonly parent: TraceContext | undefined
  /** Whether the parent is in another process. */
  readonly parentIsRemote: boolean
  /** The id that the first span of a trace is to have. A recorder that can't may give its own. */
  readonly traceId: string | undefined
  /** Another trace that led to this one. */
  readonly link: TraceContext | undefined
}

/** A span that is being recorded. */
export interface StartedSpan {
  readonly traceId: string
  readonly spanId: string
  /** False: the recorder has a sampler of its own, and that said no. */
  readonly sampled: boolean
  /** The attributes are the recorder's from now on: whoever gave them changes them no more. */
  set(attributes: SpanAttributes): void
  rename(name: string): void
  event(name: string, attributes: SpanAttributes | undefined, time: number): void
  fail(message: string | undefined): void
  end(time: number): void
}

/** Where spans of sampled traces go. The door `./otlp` makes one from OpenTelemetry's SDK. */
export interface SpanRecorder {
  start(start: SpanStart): StartedSpan
}
