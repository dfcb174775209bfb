import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createRateLimiter } from '../core/rate-limiter.ts'
import { budget, concurrency, fixedWindow, tokenBucket } from '../core/rules.ts'
import {
  type RateLimitMiddlewareOptions,
  type RateLimitVariables,
  rateLimit,
} from './rate-limit.ts'

const MINUTE = 60_000

function setUp() {
  let clock = 1_800_000_000_000
  const limiter = createRateLimiter({
    policies: {
      free: tokenBucket({ limit: 2, windowMs: MINUTE }),
      pro: tokenBucket({ limit: 100, windowMs: MINUTE }),
      daily: fixedWindow({ limit: 50, windowMs: 86_400_000 }),
      tokens: budget({ limit: 1_000, windowMs: MINUTE }),
      streams: concurrency({ limit: 2 }),
    },
    now: () => clock,
  })
  const wait = (ms: number) => {
    clock += ms
  }
  return { limiter, wait }
}

type Limiter = ReturnType<typeof setUp>['limiter']
type Options = RateLimitMiddlewareOptions<'free' | 'pro' | 'daily' | 'tokens' | 'streams'>

const user = (c: Context) => c.req.header('x-user')

function appWith(limiter: Limiter, options: Partial<Options> = {}) {
  const app = new Hono()
  app.use(rateLimit({ limiter, policies: 'free', key: user, ...options }))
  app.get('/', (c) => c.text('hello'))
  app.get('/raw', () => new Response('raw', { headers: { ratelimit: '"theirs";r=1' } }))
  app.get('/fault', () => {
    throw new Error('handler')
  })
  const get = (path = '/', name = 'ada', headers: Record<string, string> = {}) =>
    app.request(path, { headers: { 'x-user': name, ...headers } })
  return { app, get }
}

