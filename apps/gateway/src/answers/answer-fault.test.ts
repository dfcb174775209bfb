import { DeadlineExceeded, isServerError, ServerError } from '@tidegate/server'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../problems.ts'
import { answerFaultOf, RefusedAnswer } from './answer-fault.ts'

/** As a recorder in another process would have given it. */
const elsewhere = (cause: unknown): unknown => JSON.parse(JSON.stringify(cause))

describe('answerFaultOf', () => {
  it.each([
    new GatewayError('upstream_overloaded', 'Full.', { facts: { retryAfterMs: 1500 } }),
    new DeadlineExceeded({ hop: 'upstream openai', limitMs: 100 }),
    new ServerError('missing_field', 'No model.', { param: 'model' }),
  ])('gives the same error here and elsewhere: $code', (error) => {
    const fault = new RefusedAnswer(error, ['x-tidegate-attempts', '2'])
    for (const cause of [fault, elsewhere(fault)]) {
      const told = answerFaultOf(cause)
      if (told?.kind !== 'refused') throw new Error('not refused')
      expect(told.code).toBe(error.code)
      expect(told.headers).toEqual(['x-tidegate-attempts', '2'])
      expect(told.forOther()).toMatchObject({
        ...{ code: error.code, message: error.message, facts: error.facts, param: error.param },
      })
    }
  })

  it('tells nobody else of a cause, nor what was behind a fault of ours', () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.1:443')
    const refused = new RefusedAnswer(new GatewayError('upstream_reset', 'Gone.', { cause }), [])
    expect(refused.forOther().cause).toBeUndefined()
    expect(JSON.stringify(refused)).not.toContain('10.0.0.1')
    const unforeseen = new RefusedAnswer(cause, [])
    expect(unforeseen.code).toBe('internal_error')
    expect(JSON.stringify(unforeseen)).not.toContain('10.0.0.1')
    const told = answerFaultOf(elsewhere(unforeseen))
    if (told?.kind !== 'refused') throw new Error('not refused')
    expect(isServerError(told.forOther())).toBe(false)
    expect(told.forOther().message).not.toContain('10.0.0.1')
  })

  it('takes what it does not know for no fault that it could tell', () => {
    for (const cause of [undefined, null, 'x', 1, {}, { kind: 'other' }, new Error('x')]) {
      expect(answerFaultOf(cause)).toBeUndefined()
    }
  })
})
