import { type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Answer,
  adminKey,
  type CachingGateway,
  CHAT,
  cachingGateway,
  chat,
  keyOf,
} from './caching-gateway.fixture.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

const admin = { as: '', headers: { 'x-admin-key': adminKey } }

const purge = (gateway: CachingGateway, query: string): Promise<Answer> =>
  gateway.ask(`/cache${query}`, { method: 'DELETE', ...admin })

async function statsOf(gateway: CachingGateway): Promise<Answer['json']> {
  return (await gateway.ask('/cache/stats', admin)).json
}

/** One answer of each model for ada, and one for bob. */
async function fill(gateway: CachingGateway): Promise<void> {
  for (const model of ['tide-1', 'tide-2']) await gateway.ask(CHAT, { body: chat({ model }) })
  await gateway.ask(CHAT, { body: chat(), as: 'bob' })
}

describe('GET /cache/stats', () => {
  it('tells what became of requests, of each route and of all, and what is kept', async () => {
    await using gateway = await cachingGateway(provider)
    await fill(gateway)
    const { text } = await gateway.ask(CHAT, { body: chat() })
    await gateway.ask('/v1/files')
    const stats = await statsOf(gateway)
    const counts = {
      hits: 1,
      misses: 3,
      stale: 0,
      coalesced: 0,
      bypassed: 1,
      hit_rate: 0.25,
      stored: 3,
    }
    expect(stats).toMatchObject({ enabled: true, ...counts, entries: 3, redis: null })
    expect(stats.routes).toMatchObject({ '/v1/**': counts })
    expect(stats.bytes_served).toBe(Buffer.byteLength(text))
    expect(stats.memory).toMatchObject({ limit_bytes: 64 * 1024 * 1024 })
    expect(stats.bytes).toBeGreaterThan(3 * Buffer.byteLength(text))
    expect(stats.in_flight).toEqual({ calls: 0, readers: 0, bytes: 0 })
  })

  it('says so where nothing is kept', async () => {
    await using gateway = await cachingGateway(provider, { route: {} })
    expect(await statsOf(gateway)).toMatchObject({ enabled: false, entries: 0, routes: {} })
  })

  it('is for operators', async () => {
    await using gateway = await cachingGateway(provider)
    expect((await gateway.ask('/cache/stats')).status).toBe(401)
    const written = await gateway.ask('/cache/stats', { method: 'DELETE', ...admin })
    expect(written).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } })
    expect((await gateway.ask('/cache/other', admin)).status).toBe(404)
    expect((await gateway.ask('/cache', admin)).headers.get('allow')).toBe('DELETE')
    expect(provider.hits).toBe(0)
  })

  it('is summed up in /health/cache', async () => {
    await using gateway = await cachingGateway(provider)
    await fill(gateway)
    expect((await gateway.ask('/health/cache', admin)).json).toMatchObject({
      ...{ component: 'cache', status: 'healthy', entries: 3, shared: false },
    })
  })
})

describe('DELETE /cache', () => {
  it.each([
    ['?tag=model:tide-1', 2],
    ['?tag=route:/v1/**', 3],
    ['?namespace=/v1/**', 3],
    ['?namespace=/other', 0],
    ['?prefix=/v1/chat', 3],
    ['?prefix=/v1/embeddings', 0],
    ['?pattern=*%20tide-2%20*', 1],
    ['?pattern=/v1/*', 3],
    ['?user=key:ada', 2],
    ['?user=jwt:ada', 0],
    ['?all=true', 3],
  ])('%s throws away %i of them, says so, and each is fetched again', async (query, removed) => {
    await using gateway = await cachingGateway(provider)
    await fill(gateway)
    const answer = await purge(gateway, query)
    expect(answer).toMatchObject({ status: 200, json: { removed } })
    expect((await statsOf(gateway)).entries).toBe(3 - removed)
    await fill(gateway)
    expect(provider.hits).toBe(3 + removed)
  })

  it('?key= throws one away', async () => {
    await using gateway = await cachingGateway(provider)
    await fill(gateway)
    for (let i = 0; i < 100; i += 1) await gateway.ask(CHAT, { body: chat() })
    const { popular } = (await statsOf(gateway)) as { popular: { key: string }[] }
    const key = popular[0]?.key ?? ''
    expect(key).toMatch(/^\/v1\/chat\/completions tide-1 /)
    const answer = await purge(gateway, `?key=${encodeURIComponent(key)}`)
    expect(answer.json).toEqual({ removed: 1 })
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('miss')
  })

  it('?user= ends the user’s sessions as well', async () => {
    await using gateway = await cachingGateway(provider, { more: { sessions: {} } })
    await gateway.ask(CHAT, { body: chat(), headers: { 'x-session-id': 'CANARY-session' } })
    const answer = await purge(gateway, '?user=key:ada')
    expect(answer.json).toEqual({ removed: 1, sessions_ended: 1 })
    const again = await gateway.ask(CHAT, {
      body: chat(),
      headers: { 'x-session-id': 'CANARY-session' },
    })
    expect(again.status).toBe(401)
  })

  it.each([
    '',
    '?all=yes',
    '?tag=',
    '?tag=a&key=b',
    '?route=/v1',
    '?user=ada',
    '?all=true&all=true',
  ])('refuses %j, and throws nothing away', async (query) => {
    await using gateway = await cachingGateway(provider)
    await fill(gateway)
    expect((await purge(gateway, query)).status).toBe(400)
    expect((await statsOf(gateway)).entries).toBe(3)
  })

  it('lets nothing back in that was asked before', async () => {
    await using gateway = await cachingGateway(provider)
    const go = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => go.promise, text: 'old' }, { text: 'new' })
    const first = gateway.ask(CHAT, { body: chat() })
    await provider.waitForRequest()
    await purge(gateway, '?all=true')
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second).toMatchObject({ cache: 'miss' })
    expect(second.text).toContain('new')
    go.resolve()
    expect((await first).text).toContain('old')
    expect(await gateway.ask(CHAT, { body: chat() })).toMatchObject({
      cache: 'hit',
      text: second.text,
    })
  })

  it('is for operators, and for who debugs on this machine', async () => {
    await using gateway = await cachingGateway(provider)
    const plain = { method: 'DELETE', as: '' }
    expect((await gateway.ask('/cache?all=true', plain)).status).toBe(401)
    expect((await gateway.ask('/cache?all=true', { method: 'DELETE' })).status).toBe(401)
    await using debugged = await cachingGateway(provider, { env: { DEBUG: 'true' } })
    expect((await debugged.ask('/cache?all=true', plain)).json).toEqual({ removed: 0 })
    const proxied = { ...plain, headers: { 'x-forwarded-for': '203.0.113.9' } }
    expect((await debugged.ask('/cache?all=true', proxied)).status).toBe(401)
    expect((await debugged.ask('/cache/stats', { as: '' })).status).toBe(401)
    const env = { DEBUG: 'true', ENVIRONMENT: 'production' }
    await using live = await cachingGateway(provider, { env })
    expect((await live.ask('/cache?all=true', plain)).status).toBe(401)
  })

  it('is a security event', async () => {
    await using gateway = await cachingGateway(provider)
    await purge(gateway, '?user=key:ada')
    const event = gateway.lines.find(({ event_type }) => event_type === 'admin_access')
    expect(event).toMatchObject({ action: 'purge_cache', by: 'user', value: 'key:ada', removed: 0 })
  })
})

