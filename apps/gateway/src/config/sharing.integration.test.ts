import { describe, expect, it } from 'vitest'
import { check, file, problemsOf, settingsOf, warningsOf } from './check.fixture.ts'
import type { RouteSettings } from './settings.ts'

const KEYS = 'auth: { keys: [{ id: ada, key: CANARY-ada }] }'

async function routeWith(route: string, top = KEYS): Promise<RouteSettings> {
  const [compiled] = settingsOf(await check(file({ top, route }))).routes
  if (compiled === undefined) throw new Error('no route')
  return compiled
}

async function refusalOf(parts: Parameters<typeof file>[0]): Promise<string> {
  return problemsOf(await check(file(parts))).join('\n')
}

describe('a route that says nothing', () => {
  it('keeps, shares and replays nothing', async () => {
    expect(await routeWith('')).toMatchObject({
      ...{ cache: undefined, coalesce: undefined, idempotency: undefined, hitCost: 0 },
    })
  })
})

describe('routes[].cache', () => {
  it('is a duration, or off', async () => {
    expect((await routeWith('cache: 5m')).cache).toEqual({
      ...{ ttl: 300_000, stale: 0, staleOnError: 0, scope: 'key', vary: [], methods: ['GET'] },
    })
    expect((await routeWith('cache: off')).cache).toBeUndefined()
    expect((await routeWith('cache: false')).cache).toBeUndefined()
  })

  it('is said more exactly, names of headers in one spelling and order', async () => {
    const route = await routeWith(
      'cache: { ttl: 5m, stale: 1h, scope: user, vary: [X-Team, accept-language, x-team], hitCost: 10% }',
    )
    expect(route.cache).toMatchObject({
      ...{ ttl: 300_000, stale: 3_600_000, staleOnError: 3_600_000, scope: 'user' },
      vary: ['accept-language', 'x-team'],
    })
    expect(route.hitCost).toBe(0.1)
  })

  it('serves for want of a better at least as long as behind a refresh', async () => {
    const { cache } = await routeWith('cache: { ttl: 1m, stale: 1h, staleOnError: 5m }')
    expect(cache?.staleOnError).toBe(3_600_000)
  })

  it.each([
    ['cache: { stale: 1h }', 'routes[0].cache.ttl'],
    ['cache: 500ms', 'routes[0].cache'],
    ['cache: { ttl: 1m, scope: team }', 'routes[0].cache.scope'],
    ['cache: { ttl: 1m, vary: ["a header"] }', 'routes[0].cache.vary'],
    ['cache: { ttl: 1m, vary: [Authorization] }', 'always makes another answer'],
    ['cache: { ttl: 1m, methods: [POST] }', 'leave it out'],
    ['cache: { ttl: 1m, methods: [DELETE] }', 'routes[0].cache.methods'],
    ['cache: { tll: 1m }', 'did you mean "ttl"?'],
  ])('refuses %s', async (route, expected) => {
    expect(await refusalOf({ top: KEYS, route })).toContain(expected)
  })

  it('takes methods on http', async () => {
    const route = 'cache: { ttl: 1m, methods: [GET, POST] }'
    const [compiled] = settingsOf(await check(file({ top: KEYS, route, protocol: 'http' }))).routes
    expect(compiled?.cache?.methods).toEqual(['GET', 'POST'])
  })
})

