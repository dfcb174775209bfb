import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  BulkheadFullError,
  CircuitOpenError,
  isResilienceError,
  RateLimitedError,
  TimeoutError,
} from './errors.ts'

describe('ResilienceError', () => {
  it('has a code, a name, a cause, and says whether another try may help', () => {
    const cause = new Error('deep')
    const facts = [
      new AbortedError('Left.', { cause }),
      new TimeoutError('attempt', 5, { cause }),
      new TimeoutError('total', 5, { cause }),
      new TimeoutError('queue', 5, { cause }),
      new CircuitOpenError(30, { cause }),
      new BulkheadFullError('Full.', { cause }),
      new RateLimitedError(undefined, { cause }),
    ].map((error) => [error.name, error.code, error.retryable, error.cause === cause])
    expect(facts).toEqual([
      ['AbortedError', 'aborted', false, true],
      ['TimeoutError', 'timeout', true, true],
      ['TimeoutError', 'timeout', false, true],
      ['TimeoutError', 'timeout', false, true],
      ['CircuitOpenError', 'circuit_open', true, true],
      ['BulkheadFullError', 'bulkhead_full', false, true],
      ['RateLimitedError', 'rate_limited', true, true],
    ])
  })

  it('is recognised, also when it comes from another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { code: 'x', timeline: [], retryable: true })
    expect(isResilienceError(new AbortedError('x'))).toBe(true)
    expect(isResilienceError(foreign)).toBe(true)
    for (const other of [new Error('x'), { code: 'x', timeline: [], retryable: true }, null, 'x']) {
      expect(isResilienceError(other)).toBe(false)
    }
  })
})