describe('POST /cache/warm', () => {
  const warm = (gateway: CachingGateway, order: unknown): Promise<Answer> =>
    gateway.ask('/cache/warm', { body: order, ...admin })

  it('fetches what it is told, for whom it is told, and what is fresh not again', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(CHAT, { body: chat({ model: 'tide-2' }) })
    const entries = [
      { path: CHAT, body: chat(), as: 'key:ada' },
      { path: CHAT, body: chat({ stream: true }), as: 'key:bob' },
      { path: CHAT, body: chat({ model: 'tide-2' }), as: 'key:ada' },
      { path: '/v1/models', as: 'key:ada' },
      { path: CHAT, body: chat() },
      { path: '/v1/files', as: 'key:ada' },
      { path: '/elsewhere', as: 'key:ada' },
    ]
    const report = await warm(gateway, { entries })
    expect(report).toMatchObject({ status: 200 })
    expect(report.json).toMatchObject({ fetched: 3, failed: 0, skipped: 1, refused: 3 })
    expect(provider.hits).toBe(4)
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('hit')
    expect((await gateway.ask(CHAT, { body: chat({ stream: true }), as: 'bob' })).cache).toBe('hit')
    expect((await gateway.ask(CHAT, { body: chat({ stream: true }) })).cache).toBe('miss')
    expect((await gateway.ask('/cache/warm', admin)).json).toMatchObject({ last: report.json })
  })

  it('stays within its budget of calls', async () => {
    const more = { cache: { warm: { budget: '2/1h' } } }
    await using gateway = await cachingGateway(provider, { more })
    const entries = Array.from({ length: 5 }, (_, n) => ({
      path: CHAT,
      body: chat({ n }),
      as: 'key:ada',
    }))
    const report = await warm(gateway, { entries })
    expect(report.json).toMatchObject({ fetched: 2, out_of_budget: true })
    expect(provider.hits).toBe(2)
    expect((await gateway.ask('/cache/warm', admin)).json).toMatchObject({ budget_left: 0 })
  })

  it('counts what fails, and keeps none of it', async () => {
    await using gateway = await cachingGateway(provider)
    provider.next({ status: 500 })
    const report = await warm(gateway, { entries: [{ path: CHAT, body: chat(), as: 'key:ada' }] })
    expect(report.json).toMatchObject({ fetched: 0, failed: 1 })
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('miss')
  })

  it('fetches the popular ones that are out of their time, without a credential of anybody', async () => {
    const more = { cache: { warm: { every: '1h' } } }
    await using gateway = await cachingGateway(provider, { more })
    for (let i = 0; i < 200; i += 1) await gateway.ask(CHAT, { body: chat() })
    gateway.wait(61_000)
    const report = await warm(gateway, {})
    expect(report.json).toMatchObject({ fetched: 1, failed: 0 })
    expect(JSON.stringify(provider.lastRequest.rawHeaders)).not.toContain(keyOf('ada'))
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('hit')
  })

  it.each([
    [{}, 'remembered only'],
    [{ entries: [] }, 'entries'],
    [{ entries: [{ path: 'v1' }] }, 'entries.0.path'],
    [{ entries: [{ path: '/v1', as: 'ada' }] }, 'entries.0.as": expected key:ID, jwt:USER or'],
    [{ entries: [{ path: '/v1', headers: { 'a b': 'c' } }] }, 'entries.0.headers'],
    [{ entry: [] }, 'not as expected'],
  ])('refuses %j', async (order, expected) => {
    await using gateway = await cachingGateway(provider)
    const refused = await warm(gateway, order)
    expect(refused).toMatchObject({ status: 400, json: { code: 'nothing_to_warm' } })
    expect(refused.json.detail).toContain(expected)
  })

  it('says so where nothing is kept', async () => {
    await using gateway = await cachingGateway(provider, { route: {} })
    expect((await warm(gateway, {})).status).toBe(400)
  })
})
