/** What a span can say: no nesting, no body, no credential, no query string. */
export type SpanAttribute = string | number | boolean | readonly string[] | undefined

/** Attributes of a span by name; those that are undefined are left out. */
export type SpanAttributes = Readonly<Record<string, SpanAttribute>>

/** On which side of a call a span is; `internal`: neither. */
export type SpanKind = 'client' | 'consumer' | 'internal' | 'producer' | 'server'

/** How a span begins. */
export interface SpanOptions {
  /** Default: `internal`. */
  readonly kind?: SpanKind
  readonly attributes?: SpanAttributes
  /** Milliseconds on the scale of `performance.now()`. Default: now. */
  readonly startAt?: number
}

/** How a span ends. */
export interface SpanEnding {
  /** Milliseconds on the scale of `performance.now()`. Default: now. */
  readonly at?: number
  /**
   * What went wrong, from a small set (a code, a status): becomes `error.type`, and the span's status an
   * error. Absent: nothing did.
   */
  readonly error?: string
  /** More about the error, for people. Anything that a secret could be in doesn't belong here. */
  readonly message?: string
  /** Attributes that are known only now. */
  readonly attributes?: SpanAttributes
}

/**
 * One step of a request's trace. Where the trace is not recorded it is there all the same, and all it
 * does is carry the context on. Nothing of it throws, and after the end nothing of it does anything.
 */
export interface SpanHandle {
  /** 32 hexadecimal digits: what a log line names as `trace_id`. */
  readonly traceId: string
  /** 16 hexadecimal digits: what a log line names as `span_id`. */
  readonly spanId: string
  /** Whether the trace is recorded: whether attributes are worth computing. */
  readonly sampled: boolean
  /** The header `traceparent` of a request that is made within this span. */
  readonly traceparent: string
  /** The header `tracestate` of a request that is made within this span; undefined: none. */
  readonly tracestate: string | undefined
  /** Begins a step within this one. It is left out of the trace if it never ends. */
  child(name: string, options?: SpanOptions): SpanHandle
  set(attributes: SpanAttributes): void
  rename(name: string): void
  /**
   * Notes that something happened.
   *
   * @param at milliseconds on the scale of `performance.now()`; now by default
   */
  event(name: string, attributes?: SpanAttributes, at?: number): void
  /** Ends it and hands it to the exporter. A second end is ignored. */
  end(ending?: SpanEnding): void
}