describe('a route that asks nobody who they are', () => {
  const withKey = (route: string): string =>
    file({ route }).replace('api.openai.com/v1"', 'api.openai.com/v1", apiKey: CANARY-up')

  it.each(['cache: 5m', 'coalesce: true', 'coalesce: cluster', 'cache: { ttl: 5m, scope: user }'])(
    'is told that nothing could be kept or shared by %s',
    async (route) => {
      expect(problemsOf(await check(withKey(route))).join('\n')).toMatch(
        /scope: public under (cache|coalesce)/,
      )
    },
  )

  it.each(['cache: { ttl: 5m, scope: public }', 'coalesce: { scope: public }'])(
    'may have everybody share by %s',
    async (route) => {
      expect(problemsOf(await check(withKey(route)))).toEqual([])
    },
  )

  it('is told that no Idempotency-Key could be somebody’s', async () => {
    const warnings = warningsOf(await check(withKey('idempotency: 1h')))
    expect(warnings.join()).toContain('left to the upstream; set auth: required')
    expect(warningsOf(await check(withKey('idempotency: off')))).toEqual([])
    expect(warningsOf(await check(file({ route: 'idempotency: 1h' })))).toEqual([])
  })

  it(`may keep answers by the client’s own credential where that goes up`, async () => {
    expect(problemsOf(await check(file({ route: 'cache: 5m' })))).toEqual([])
  })
})

describe('routes[].coalesce', () => {
  it('goes with a cache, unless it is off', async () => {
    expect((await routeWith('cache: 5m')).coalesce).toEqual({ scope: 'key', cluster: false })
    expect((await routeWith('cache: { ttl: 5m, scope: public }')).coalesce?.scope).toBe('public')
    expect((await routeWith('cache: 5m\ncoalesce: false')).coalesce).toBeUndefined()
    expect((await routeWith('cache: 5m\ncoalesce: off')).coalesce).toBeUndefined()
  })

  it('is on without one where it is asked for', async () => {
    expect((await routeWith('coalesce: true')).coalesce).toEqual({ scope: 'key', cluster: false })
    const shared = await routeWith('coalesce: { scope: user, cluster: true }')
    expect(shared.coalesce).toEqual({ scope: 'user', cluster: true })
  })

  it('reaches other gateways where there is a Redis, and says so where there is none', async () => {
    const top = `${KEYS}\nredis: { url: "redis://localhost:6379" }`
    const route = 'coalesce: cluster'
    expect((await routeWith(route, top)).coalesce?.cluster).toBe(true)
    expect(warningsOf(await check(file({ top, route })))).toEqual([])
    expect(warningsOf(await check(file({ top: KEYS, route }))).join()).toContain('without Redis')
  })

  it('has the scope of the cache', async () => {
    const route = 'cache: 5m\ncoalesce: { scope: public }'
    expect(await refusalOf({ top: KEYS, route })).toContain('cache.scope says it for both')
  })
})

describe('routes[].idempotency', () => {
  it('is a window of up to a week, or off', async () => {
    expect((await routeWith('idempotency: 24h')).idempotency).toBe(86_400_000)
    expect((await routeWith('idempotency: off')).idempotency).toBeUndefined()
    expect(await refusalOf({ route: 'idempotency: 8d' })).toContain('routes[0].idempotency')
  })
})

describe('cache', () => {
  it('has room for 10,000 answers in 64 MiB, and warms nothing by itself', async () => {
    expect(settingsOf(await check(file())).cache).toEqual({
      ...{ entries: 10_000, memory: 67_108_864, maxAnswer: 1_048_576 },
      warm: {
        ...{ atStart: false, every: undefined, entries: 100 },
        budget: { amount: 100, windowMs: 3_600_000 },
      },
    })
  })

  it('can be warmed at start and on schedule, within a budget', async () => {
    const top = 'cache: { warm: { atStart: true, every: 10m, entries: 20, budget: 50/1h } }'
    expect(settingsOf(await check(file({ top }))).cache.warm).toEqual({
      ...{ atStart: true, every: 600_000, entries: 20 },
      budget: { amount: 50, windowMs: 3_600_000 },
    })
  })

  it('refuses an answer that is larger than all of it', async () => {
    const top = 'cache: { memory: 1mb, maxAnswer: 2mb }'
    expect(await refusalOf({ top })).toContain('cache.maxAnswer')
  })
})

describe('DEBUG', () => {
  it('is among the settings', async () => {
    expect(settingsOf(await check(file())).debug).toBe(false)
    expect(settingsOf(await check(file(), { DEBUG: 'true' })).debug).toBe(true)
  })
})
