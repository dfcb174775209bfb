import { describe, expect, it } from 'vitest'
import { InvalidRequestError, NeverAllowedError } from '../core/errors.ts'
import { createRateLimiter } from '../core/rate-limiter.ts'
import { budget, concurrency, tokenBucket } from '../core/rules.ts'
import { denialOf } from './denial.ts'

const limiterOf = () =>
  createRateLimiter({
    policies: {
      api: tokenBucket({ limit: 2, windowMs: 60_000 }),
      tokens: budget({ limit: 100, windowMs: 60_000 }),
      streams: concurrency({ limit: 1, ttlMs: 20_000 }),
      planned: tokenBucket({ limit: 1, windowMs: 60_000, shadow: true }),
    },
    now: () => 1_800_000_000_000,
  })

describe('denialOf', () => {
  it('is a problem that is an OpenAI error as well, with the limits in its headers', async () => {
    const limiter = limiterOf()
    await limiter.check('api', 'ada', { cost: 2 })
    const denial = denialOf(await limiter.check('api', 'ada'))
    const detail = 'The limit "api" is used up. Try again in 30 s.'
    expect(denial).toEqual({
      status: 429,
      headers: {
        'ratelimit-policy': '"api";q=2;w=60',
        ratelimit: '"api";r=0;t=30',
        'retry-after': '30',
        'retry-after-ms': '30000',
        'content-type': 'application/json',
      },
      body: {
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        title: 'Too many requests',
        status: 429,
        detail,
        code: 'rate_limit_exceeded',
        'violated-policies': ['api'],
        error: {
          message: detail,
          type: 'rate_limit_error',
          param: null,
          code: 'rate_limit_exceeded',
        },
      },
    })
  })

  it('names all policies that deny, but no shadow of one', async () => {
    const limiter = limiterOf()
    const ask = () => limiter.acquire('ada', ['api', 'streams', 'planned'])
    await ask()
    await limiter.check('api', 'ada')
    const { body, headers } = denialOf(await ask())
    expect(body['violated-policies']).toEqual(['api', 'streams'])
    expect(headers.ratelimit).toBe('"api";r=0;t=30, "streams";r=0')
  })

  it('says where and of which request, and nothing of a query', async () => {
    const limiter = limiterOf()
    const outcome = await limiter.block('api', 'ada', 1_000)
    const bodyOf = (instance: string) => denialOf(outcome, { instance, requestId: 'r-1' }).body
    expect(bodyOf('/a?key=secret')).toMatchObject({ instance: '/a', request_id: 'r-1' })
    expect(bodyOf('/a#x?y\n').instance).toBe('/a')
    expect(JSON.stringify(bodyOf('/a?key=\nsecret'))).not.toContain('secret')
  })

  it('writes the headers that are asked for', async () => {
    const limiter = limiterOf()
    const outcome = await limiter.block('api', 'ada', 1_500)
    expect(denialOf(outcome, { headers: { forms: ['retry-after'] } }).headers).toEqual({
      'retry-after': '2',
      'content-type': 'application/json',
    })
    expect(denialOf(outcome, { headers: false }).headers).toEqual({
      'content-type': 'application/json',
    })
    const forms = ['none'] as never
    expect(() => denialOf(outcome, { headers: { forms } })).toThrow(InvalidRequestError)
  })

  it('tells who asks for too much at once to ask for less, not to wait', async () => {
    const limiter = limiterOf()
    const error = await limiter.acquire('ada', { policy: 'tokens', cost: 101 }).catch((e) => e)
    expect(error).toBeInstanceOf(NeverAllowedError)
    const { headers, body } = denialOf(error)
    expect(headers).toEqual({ 'x-should-retry': 'false', 'content-type': 'application/json' })
    expect(body['violated-policies']).toEqual(['tokens'])
    expect(body.detail).toMatch(/"tokens" ever allows at once, which is 100/)
    const decision = await limiter.peek('tokens', 'ada')
    const never = { ...decision, allowed: false, retryAfterMs: Number.POSITIVE_INFINITY }
    expect(denialOf(never).body).toEqual(body)
    expect(denialOf(never).headers).toMatchObject({
      ratelimit: '"tokens";r=100;t=1',
      'x-should-retry': 'false',
    })
  })
})
