import { newSpanId, newTraceId } from '../trace-context/ids.ts'
import type { SpanRecorder, SpanStart, StartedSpan } from './recorder.ts'
import type { SpanAttributes } from './span.ts'

/** Everything that was told of one span. */
export interface KeptSpan {
  readonly start: SpanStart
  readonly traceId: string
  readonly spanId: string
  name: string
  attributes: SpanAttributes
  readonly events: (readonly [name: string, attributes: SpanAttributes | undefined, time: number])[]
  failure: { readonly message: string | undefined } | undefined
  /** Each time it was ended. */
  readonly ends: number[]
}

/** Keeps spans in memory. */
export class KeepingRecorder implements SpanRecorder {
  readonly spans: KeptSpan[] = []
  readonly #sampled: boolean

  constructor(sampled = true) {
    this.#sampled = sampled
  }

  start(start: SpanStart): StartedSpan {
    const kept: KeptSpan = {
      start,
      traceId: start.parent?.traceId ?? start.traceId ?? newTraceId(),
      spanId: newSpanId(),
      name: start.name,
      attributes: { ...start.attributes },
      events: [],
      failure: undefined,
      ends: [],
    }
    this.spans.push(kept)
    return {
      traceId: kept.traceId,
      spanId: kept.spanId,
      sampled: this.#sampled,
      set: (attributes) => {
        kept.attributes = { ...kept.attributes, ...attributes }
      },
      rename: (name) => {
        kept.name = name
      },
      event: (...event) => kept.events.push(event),
      fail: (message) => {
        kept.failure = { message }
      },
      end: (time) => kept.ends.push(time),
    }
  }
}
