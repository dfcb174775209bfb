import { invalidOption } from '../option-checks.ts'
import { newTraceId } from '../trace-context/ids.ts'
import {
  RANDOM,
  readTraceContext,
  SAMPLED,
  type TraceContext,
} from '../trace-context/trace-context.ts'
import { QuietSpan } from './quiet-span.ts'
import { ratioSampler } from './ratio.ts'
import { RecordedSpan } from './recorded-span.ts'
import type { SpanRecorder } from './recorder.ts'
import type { SpanHandle, SpanOptions } from './span.ts'

export interface TracingOptions {
  /** Where spans go. Absent: none are recorded, and the context of callers goes on untouched. */
  readonly recorder?: SpanRecorder | undefined
  /** The share of the traces begun here that is recorded: 0 (none) to 1 (all, the default). */
  readonly sampleRatio?: number
  /**
   * Whether a request that comes with a trace goes on in it, recorded if its caller records it. Default:
   * false. Anyone can send a traceparent with the sampled flag set: of callers that aren't trusted it
   * would fill the trace store, under ids they choose. Their trace ends here, and a new one begins, decided
   * by `sampleRatio`, with a link to theirs.
   */
  readonly respectParent?: boolean
  /** Milliseconds on a scale that never goes back. Default: `performance.now()`. */
  readonly now?: () => number
  /** Milliseconds since 1970. Default: `Date.now()`. */
  readonly wallClock?: () => number
}

/** How a request's trace begins. */
export interface BeginOptions extends SpanOptions {
  /** Until it is renamed to what the request turned out to be. Default: `HTTP`. */
  readonly name?: string
  /** For this request alone: one from a trusted proxy, say. */
  readonly respectParent?: boolean
}

/** Begins traces of requests. */
export interface Tracing {
  /**
   * Begins the span of a request that came in, in its caller's trace or a new one.
   *
   * @param traceparent the request's header; several of them joined by commas
   * @param tracestate the request's header; several of them joined by commas
   */
  begin(
    traceparent: string | undefined,
    tracestate: string | undefined,
    options?: BeginOptions,
  ): SpanHandle
}

/**
 * Traces the requests of a server: W3C Trace Context in and out, whether or not anything is recorded.
 *
 * @throws TelemetryError `invalid_option`: `sampleRatio` is no number from 0 to 1
 */
export function createTracing(options: TracingOptions = {}): Tracing {
  const { sampleRatio = 1 } = options
  if (!(sampleRatio >= 0 && sampleRatio <= 1)) {
    throw invalidOption(
      `sampleRatio is ${sampleRatio}; give a share from 0 (no trace) to 1 (every trace).`,
    )
  }
  return new RequestTracing(options, ratioSampler(sampleRatio))
}

class RequestTracing implements Tracing {
  readonly #recorder: SpanRecorder | undefined
  readonly #isSampled: (traceId: string) => boolean
  readonly #respectParent: boolean
  readonly #now: () => number
  readonly #wallClock: () => number

  constructor(options: TracingOptions, isSampled: (traceId: string) => boolean) {
    this.#recorder = options.recorder
    this.#isSampled = isSampled
    this.#respectParent = options.respectParent ?? false
    this.#now = options.now ?? (() => performance.now())
    this.#wallClock = options.wallClock ?? Date.now
  }

  begin(
    traceparent: string | undefined,
    tracestate: string | undefined,
    options?: BeginOptions,
  ): SpanHandle {
    const caller = traceparent === undefined ? undefined : readTraceContext(traceparent, tracestate)
    if (caller === undefined) return this.#fresh(undefined, options)
    if (options?.respectParent ?? this.#respectParent) return this.#joined(caller, options)
    return this.#fresh(caller, options)
  }

  #joined(caller: TraceContext, options: BeginOptions | undefined): SpanHandle {
    const { traceId, flags, tracestate, spanId } = caller
    const recorder = this.#recorder
    if (recorder === undefined) return new QuietSpan(traceId, flags, tracestate, spanId)
    if ((flags & SAMPLED) === 0) return new QuietSpan(traceId, flags, tracestate)
    return this.#record(recorder, { parent: caller, traceId: undefined, link: undefined }, options)
  }

  #fresh(link: TraceContext | undefined, options: BeginOptions | undefined): SpanHandle {
    const traceId = newTraceId()
    const recorder = this.#recorder
    if (recorder === undefined || !this.#isSampled(traceId)) {
      return new QuietSpan(traceId, RANDOM, undefined)
    }
    return this.#record(recorder, { parent: undefined, traceId, link }, options)
  }

  #record(
    recorder: SpanRecorder,
    origin: {
      readonly parent: TraceContext | undefined
      readonly traceId: string | undefined
      readonly link: TraceContext | undefined
    },
    options: BeginOptions | undefined,
  ): SpanHandle {
    const now = this.#now()
    const epochOffset = this.#wallClock() - now
    const started = recorder.start({
      ...origin,
      name: options?.name ?? 'HTTP',
      kind: options?.kind ?? 'server',
      startTime: (options?.startAt ?? now) + epochOffset,
      attributes: options?.attributes,
      parentIsRemote: true,
    })
    const tracestate = origin.parent?.tracestate
    const flags = origin.parent?.flags ?? (started.traceId === origin.traceId ? RANDOM : 0)
    if (!started.sampled) return new QuietSpan(started.traceId, flags, tracestate)
    return new RecordedSpan({ recorder, now: this.#now, epochOffset, flags, tracestate }, started)
  }
}
