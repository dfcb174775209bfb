import {
  type Attributes,
  type HrTime,
  type Link,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
} from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { newSpanId, newTraceId } from '../core/trace-context/ids.ts'
import { SAMPLED } from '../core/trace-context/trace-context.ts'
import type { SpanRecorder, SpanStart, StartedSpan } from '../core/tracing/recorder.ts'
import type { SpanAttributes } from '../core/tracing/span.ts'
import { hrTime, kinds, spanContextOf } from './span-terms.ts'

/** The SDK's own bounds, save for the length of values, which it leaves open. */
const maxAttributes = 128
const maxEvents = 128
const maxText = 1_024

export interface SpanRecorderParts {
  readonly resource: Resource
  /** The instrumentation scope's name. */
  readonly scope: string
  /** Takes each span as it ends. */
  readonly onEnd: (span: ReadableSpan) => void
}

/**
 * Records spans for the SDK's exporters. While a request is served what it says is only noted down; it is put
 * together when it is exported, many at once. The SDK's own spans check and copy each attribute as it comes,
 * in code that a sampled request in a hundred never warms: 600 µs of each, in the gateway.
 */
export function spanRecorder(parts: SpanRecorderParts): SpanRecorder {
  const shared = { ...parts, scope: { name: parts.scope } }
  return { start: (start) => new NotedSpan(start, shared) }
}

interface Shared {
  readonly resource: Resource
  readonly scope: { readonly name: string }
  readonly onEnd: (span: ReadableSpan) => void
}

interface NotedEvent {
  readonly name: string
  readonly attributes: SpanAttributes | undefined
  readonly at: number
}

class NotedSpan implements StartedSpan, ReadableSpan {
  readonly traceId: string
  readonly spanId = newSpanId()
  readonly sampled = true
  readonly parentSpanContext?: SpanContext
  readonly #start: SpanStart
  readonly #shared: Shared
  readonly #said: SpanAttributes[] = []
  readonly #events: NotedEvent[] = []
  #gathered: Gathered | undefined
  #endAt = 0
  name: string
  status: SpanStatus = { code: SpanStatusCode.UNSET }
  ended = false
  droppedEventsCount = 0
  readonly droppedLinksCount = 0

  constructor(start: SpanStart, shared: Shared) {
    this.#start = start
    this.#shared = shared
    this.name = start.name
    const { parent } = start
    this.traceId = parent?.traceId ?? start.traceId ?? newTraceId()
    if (parent !== undefined) this.parentSpanContext = spanContextOf(parent, start.parentIsRemote)
    if (start.attributes !== undefined) this.#said.push(start.attributes)
  }

  set(attributes: SpanAttributes): void {
    this.#said.push(attributes)
  }

  rename(name: string): void {
    this.name = name
  }

  event(name: string, attributes: SpanAttributes | undefined, at: number): void {
    if (this.#events.length < maxEvents) this.#events.push({ name, attributes, at })
    else this.droppedEventsCount += 1
  }

  fail(message: string | undefined): void {
    const { ERROR: code } = SpanStatusCode
    this.status = message === undefined ? { code } : { code, message }
  }

  end(at: number): void {
    // A clock that was set back between the two would make it end before it began.
    this.#endAt = Math.max(at, this.#start.startTime)
    this.ended = true
    this.#shared.onEnd(this)
  }

  readonly spanContext = (): SpanContext => {
    const { traceId, spanId } = this
    const { tracestate } = this.#start.parent ?? {}
    return spanContextOf({ traceId, spanId, flags: SAMPLED, tracestate }, false)
  }

  get kind(): ReadableSpan['kind'] {
    return kinds[this.#start.kind]
  }

  get startTime(): HrTime {
    return hrTime(this.#start.startTime)
  }

  get endTime(): HrTime {
    return hrTime(this.#endAt)
  }

  get duration(): HrTime {
    return hrTime(this.#endAt - this.#start.startTime)
  }

  get links(): Link[] {
    const { link } = this.#start
    return link === undefined ? [] : [{ context: spanContextOf(link, true) }]
  }

  get events(): ReadableSpan['events'] {
    return this.#events.map(({ name, attributes, at }) => {
      const { kept, dropped } = gather(attributes === undefined ? [] : [attributes])
      return { name, time: hrTime(at), attributes: kept, droppedAttributesCount: dropped }
    })
  }

  get attributes(): Attributes {
    return this.#attributes.kept
  }

  get droppedAttributesCount(): number {
    return this.#attributes.dropped
  }

  get resource(): Resource {
    return this.#shared.resource
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.#shared.scope
  }

  /** An exporter looks more than once. */
  get #attributes(): Gathered {
    this.#gathered ??= gather(this.#said)
    return this.#gathered
  }
}

interface Gathered {
  readonly kept: Attributes
  readonly dropped: number
}

/** What was said last of a name holds. */
function gather(said: readonly SpanAttributes[]): Gathered {
  const kept = new Map<string, NonNullable<Attributes[string]>>()
  let dropped = 0
  for (const attributes of said) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) continue
      if (kept.has(name) || kept.size < maxAttributes) kept.set(name, bounded(value))
      else dropped += 1
    }
  }
  return { kept: Object.fromEntries(kept), dropped }
}

function bounded(value: NonNullable<SpanAttributes[string]>): string | number | boolean | string[] {
  if (typeof value === 'string') return value.slice(0, maxText)
  return typeof value === 'object' ? value.map((text) => text.slice(0, maxText)) : value
}
