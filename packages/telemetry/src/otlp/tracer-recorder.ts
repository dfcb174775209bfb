import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { IdGenerator } from '@opentelemetry/sdk-trace'
import { newSpanId, newTraceId } from '../core/trace-context/ids.ts'
import type { TraceContext } from '../core/trace-context/trace-context.ts'
import type { SpanRecorder, SpanStart, StartedSpan } from '../core/tracing/recorder.ts'
import type { SpanAttributes } from '../core/tracing/span.ts'
import { hrTime, kinds, spanContextOf } from './span-terms.ts'

/**
 * Ids for an SDK. The first span of a trace gets the id that was chosen for it: whether a trace is
 * recorded is told from its id, so the id is there before the span.
 */
export class ChosenIds implements IdGenerator {
  chosen: string | undefined

  generateTraceId(): string {
    return this.chosen ?? newTraceId()
  }

  generateSpanId(): string {
    return newSpanId()
  }
}

/**
 * Records spans through OpenTelemetry's API, with any tracer of it. Its sampler, if it has one, decides
 * after ours; contexts are handed over explicitly, so it needs no context manager.
 *
 * @param ids of the tracer's provider, if it is to begin traces under the ids that were chosen for them
 */
export function recorderFromTracer(tracer: Tracer, ids?: ChosenIds): SpanRecorder {
  const startSpan = (start: SpanStart): Span => {
    const { kind, name, attributes, startTime, parent, link } = start
    const context = parent === undefined ? ROOT_CONTEXT : contextOf(parent, start.parentIsRemote)
    const options = {
      kind: kinds[kind],
      startTime: hrTime(startTime),
      ...(attributes !== undefined && { attributes: { ...attributes } }),
      ...(link !== undefined && { links: [{ context: spanContextOf(link, true) }] }),
    }
    return tracer.startSpan(name, options, context)
  }
  return {
    start: (start) => {
      if (ids === undefined) return new TracerSpan(startSpan(start))
      ids.chosen = start.traceId
      try {
        return new TracerSpan(startSpan(start))
      } finally {
        ids.chosen = undefined
      }
    },
  }
}

class TracerSpan implements StartedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
  readonly #span: Span

  constructor(span: Span) {
    const { traceId, spanId, traceFlags } = span.spanContext()
    this.#span = span
    this.traceId = traceId
    this.spanId = spanId
    this.sampled = (traceFlags & TraceFlags.SAMPLED) !== 0
  }

  set(attributes: SpanAttributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) this.#span.setAttribute(name, copy(value))
    }
  }

  rename(name: string): void {
    this.#span.updateName(name)
  }

  event(name: string, attributes: SpanAttributes | undefined, time: number): void {
    this.#span.addEvent(name, { ...attributes }, hrTime(time))
  }

  fail(message: string | undefined): void {
    this.#span.setStatus({
      code: SpanStatusCode.ERROR,
      ...(message !== undefined && { message }),
    })
  }

  end(time: number): void {
    this.#span.end(hrTime(time))
  }
}

function contextOf(parent: TraceContext, isRemote: boolean): Context {
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent, isRemote))
}

function copy(
  value: Exclude<SpanAttributes[string], undefined>,
): string | number | boolean | string[] {
  return typeof value === 'object' ? [...value] : value
}