describe('rateLimit', () => {
  it('tells the limits on what it allows, and on what it denies', async () => {
    const { limiter, wait } = setUp()
    const { get } = appWith(limiter)
    const allowed = await get()
    expect([allowed.status, await allowed.text()]).toEqual([200, 'hello'])
    expect(allowed.headers.get('ratelimit-policy')).toBe('"free";q=2;w=60')
    expect(allowed.headers.get('ratelimit')).toBe('"free";r=1;t=30')
    expect(allowed.headers.has('retry-after')).toBe(false)
    await get()
    const denied = await get()
    expect(denied.status).toBe(429)
    expect(denied.headers.get('ratelimit')).toBe('"free";r=0;t=30')
    expect(denied.headers.get('retry-after')).toBe('30')
    expect(denied.headers.get('retry-after-ms')).toBe('30000')
    expect((await get('/', 'grace')).status).toBe(200)
    wait(30_000)
    expect((await get()).status).toBe(200)
  })

  it('denies with a problem that is an OpenAI error as well', async () => {
    const { limiter } = setUp()
    const { get } = appWith(limiter, { policies: ['free', 'daily'] })
    await get()
    await get()
    const denied = await get('/?secret=1')
    expect(denied.headers.get('content-type')).toMatch(/^application\/json/)
    const detail = 'The limit "free" is used up. Try again in 30 s.'
    expect(await denied.json()).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Too many requests',
      status: 429,
      detail,
      instance: '/',
      code: 'rate_limit_exceeded',
      'violated-policies': ['free'],
      error: {
        message: detail,
        type: 'rate_limit_error',
        param: null,
        code: 'rate_limit_exceeded',
      },
    })
  })

  it('names the request in the problem when it has an id', async () => {
    const { limiter } = setUp()
    await limiter.check('free', 'ada', { cost: 2 })
    const app = new Hono<{ Variables: { requestId: string } }>()
    app.use(async (c, next) => {
      c.set('requestId', 'r-1')
      await next()
    })
    app.use(rateLimit({ limiter, policies: 'free', key: () => 'ada' }))
    expect(await (await app.request('/')).json()).toMatchObject({ request_id: 'r-1' })
  })

  it('runs no handler for what it denies', async () => {
    const { limiter } = setUp()
    await limiter.check('free', 'ada', { cost: 2 })
    const { app, get } = appWith(limiter)
    let called = false
    app.get('/late', (c) => {
      called = true
      return c.body(null)
    })
    expect((await get('/late')).status).toBe(429)
    expect(called).toBe(false)
  })

  it('tells the limits on responses made elsewhere, on errors and on unknown paths', async () => {
    const { limiter } = setUp()
    const { app, get } = appWith(limiter, { policies: 'pro' })
    app.onError((error, c) => c.text(error.message, 500))
    const raw = await get('/raw')
    expect([await raw.text(), raw.headers.get('ratelimit')]).toEqual(['raw', '"pro";r=99;t=1'])
    const fault = await get('/fault')
    expect([fault.status, fault.headers.get('ratelimit')]).toEqual([500, '"pro";r=98;t=1'])
    const unknown = await get('/unknown')
    expect([unknown.status, unknown.headers.get('ratelimit')]).toEqual([404, '"pro";r=97;t=1'])
  })

  it('tells several limits of one route together', async () => {
    const { limiter } = setUp()
    const { app, get } = appWith(limiter, { policies: 'pro', key: () => 'everyone' })
    app.get('/inner', rateLimit({ limiter, policies: 'free', key: user }), (c) => c.text('in'))
    const together = '"pro";q=100;w=60, "free";q=2;w=60'
    const allowed = await get('/inner')
    expect(allowed.headers.get('ratelimit-policy')).toBe(together)
    await get('/inner')
    const denied = await get('/inner')
    expect(denied.status).toBe(429)
    expect(denied.headers.get('ratelimit-policy')).toBe(together)
    expect(denied.headers.get('ratelimit')).toBe('"pro";r=97;t=1, "free";r=0;t=30')
    expect(denied.headers.get('retry-after')).toBe('30')
  })

  it('leaves what was said to the handlers', async () => {
    const { limiter } = setUp()
    const app = new Hono<{ Variables: RateLimitVariables }>()
    app.use(rateLimit({ limiter, policies: 'free', key: () => 'ada' }))
    app.get('/', (c) => c.json(c.get('rateLimit')?.remaining))
    expect(await (await app.request('/')).json()).toBe(1)
  })

  it('chooses policies and costs by the request', async () => {
    const { limiter } = setUp()
    const { get } = appWith(limiter, {
      policies: async (c) => (c.req.header('x-tier') === 'pro' ? ['pro', 'tokens'] : 'free'),
      cost: (c, policy) => (policy === 'tokens' ? Number(c.req.header('x-tokens')) : 1),
    })
    const pro = await get('/', 'ada', { 'x-tier': 'pro', 'x-tokens': '250' })
    expect(pro.headers.get('ratelimit')).toBe('"pro";r=99;t=1, "tokens";r=750;t=1')
    expect((await get()).headers.get('ratelimit')).toBe('"free";r=1;t=30')
    const two = await appWith(setUp().limiter, { cost: 2 }).get()
    expect(two.headers.get('ratelimit')).toBe('"free";r=0;t=30')
  })

  it('denies what never fits without asking anybody to wait', async () => {
    const { limiter } = setUp()
    const { get } = appWith(limiter, { cost: (c) => Number(c.req.header('x-tokens')) })
    const denied = await get('/', 'ada', { 'x-tokens': '3' })
    expect(denied.status).toBe(429)
    expect(denied.headers.get('x-should-retry')).toBe('false')
    expect(denied.headers.has('retry-after')).toBe(false)
    expect(denied.headers.get('ratelimit')).toBe('"free";r=2;t=30')
    expect(await denied.json()).toMatchObject({
      detail:
        'This request is larger than the limit "free" ever allows at once, which is 2. Ask for less.',
      'violated-policies': ['free'],
    })
  })

  it('writes the headers that are wanted, or none', async () => {
    const { limiter } = setUp()
    const openai = await appWith(limiter, { headers: { forms: ['openai'] } }).get()
    expect(openai.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    expect(openai.headers.get('x-ratelimit-reset-requests')).toBe('30s')
    expect(openai.headers.has('ratelimit')).toBe(false)
    const { get } = appWith(limiter, { headers: false })
    await get()
    const denied = await get()
    expect(denied.status).toBe(429)
    expect([...denied.headers.keys()]).toEqual(['content-type'])
  })

  it('lets the app answer denials, and adds the headers', async () => {
    const { limiter } = setUp()
    await limiter.check('free', 'ada', { cost: 2 })
    const { get } = appWith(limiter, {
      onDenied: (_, { policy, retryAfterMs }) =>
        new Response(`${policy} ${retryAfterMs}`, { status: 503 }),
    })
    const denied = await get()
    expect([denied.status, await denied.text()]).toEqual([503, 'free 30000'])
    expect(denied.headers.get('retry-after')).toBe('30')
  })

  it('skips what it is told to', async () => {
    const { limiter } = setUp()
    const { get } = appWith(limiter, { skip: async (c) => c.req.path === '/' })
    expect((await get()).headers.has('ratelimit')).toBe(false)
    expect((await get('/raw')).headers.get('ratelimit')).toBe('"free";r=1;t=30')
  })

  it.each([undefined, '', 7 as unknown as string])('has no limit to share for %j', async (key) => {
    const { limiter } = setUp()
    const { app, get } = appWith(limiter, { key: () => key })
    let told: Error | undefined
    app.onError((error, c) => {
      told = error
      return c.text('failed', 500)
    })
    expect((await get()).status).toBe(500)
    expect(told).toMatchObject({ code: 'invalid_request' })
    expect(told?.message).toMatch(/key gave nothing.*fall back.*or skip the request/)
  })

  it('refuses to be set up without a key, without policies, with unknown headers', () => {
    const { limiter } = setUp()
    const base = { limiter, policies: 'free', key: user } as const
    const missing = { ...base, key: undefined } as unknown as Options
    expect(() => rateLimit(missing)).toThrow(/key is missing. Give a function/)
    expect(() => rateLimit({ ...base, policies: [] })).toThrow(/Name at least one/)
    const forms = ['ietf'] as unknown as ['draft']
    expect(() => rateLimit({ ...base, headers: { forms } })).toThrow(/no form of headers "ietf"/)
    // @ts-expect-error the limiter knows no such policy
    rateLimit({ ...base, policies: 'fre' })
  })

  it('passes on the faults of the limiter, such as slots that nobody would give back', async () => {
    const { limiter } = setUp()
    const { app, get } = appWith(limiter, { policies: 'streams' })
    app.onError((error, c) => c.text(error.message, 500))
    expect(await (await get()).text()).toMatch(/use acquire/)
  })
})
