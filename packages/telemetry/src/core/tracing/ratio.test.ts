import { ROOT_CONTEXT } from '@opentelemetry/api'
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newTraceId } from '../trace-context/ids.ts'
import { ratioSampler } from './ratio.ts'

const hex = fc.constantFrom(...'0123456789abcdef')
const traceIds = fc
  .array(hex, { minLength: 32, maxLength: 32 })
  .map((digits) => digits.join(''))
  .filter((id) => /[^0]/.test(id))

describe('ratioSampler', () => {
  it('decides as the sampler of the SDK does', () => {
    const ratios = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.01, 1))
    fc.assert(
      fc.property(traceIds, ratios, (traceId, ratio) => {
        const theirs = new TraceIdRatioBasedSampler(ratio).shouldSample(ROOT_CONTEXT, traceId)
        const isSampled = theirs.decision === SamplingDecision.RECORD_AND_SAMPLED
        expect(ratioSampler(ratio)(traceId)).toBe(isSampled)
      }),
      { numRuns: 500 },
    )
  })

  it('takes about its share of random ids', () => {
    const isSampled = ratioSampler(0.1)
    const taken = Array.from({ length: 20_000 }, newTraceId).filter(isSampled).length
    // Six standard deviations to both sides.
    expect(taken).toBeGreaterThan(1_745)
    expect(taken).toBeLessThan(2_255)
  })

  it('takes none of all with 0 and all with 1, of any ratio below and above too', () => {
    const id = 'f'.repeat(32)
    expect([-1, 0, Number.NaN].map((ratio) => ratioSampler(ratio)(id))).toEqual([
      false,
      false,
      false,
    ])
    expect([1, 2].map((ratio) => ratioSampler(ratio)(id))).toEqual([true, true])
  })
})
