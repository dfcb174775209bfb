import { budget, concurrency, type Decision, type Rule, tokenBucket } from '@tidegate/rate-limit'
import { describe, expect, it } from 'vitest'
import { denialOf, neverOf } from './denial.ts'

function decision(rule: Rule, retryAfterMs: number): Decision {
  return {
    ...{ allowed: false, policy: 'p', limit: rule.limit, remaining: 0, retryAfterMs },
    ...{ resetMs: retryAfterMs, source: 'memory', shadow: false, rule },
  }
}

describe('denialOf', () => {
  it.each([
    [tokenBucket({ limit: 100, windowMs: 60_000 }), 250, 'rate_limit_exceeded', 250],
    [budget({ limit: 40_000, windowMs: 60_000 }), 1500, 'token_limit_exceeded', 1500],
    [concurrency({ limit: 5 }), 59_000, 'concurrency_limit_exceeded', 1000],
    [concurrency({ limit: 5 }), 100, 'concurrency_limit_exceeded', 100],
  ] as const)('of %o says why and for how long', (rule, retryAfterMs, code, told) => {
    const error = denialOf(decision(rule, retryAfterMs))
    expect(error.code).toBe(code)
    expect(error.facts.retryAfterMs).toBe(told)
  })

  it('says it in words', () => {
    const messages = [
      denialOf(decision(tokenBucket({ limit: 100, windowMs: 60_000 }), 250)),
      denialOf(decision(budget({ limit: 40_000, windowMs: 30_000 }), 61_000)),
      denialOf(decision(concurrency({ limit: 5 }), 1)),
      neverOf('free.tokens', 50_000, 40_000),
    ].map(({ message }) => message)
    expect(messages).toEqual([
      'The limit "p" of 100 requests in 1 min is used up; the next may come in 250 ms.',
      'The limit "p" of 40000 tokens in 30 s is used up; the next may come in 1.1 min.',
      'The limit "p" of 5 at a time is reached.',
      'This request may use 50000 tokens, and the limit "free.tokens" never allows more than 40000 at once.',
    ])
  })
})
