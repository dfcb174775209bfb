import { describe, expect, it } from 'vitest'
import { isTelemetryError } from '../errors.ts'
import { readTraceContext } from '../trace-context/trace-context.ts'
import { KeepingRecorder } from './recorder.fixture.ts'
import { createTracing, type TracingOptions } from './tracing.ts'

const traceId = '12345678901234567890123456789012'
const sampled = `00-${traceId}-1234567890123456-03`
const unsampled = `00-${traceId}-1234567890123456-02`
const clock = { now: () => 500, wallClock: () => 1_700_000_000_000 }

function tracingTo(
  recorder: KeepingRecorder | undefined,
  options: TracingOptions = {},
): ReturnType<typeof createTracing> {
  return createTracing({ ...clock, recorder, ...options })
}

describe('createTracing', () => {
  it('refuses a ratio that is no share, saying what to give', () => {
    for (const sampleRatio of [-0.1, 1.1, Number.NaN]) {
      const create = (): unknown => createTracing({ sampleRatio })
      expect(create).toThrow(/from 0 \(no trace\) to 1/)
      expect(create).toThrow(expect.toSatisfy(isTelemetryError))
    }
  })

  describe('with a caller that is trusted', () => {
    it('goes on in a sampled trace, as a child of the caller', () => {
      const recorder = new KeepingRecorder()
      const request = tracingTo(recorder, { respectParent: true, sampleRatio: 0 }).begin(
        sampled,
        'a=1',
      )
      expect(request).toMatchObject({ traceId, sampled: true, tracestate: 'a=1' })
      expect(recorder.spans[0]?.start).toMatchObject({
        parent: { traceId, spanId: '1234567890123456', tracestate: 'a=1' },
        parentIsRemote: true,
        kind: 'server',
      })
      expect(request.spanId).not.toBe('1234567890123456')
      expect(request.traceparent).toBe(`00-${traceId}-${request.spanId}-03`)
    })

    it('records nothing of a trace that is not sampled, whatever the ratio, and carries it on', () => {
      const recorder = new KeepingRecorder()
      const request = tracingTo(recorder, { respectParent: true }).begin(unsampled, 'a=1')
      const attempt = request.child('attempt', { kind: 'client' })
      expect(recorder.spans).toEqual([])
      expect(attempt).toMatchObject({ traceId, sampled: false, tracestate: 'a=1' })
      expect(attempt.traceparent).toBe(`00-${traceId}-${attempt.spanId}-02`)
    })

    it('can be trusted for one request alone', () => {
      const tracing = tracingTo(new KeepingRecorder())
      expect(tracing.begin(sampled, undefined, { respectParent: true }).traceId).toBe(traceId)
      expect(tracing.begin(sampled, undefined).traceId).not.toBe(traceId)
    })
  })

  describe('with a caller that is not trusted', () => {
    it('begins anew without its ids, flags and tracestate, and links to its trace', () => {
      const recorder = new KeepingRecorder()
      const request = tracingTo(recorder).begin(sampled, 'a=1')
      expect(request.traceId).not.toBe(traceId)
      expect(request.tracestate).toBeUndefined()
      expect(recorder.spans[0]?.start).toMatchObject({
        parent: undefined,
        traceId: request.traceId,
        link: { traceId, spanId: '1234567890123456' },
      })
    })

    it('records no more than the ratio says, however many ask for it', () => {
      const recorder = new KeepingRecorder()
      const tracing = tracingTo(recorder, { sampleRatio: 0.01 })
      for (let count = 0; count < 10_000; count += 1) tracing.begin(sampled, undefined)
      // Six standard deviations above 100.
      expect(recorder.spans.length).toBeLessThan(160)
    })
  })

  describe('without a caller', () => {
    it('begins a trace with a random id and says so in the flags', () => {
      for (const header of [undefined, '', 'nonsense']) {
        const request = tracingTo(new KeepingRecorder()).begin(header, 'a=1')
        expect(readTraceContext(request.traceparent)).toMatchObject({ flags: 3 })
        expect(request.tracestate).toBeUndefined()
      }
      const quiet = tracingTo(new KeepingRecorder(), { sampleRatio: 0 }).begin(undefined, undefined)
      expect(readTraceContext(quiet.traceparent)).toMatchObject({ flags: 2 })
    })

    it('gives each request that goes out an id of its own, recorded or not', () => {
      for (const sampleRatio of [0, 1]) {
        const request = tracingTo(new KeepingRecorder(), { sampleRatio }).begin(
          undefined,
          undefined,
        )
        const out = [request, request.child('a'), request.child('b'), request.child('c').child('d')]
        expect(new Set(out.map(({ traceparent }) => traceparent)).size).toBe(4)
        expect(new Set(out.map((span) => span.traceId)).size).toBe(1)
        expect(out.map(({ spanId }) => spanId)).toEqual(
          out.map(({ traceparent }) => readTraceContext(traceparent)?.spanId),
        )
      }
    })
  })

  describe('without a recorder', () => {
    it("hands a trusted caller's context on as it is, so that its trace has no hole", () => {
      const request = tracingTo(undefined, { respectParent: true }).begin(sampled, 'a=1')
      expect(request.sampled).toBe(false)
      expect(request.child('attempt').traceparent).toBe(sampled)
      expect(request.child('attempt').tracestate).toBe('a=1')
    })

    it('begins a trace that is not sampled for all others', () => {
      const request = tracingTo(undefined).begin(sampled, 'a=1')
      expect(readTraceContext(request.traceparent)).toMatchObject({ flags: 2 })
      expect(request.traceId).not.toBe(traceId)
    })
  })

  it('carries the context on when the recorder samples on its own and says no', () => {
    const request = tracingTo(new KeepingRecorder(false), { respectParent: true }).begin(
      sampled,
      'a=1',
    )
    expect(request).toMatchObject({ traceId, sampled: false, tracestate: 'a=1' })
    expect(readTraceContext(request.traceparent)).toMatchObject({ flags: 2 })
  })
})

