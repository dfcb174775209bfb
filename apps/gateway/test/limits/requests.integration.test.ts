import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, health, limitedGateway, limitsTold, statuses } from './limited-gateway.ts'

const proxied = { trustedProxies: ['127.0.0.1'], guard: { rate: '1/1h', burst: 25 } }

let provider: Provider
let gateway: RunningGateway
let checking: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await limitedGateway(provider, {
    limits: {
      'per-ip': { by: 'ip', rate: '20/1h' },
      'per-key': { by: 'key', rate: '10/1h', algorithm: 'sliding-window' },
      'per-user': { by: 'user', rate: '12/1h', shadow: true },
    },
    tiers: {
      free: { requests: '3/1h' },
      default: { requests: '5/1h', burst: 4 },
      staff: {},
    },
    names: ['per-ip', 'per-key', 'per-user', 'tier'],
    keys: { ada: 'free', bob: undefined, eve: 'staff' },
    server: proxied,
  })
  checking = await limitedGateway(provider, {
    limits: { few: { by: 'ip', rate: '2/1h' } },
    names: ['few'],
    route: { validate: { required: ['model'] } },
  })
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await checking?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

describe('a limited route', () => {
  it('lets a caller have what its tier allows, from wherever it calls', async () => {
    expect(await statuses(gateway, 2, { as: 'ada', from: '192.0.2.1' })).toEqual([200, 200])
    expect(await statuses(gateway, 2, { as: 'ada', from: '192.0.2.2' })).toEqual([200, 429])
  })

  it('counts callers without a tier, and those without a key by address, in the tier default', async () => {
    const denied = [200, 200, 200, 200, 429]
    expect(await statuses(gateway, 5, { as: 'bob', from: '192.0.2.3' })).toEqual(denied)
    expect(await statuses(gateway, 5, { from: '192.0.2.4' })).toEqual(denied)
    expect(await statuses(gateway, 1, { from: '192.0.2.5' })).toEqual([200])
  })

  it('takes nothing from any limit when one of them denies', async () => {
    const before = await ask(gateway, { as: 'eve', from: '192.0.2.6' })
    expect(limitsTold(before)['per-ip']).toMatchObject({ q: 20, r: 19 })
    await statuses(gateway, 4, { from: '192.0.2.6' })
    await statuses(gateway, 5, { from: '192.0.2.6' })
    const after = await ask(gateway, { as: 'eve', from: '192.0.2.6' })
    // 20, less the two of eve and the four that passed without a key.
    expect(limitsTold(after)['per-ip']?.r).toBe(14)
  })

  it('counts a /56 network of IPv6 as one address, and an IPv4 address in it as itself', async () => {
    expect(await statuses(gateway, 4, { from: '2001:db8:0:1::1' })).toEqual([200, 200, 200, 200])
    expect(await statuses(gateway, 1, { from: '2001:db8:0:ff::9' })).toEqual([429])
    expect(await statuses(gateway, 1, { from: '2001:db8:0:100::1' })).toEqual([200])
    expect(await statuses(gateway, 4, { from: '::ffff:192.0.2.7' })).toEqual([200, 200, 200, 200])
    expect(await statuses(gateway, 1, { from: '192.0.2.7' })).toEqual([429])
  })

  it('tells what is left in fields that a parser of structured fields reads', async () => {
    const response = await ask(gateway, { as: 'eve', from: '192.0.2.8' })
    expect(limitsTold(response)).toMatchObject({
      'per-ip': { q: 20, w: 3600, r: 19 },
      'per-key': { q: 10, w: 3600 },
    })
    // What only reports isn't told.
    expect(limitsTold(response)).not.toHaveProperty('per-user')
    expect(response.headers.get('x-ratelimit-limit-requests')).toMatch(/^\d+$/)
    expect(response.headers.get('x-ratelimit-remaining-requests')).toMatch(/^\d+$/)
    expect(response.headers.get('x-ratelimit-reset-requests')).toMatch(/^(\d+h)?(\d+m)?[\d.]+s$/)
    expect(response.headers.get('retry-after')).toBeNull()
  })

  it('says of a denial when it will be over, in every form', async () => {
    await statuses(gateway, 4, { from: '192.0.2.9' })
    const denied = await ask(gateway, { from: '192.0.2.9' })
    expect(denied.status).toBe(429)
    const seconds = Number(denied.headers.get('retry-after'))
    const ms = Number(denied.headers.get('retry-after-ms'))
    expect(seconds).toBe(Math.ceil(ms / 1000))
    expect(limitsTold(denied)['default.requests']).toMatchObject({ r: 0, t: seconds })
    expect(denied.headers.get('x-should-retry')).toBe('true')
    expect(await denied.json()).toMatchObject({
      code: 'rate_limit_exceeded',
      detail: expect.stringContaining('"default.requests" of 5 requests in 60 min is used up'),
      error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
    })
  })

  it("answers in the form of the route's protocol", async () => {
    await statuses(gateway, 4, { from: '192.0.2.10' })
    const denied = await ask(gateway, { path: '/v1/messages', from: '192.0.2.10', body: {} })
    expect([denied.status, await denied.json()]).toMatchObject([
      429,
      { type: 'error', error: { type: 'rate_limit_error' } },
    ])
  })

  it('calls the limits of the upstream by other names than its own', async () => {
    const behaviour = { headers: { ratelimit: '"theirs";r=1', 'x-ratelimit-limit-requests': '7' } }
    provider.next(behaviour)
    const { headers } = await ask(gateway, { path: '/v1/models', from: '192.0.2.11' })
    expect(headers.get('x-tidegate-upstream-ratelimit')).toBe('"theirs";r=1')
    expect(headers.get('x-tidegate-upstream-ratelimit-limit-requests')).toBe('7')
    expect(headers.get('ratelimit')).not.toContain('theirs')
    expect(headers.get('x-ratelimit-limit-requests')).not.toBe('7')
  })

  it('counts a request that is refused for what is in it', async () => {
    const invalid = { path: '/v1/chat/completions', body: {} }
    expect(await statuses(checking, 3, invalid)).toEqual([400, 400, 429])
    expect(provider.requests.some(({ path }) => path === invalid.path)).toBe(false)
  })

  it('leaves the own endpoints alone', async () => {
    for (let i = 0; i < 5; i += 1) expect((await fetch(`${checking.url}/livez`)).status).toBe(200)
  })
})

