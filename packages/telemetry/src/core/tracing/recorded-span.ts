import { RANDOM, SAMPLED, writeTraceparent } from '../trace-context/trace-context.ts'
import type { SpanRecorder, StartedSpan } from './recorder.ts'
import type { SpanAttributes, SpanEnding, SpanHandle, SpanOptions } from './span.ts'

/** What all spans of one request share. */
export interface TraceScope {
  readonly recorder: SpanRecorder
  /** Milliseconds on the scale of `performance.now()`. */
  readonly now: () => number
  /** From that scale to milliseconds since 1970; one for the whole trace, so that its steps stay in order. */
  readonly epochOffset: number
  readonly flags: number
  readonly tracestate: string | undefined
}

/** A span that is recorded. */
export class RecordedSpan implements SpanHandle {
  readonly traceId: string
  readonly spanId: string
  readonly traceparent: string
  readonly #scope: TraceScope
  readonly #span: StartedSpan
  #hasEnded = false

  constructor(scope: TraceScope, span: StartedSpan) {
    this.#scope = scope
    this.#span = span
    this.traceId = span.traceId
    this.spanId = span.spanId
    const flags = (scope.flags & RANDOM) | SAMPLED
    this.traceparent = writeTraceparent({ traceId: this.traceId, spanId: this.spanId, flags })
  }

  get sampled(): boolean {
    return true
  }

  get tracestate(): string | undefined {
    return this.#scope.tracestate
  }

  child(name: string, options: SpanOptions = {}): SpanHandle {
    const { recorder, flags, tracestate } = this.#scope
    const { traceId, spanId } = this
    const started = recorder.start({
      name,
      kind: options.kind ?? 'internal',
      startTime: this.#time(options.startAt),
      attributes: options.attributes,
      parent: { traceId, spanId, flags: flags | SAMPLED, tracestate },
      parentIsRemote: false,
      traceId: undefined,
      link: undefined,
    })
    return new RecordedSpan(this.#scope, started)
  }

  set(attributes: SpanAttributes): void {
    if (!this.#hasEnded) this.#span.set(attributes)
  }

  rename(name: string): void {
    if (!this.#hasEnded) this.#span.rename(name)
  }

  event(name: string, attributes?: SpanAttributes, at?: number): void {
    if (!this.#hasEnded) this.#span.event(name, attributes, this.#time(at))
  }

  end(ending: SpanEnding = {}): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (ending.attributes !== undefined) this.#span.set(ending.attributes)
    if (ending.error !== undefined) {
      this.#span.set({ 'error.type': ending.error })
      this.#span.fail(ending.message)
    }
    this.#span.end(this.#time(ending.at))
  }

  #time(at: number = this.#scope.now()): number {
    return at + this.#scope.epochOffset
  }
}