describe('SpanHandle', () => {
  it('has its times on the scale of performance.now() and records them as of the day', () => {
    const recorder = new KeepingRecorder()
    const request = tracingTo(recorder).begin(undefined, undefined, { startAt: 480.25 })
    const step = request.child('step', { startAt: 490 })
    step.event('seen', { n: 1 }, 495)
    step.end()
    request.end({ at: 510.5 })
    const [server, inner] = recorder.spans
    expect(server).toMatchObject({ start: { startTime: 1_699_999_999_980.25 } })
    expect(server?.ends).toEqual([1_700_000_000_010.5])
    expect(inner).toMatchObject({
      start: { startTime: 1_699_999_999_990 },
      ends: [1_700_000_000_000],
    })
    expect(inner?.events).toEqual([['seen', { n: 1 }, 1_699_999_999_995]])
  })

  it('nests', () => {
    const recorder = new KeepingRecorder()
    const request = tracingTo(recorder).begin(undefined, undefined)
    const attempt = request.child('attempt', { kind: 'client' })
    attempt.child('dns')
    expect(recorder.spans.map(({ start }) => start.parent?.spanId)).toEqual([
      undefined,
      request.spanId,
      attempt.spanId,
    ])
    expect(recorder.spans.map(({ start }) => start.parentIsRemote)).toEqual([true, false, false])
  })

  it('ends with an error that it names by its code, and with what is known only then', () => {
    const recorder = new KeepingRecorder()
    const request = tracingTo(recorder).begin(undefined, undefined)
    request.end({ error: 'upstream_broken', message: 'after 3 events', attributes: { n: 3 } })
    expect(recorder.spans[0]).toMatchObject({
      attributes: { 'error.type': 'upstream_broken', n: 3 },
      failure: { message: 'after 3 events' },
    })
  })

  it('does nothing after its end', () => {
    const recorder = new KeepingRecorder()
    const request = tracingTo(recorder).begin(undefined, undefined, { name: 'first' })
    request.end()
    request.end({ error: 'late' })
    request.set({ late: true })
    request.rename('late')
    request.event('late')
    expect(recorder.spans[0]).toMatchObject({ name: 'first', attributes: {}, failure: undefined })
    expect(recorder.spans[0]?.ends).toHaveLength(1)
    expect(recorder.spans[0]?.events).toEqual([])
  })

  it('takes everything and keeps nothing where the trace is not recorded', () => {
    const recorder = new KeepingRecorder()
    const request = tracingTo(recorder, { sampleRatio: 0 }).begin(undefined, undefined)
    const step = request.child('step', { attributes: { n: 1 } })
    step.set({ n: 2 })
    step.rename('other')
    step.event('seen')
    step.end({ error: 'bad' })
    request.end()
    expect(recorder.spans).toEqual([])
  })
})