describe('the guard', () => {
  it('stands before everything else, and lets this machine ask at will', async () => {
    const from = '192.0.2.20'
    const answers = await statuses(gateway, 27, { path: '/v1/x', as: 'nobody', from })
    // The first of them are refused for the key, and tell that the guard let them pass.
    expect(answers.filter((status) => status === 200)).toEqual([])
    const denied = await ask(gateway, { path: '/v1/x', from })
    expect(denied.status).toBe(429)
    expect(await denied.json()).toMatchObject({
      detail: expect.stringContaining('more than the gateway takes from one'),
    })
    expect(await statuses(checking, 30, { path: '/nowhere' })).not.toContain(401)
  })
})

describe('what operators see of limits', () => {
  it('is how often each was asked and denied, shadows too', async () => {
    const { policies, requests, denied, violation_rate, ...more } = await health<{
      policies: Record<string, unknown>
      requests: number
      denied: number
      violation_rate: number
    }>(gateway, 'limits')
    expect(policies).toMatchObject({
      'per-ip': { denied: 0 },
      'free.requests': { decisions: 4, denied: 1 },
      'per-user': { denied: 0 },
    })
    expect(violation_rate).toBeCloseTo(denied / requests)
    expect(more).toMatchObject({ component: 'limits', status: 'healthy', store: 'memory', held: 0 })
  })

  it('is a security event, one for many hits of one subject', async () => {
    const from = '192.0.2.30'
    await statuses(gateway, 8, { from })
    const isHit = (line: Readonly<Record<string, unknown>>): boolean =>
      line.event_type === 'limit_hit' && line.client_ip === from
    expect(await gateway.waitForLog(isHit)).toMatchObject({
      ...{ level: 'warn', security: true, policy: 'default.requests', subject: `ip:${from}` },
      hits: 1,
    })
    await gateway.waitForLog((line) => line.client_ip === from && line.status_code === 429)
    expect(gateway.logs.filter(isHit)).toHaveLength(1)
  })

  it('is what a shadow would have denied', async () => {
    await statuses(checking, 1)
    const shadowed = await limitedGateway(provider, {
      limits: { planned: { by: 'ip', rate: '1/1h', shadow: true } },
      names: ['planned'],
    })
    expect(await statuses(shadowed, 3)).toEqual([200, 200, 200])
    expect(await health(shadowed, 'limits')).toMatchObject({
      denied: 0,
      policies: { planned: { decisions: 3, denied: 0, shadow_denied: 2 } },
    })
    await shadowed[Symbol.asyncDispose]()
  })
})
