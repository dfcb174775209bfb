import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SpanRecorder, SpanStart } from '../core/tracing/recorder.ts'
import type { SpanAttribute, SpanAttributes } from '../core/tracing/span.ts'
import { spanRecorder } from './span-recorder.ts'
import { ChosenIds, recorderFromTracer } from './tracer-recorder.ts'

const resource = resourceFromAttributes({ 'service.name': 'gate' })
const scope = 'test'

/** Ours, and the SDK's own spans with the limits that ours has. */
function recorders(): { record: SpanRecorder; ended: () => readonly ReadableSpan[] }[] {
  const noted: ReadableSpan[] = []
  const kept = new InMemorySpanExporter()
  const ids = new ChosenIds()
  const provider = new TracerProvider({
    resource,
    idGenerator: ids,
    spanLimits: { attributeValueLengthLimit: 1_024 },
    spanProcessors: [new SimpleSpanProcessor({ exporter: kept })],
  })
  return [
    {
      record: spanRecorder({ resource, scope, onEnd: (span) => noted.push(span) }),
      ended: () => noted,
    },
    {
      record: recorderFromTracer(provider.getTracer(scope), ids),
      ended: () => kept.getFinishedSpans(),
    },
  ]
}

/** All that an exporter reads, except for the span's id. */
function read(span: ReadableSpan | undefined): unknown {
  if (span === undefined) return undefined
  const { spanId: _, traceState, ...context } = span.spanContext()
  const states = [span.parentSpanContext, ...span.links.map(({ context }) => context)]
  const { name, kind, startTime, endTime, duration, ended, status, attributes } = span
  return {
    ...{ name, kind, startTime, endTime, duration, ended, status, attributes },
    traceId: context.traceId,
    sampled: context.traceFlags,
    states: [traceState, ...states.map((each) => each?.traceState)].map((state) =>
      state?.serialize(),
    ),
    parents: states.map((each) => each && [each.traceId, each.spanId, each.isRemote]),
    events: span.events.map(({ attributes, ...event }) => ({ ...event, attributes })),
    dropped: [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount],
    resource: span.resource.attributes,
    scope: span.instrumentationScope.name,
  }
}

const traceId = 'ab'.repeat(16)
const context = {
  traceId,
  spanId: '1234567890123456',
  flags: 1,
  tracestate: 'vendor=1' as string | undefined,
}
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer({ min: 1_000, max: 1_100 }).map((length) => 'x'.repeat(length)),
)
const attribute: fc.Arbitrary<SpanAttribute> = fc.oneof(
  text,
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.constant(undefined),
)
const attributes: fc.Arbitrary<SpanAttributes> = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 3 }).filter((name) => name !== '__proto__'),
  attribute,
  { maxKeys: 8 },
)
const starts: fc.Arbitrary<SpanStart> = fc.record({
  name: fc.string({ maxLength: 8 }),
  kind: fc.constantFrom('client', 'consumer', 'internal', 'producer', 'server'),
  startTime: fc.integer({ min: 1.7e12, max: 1.8e12 }).map((ms) => ms + 0.25),
  attributes: fc.option(attributes, { nil: undefined }),
  parent: fc.constantFrom(undefined, context, { ...context, tracestate: undefined }),
  parentIsRemote: fc.boolean(),
  traceId: fc.constant('cd'.repeat(16)),
  link: fc.constantFrom(undefined, context),
})
const steps = fc.array(
  fc.oneof(
    fc.record({ set: attributes }),
    fc.record({ rename: fc.string({ maxLength: 5 }) }),
    fc.record({ event: fc.string({ maxLength: 5 }), attributes, after: fc.nat(1_000) }),
    fc.record({ fail: fc.option(fc.string(), { nil: undefined }) }),
  ),
  { maxLength: 12 },
)

describe('spanRecorder', () => {
  it("says of any span what the SDK's own says", () => {
    fc.assert(
      fc.property(starts, steps, fc.integer({ min: 0, max: 5_000 }), (start, all, took) => {
        const [ours, theirs] = recorders().map(({ record, ended }) => {
          const span = record.start(start)
          for (const step of all) {
            if ('set' in step) span.set(step.set)
            else if ('rename' in step) span.rename(step.rename)
            else if ('event' in step) {
              span.event(step.event, step.attributes, start.startTime + step.after)
            } else span.fail(step.fail)
          }
          span.end(start.startTime + took)
          return read(ended()[0])
        })
        expect(ours).toEqual(theirs)
      }),
    )
  })

  it('keeps at most 128 attributes and events, and counts the others', () => {
    const [ours] = recorders()
    const span = ours?.record.start({
      ...{ name: 'many', kind: 'server', startTime: 1, attributes: undefined, parent: undefined },
      ...{ parentIsRemote: false, traceId, link: undefined },
    })
    for (let n = 0; n < 130; n += 1) {
      span?.set({ [`name ${n}`]: n })
      span?.event(`event ${n}`, undefined, 1)
    }
    span?.set({ 'name 0': 'said again' })
    span?.end(2)
    const [ended] = ours?.ended() ?? []
    expect(Object.keys(ended?.attributes ?? {})).toHaveLength(128)
    expect(ended?.attributes['name 0']).toBe('said again')
    expect(ended?.events).toHaveLength(128)
    expect(ended).toMatchObject({ droppedAttributesCount: 2, droppedEventsCount: 2 })
  })

  it('gives a span that ends before it began no time', () => {
    const [ours] = recorders()
    const start: SpanStart = {
      ...{ name: 'back', kind: 'server', startTime: 1_000, attributes: undefined },
      ...{ parent: undefined, parentIsRemote: false, traceId, link: undefined },
    }
    ours?.record.start(start).end(500)
    expect(ours?.ended()[0]).toMatchObject({ startTime: [1, 0], endTime: [1, 0], duration: [0, 0] })
  })
})
