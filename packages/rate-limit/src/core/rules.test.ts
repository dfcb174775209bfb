import { describe, expect, it } from 'vitest'
import { isRateLimitError, NeverAllowedError } from './errors.ts'
import { limiterKey } from './limiter-key.ts'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from './rules.ts'

describe('rules', () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5' as unknown as number])(
    'refuse a limit of %s',
    (limit) => {
      for (const make of [tokenBucket, slidingWindow, fixedWindow, budget]) {
        expect(() => make({ limit, windowMs: 1_000 })).toThrow(/limit must be a whole number/)
      }
      expect(() => concurrency({ limit })).toThrow(/limit must be a whole number/)
      expect(() => tokenBucket({ limit: 1, windowMs: limit })).toThrow(/windowMs/)
      expect(() => concurrency({ limit: 1, ttlMs: limit })).toThrow(/ttlMs/)
    },
  )

  it('refuse a shadow that is no boolean, and would make a limit that never denies', () => {
    const shadow = 'false' as unknown as boolean
    expect(() => tokenBucket({ limit: 1, windowMs: 1_000, shadow })).toThrow(/shadow must be/)
    expect(() => concurrency({ limit: 1, shadow })).toThrow(/shadow must be/)
  })

  it.each([null, 'fast', {}, { maxOvershoot: '0.5' }, { maxOvershoot: 2 }])(
    'refuse a precision of %j',
    (precision) => {
      expect(() =>
        tokenBucket({ limit: 1, windowMs: 1_000, precision: precision as 'exact' }),
      ).toThrow(/precision must be/)
    },
  )

  it('fill in what was left out, and cannot be changed', () => {
    const rule = budget({ limit: 5, windowMs: 1_000 })
    expect(rule).toMatchObject({ kind: 'budget', burst: 5, ttlMs: 600_000, shadow: false })
    expect(Object.isFrozen(rule)).toBe(true)
  })

  it('refuse a bucket that would have to be rounded, and take round ones of any size', () => {
    expect(() => tokenBucket({ limit: 999_999_937, windowMs: 86_400_000 })).toThrow(/exactly/)
    expect(tokenBucket({ limit: 1_000_000_000, windowMs: 86_400_000 }).burst).toBe(1_000_000_000)
  })
})

describe('limiterKey', () => {
  const limit = { policy: 'tokens', rule: tokenBucket({ limit: 5, windowMs: 1_000 }) }

  it('shows the policy, and of the subject only a hash in the slot tag', () => {
    const key = limiterKey('{evil}:user@example.com\n', limit)
    expect(key).toMatch(/^tidegate:limit:1:\{[\w-]{22}\}:tokens:[\w-]{8}$/)
  })

  it('puts all policies of a subject under one tag, and other numbers under another key', () => {
    const shadow = { ...limit, rule: tokenBucket({ limit: 5, windowMs: 1_000, shadow: true }) }
    const other = { ...limit, rule: tokenBucket({ limit: 6, windowMs: 1_000 }) }
    expect(limiterKey('ada', shadow)).toBe(limiterKey('ada', limit))
    expect(limiterKey('ada', other)).not.toBe(limiterKey('ada', limit))
    expect(limiterKey('ada', other).split(':')[3]).toBe(limiterKey('ada', limit).split(':')[3])
    expect(limiterKey('bob', limit)).not.toBe(limiterKey('ada', limit))
  })
})

describe('isRateLimitError', () => {
  it('recognises errors by their code', () => {
    expect(isRateLimitError(new NeverAllowedError('p', 2, 1))).toBe(true)
    expect(isRateLimitError(Object.assign(new Error('x'), { code: 'never_allowed' }))).toBe(true)
    expect(isRateLimitError(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe(false)
    expect(isRateLimitError({ code: 'never_allowed' })).toBe(false)
  })
})
