import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { createTracing, type Tracing, type TracingOptions } from '../core/tracing/tracing.ts'
import { ChosenIds, recorderFromTracer } from './tracer-recorder.ts'

const traceId = '12345678901234567890123456789012'
const sampled = `00-${traceId}-1234567890123456-01`

function tracingWith(
  ids: ChosenIds | undefined,
  provider: TracerProviderOptions = {},
  options: TracingOptions = {},
): { readonly tracing: Tracing; readonly kept: InMemorySpanExporter } {
  const kept = new InMemorySpanExporter()
  const tracer = new TracerProvider({
    ...(ids !== undefined && { idGenerator: ids }),
    ...provider,
    spanProcessors: [new SimpleSpanProcessor({ exporter: kept })],
  }).getTracer('test')
  return { kept, tracing: createTracing({ ...options, recorder: recorderFromTracer(tracer, ids) }) }
}

describe('recorderFromTracer', () => {
  it('begins traces under the ids they were sampled by, and steps under ids of their own', () => {
    const { tracing, kept } = tracingWith(new ChosenIds())
    const requests = [tracing.begin(undefined, undefined), tracing.begin(undefined, undefined)]
    for (const request of requests) {
      request.child('step').end()
      request.end()
    }
    const spans = kept.getFinishedSpans()
    const [first, second] = requests
    expect(spans.map((span) => span.spanContext().traceId)).toEqual([
      ...[first?.traceId, first?.traceId, second?.traceId, second?.traceId],
    ])
    expect(new Set(spans.map((span) => span.spanContext().spanId)).size).toBe(4)
    expect(new Set([first?.traceId, second?.traceId]).size).toBe(2)
  })

  it('takes any tracer, under the ids that one gives', () => {
    const { tracing, kept } = tracingWith(undefined)
    const request = tracing.begin(undefined, undefined)
    request.end()
    const context = kept.getFinishedSpans()[0]?.spanContext()
    expect(context).toMatchObject({ traceId: request.traceId, spanId: request.spanId })
    // Whether an id that it made is random, we don't know.
    expect(request.traceparent).toBe(`00-${request.traceId}-${request.spanId}-01`)
  })

  it("lets the tracer's own sampler say no", () => {
    const sampler = new AlwaysOffSampler()
    const { tracing, kept } = tracingWith(new ChosenIds(), { sampler }, { respectParent: true })
    const request = tracing.begin(sampled, 'a=1')
    request.child('step').end()
    request.end()
    expect(kept.getFinishedSpans()).toEqual([])
    expect(request).toMatchObject({ traceId, sampled: false, tracestate: 'a=1' })
  })

  it('hands over times to the microsecond, across a full second', () => {
    const clock = { now: () => 0, wallClock: () => 1_700_000_000_999 }
    const { tracing, kept } = tracingWith(new ChosenIds(), {}, clock)
    tracing.begin(undefined, undefined, { startAt: 0.5 }).end({ at: 1.25 })
    const [span] = kept.getFinishedSpans()
    expect(span?.startTime).toEqual([1_700_000_000, 999_500_000])
    expect(span?.endTime[0]).toBe(1_700_000_001)
    expect(Math.abs((span?.endTime[1] ?? 0) - 250_000)).toBeLessThan(1_000)
  })

  it('leaves out what is undefined and keeps lists', () => {
    const { tracing, kept } = tracingWith(new ChosenIds())
    const request = tracing.begin(undefined, undefined, { attributes: { none: undefined, n: 1 } })
    request.set({ list: ['a'], nothing: undefined })
    request.event('seen', { none: undefined, ok: true })
    request.end()
    const [span] = kept.getFinishedSpans()
    expect(span?.attributes).toStrictEqual({ n: 1, list: ['a'] })
    expect(span?.events[0]?.attributes).toStrictEqual({ ok: true })
  })
})
