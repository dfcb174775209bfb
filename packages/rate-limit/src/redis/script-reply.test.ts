import { describe, expect, it } from 'vitest'
import { tokenBucket } from '../core/rules.ts'
import type { BackendAsk } from './backend.ts'
import { answersOf } from './script-reply.ts'

const limit = { policy: 'bucket', rule: tokenBucket({ limit: 3, windowMs: 1_000 }) }
const take = { limit, action: 'take', amount: 1 } as const

const ask = (...wants: readonly number[]): BackendAsk => ({
  ...{ subject: 'ada', count: 1 },
  ...{ requests: wants.map(() => take), wants },
})

describe('answersOf', () => {
  it('reads verdicts and leases of all asks', () => {
    const reply = '1 1 2 0 334 1800000000123 5 250 3 0 0 17 334 1800000000123 0 2 0 334 -1'
    const [first, second] = answersOf(reply, [ask(9), ask(0, 0)])
    expect(first).toEqual({
      admitted: 1,
      leased: [{ amount: 5, ttlMs: 250 }],
      verdicts: [
        {
          ...{ allowed: true, applied: true, remaining: 2, retryAfterMs: 0, resetMs: 334 },
          ...{ stamp: 1_800_000_000_123, source: 'redis' },
        },
      ],
    })
    expect(second).toMatchObject({
      admitted: 3,
      leased: [{ amount: 0 }, { amount: 0 }],
      verdicts: [
        { allowed: false, retryAfterMs: 17, stamp: 1_800_000_000_123 },
        { allowed: true, remaining: 2, stamp: -1 },
      ],
    })
  })

  it('knows never from the largest number', () => {
    const [answer] = answersOf('0 0 9007199254740991 -1 0 -1', [ask(0)])
    expect(answer).toMatchObject({
      admitted: 0,
      leased: [{ amount: 0, ttlMs: 0 }],
      verdicts: [
        {
          ...{ allowed: false, remaining: Number.MAX_SAFE_INTEGER },
          ...{ retryAfterMs: Number.POSITIVE_INFINITY, stamp: -1 },
        },
      ],
    })
  })

  it.each([
    [undefined],
    [['1 1 2 0 334 7']],
    [Buffer.from('1 1 2 0 334 7')],
    [''],
    ['1 1 2 0 334'],
    ['1 1 2 0 334 7 8'],
    ['1 1 2 0 334 7 '],
    [' 1 1 2 0 334 7'],
    ['1  1 2 0 334 7'],
    ['1 1 2 0 3e4 7'],
    ['1 1 - 0 334 7'],
    ['1 1 2 0 334 9007199254740992'],
    ['1\n1 2 0 334 7'],
  ])('refuses %j', (reply) => {
    expect(() => answersOf(reply, [ask(0)])).toThrow(/evaluate/)
  })
})
