import { type Behaviour, type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAT, cachingGateway, chat } from './caching-gateway.fixture.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

describe('an answer that is kept', () => {
  it('is served again as JSON, with its age, and the upstream hears of one request', async () => {
    await using gateway = await cachingGateway(provider)
    const first = await gateway.ask(CHAT, { body: chat() })
    expect(first).toMatchObject({ status: 200, cache: 'miss' })
    expect(first.headers.get('age')).toBeNull()
    gateway.wait(7_500)
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second).toMatchObject({ status: 200, cache: 'hit', text: first.text })
    expect(second.headers.get('age')).toBe('7')
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(provider.hits).toBe(1)
  })

  it('is served again as the stream that it was', async () => {
    await using gateway = await cachingGateway(provider)
    const first = await gateway.ask(CHAT, { body: chat({ stream: true }) })
    const second = await gateway.ask(CHAT, { body: chat({ stream: true }) })
    expect(second).toMatchObject({ cache: 'hit', text: first.text })
    expect(second.text).toContain('data: [DONE]')
    expect(second.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(await gateway.ask(CHAT, { body: chat() })).toMatchObject({ cache: 'miss' })
    expect(provider.hits).toBe(2)
  })

  it.each(['/v1/embeddings', '/v1/completions'])('may be one of %s', async (path) => {
    await using gateway = await cachingGateway(provider)
    const body = { model: 'tide-1', input: 'Hello?', prompt: 'Hello?' }
    const first = await gateway.ask(path, { body })
    expect(first).toMatchObject({ status: 200, cache: 'miss' })
    expect(await gateway.ask(path, { body })).toMatchObject({ cache: 'hit', text: first.text })
  })

  it('may be a message or the stream of one', async () => {
    await using gateway = await cachingGateway(provider, { protocol: 'anthropic' })
    for (const stream of [false, true]) {
      const body = chat({ max_tokens: 9, stream })
      const first = await gateway.ask('/v1/messages', { body })
      expect(first).toMatchObject({ status: 200, cache: 'miss' })
      const second = await gateway.ask('/v1/messages', { body })
      expect(second).toMatchObject({ cache: 'hit', text: first.text })
    }
  })

  it('is that of the same request, however its JSON is written', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(CHAT, {
      text: '{"model":"tide-1","messages":[{"role":"user","content":"A"}]}',
    })
    const other = '{ "messages": [ {"content": "\\u0041", "role": "user"} ], "model": "tide-1" }'
    expect((await gateway.ask(CHAT, { text: other })).cache).toBe('hit')
  })

  it.each([
    ['model', { body: chat({ model: 'tide-2' }) }],
    ['messages', { body: chat({ messages: [] }) }],
    ['number as it is written', { text: JSON.stringify(chat({ n: 1 })).replace('1}', '1.0}') }],
    ['beta', { body: chat({ n: 1 }), headers: { 'openai-beta': 'x' } }],
    ['organisation', { body: chat({ n: 1 }), headers: { 'openai-organization': 'x' } }],
    ['named header', { body: chat({ n: 1 }), headers: { 'x-team': 'x' } }],
  ])('is not that of a request with another %s', async (_, asking) => {
    await using gateway = await cachingGateway(provider, {
      route: { cache: { ttl: '1m', vary: ['X-Team'] } },
    })
    await gateway.ask(CHAT, { body: chat({ n: 1 }) })
    expect((await gateway.ask(CHAT, asking)).cache).toBe('miss')
    expect((await gateway.ask(CHAT, { body: chat({ n: 1 }) })).cache).toBe('hit')
  })

  it('is not that of another query', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(`${CHAT}?a=1`, { body: chat() })
    expect((await gateway.ask(`${CHAT}?a=2`, { body: chat() })).cache).toBe('miss')
  })

  it('ends with its time', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(60_001)
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('miss')
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('hit')
  })

  it('ends earlier where the upstream says so', async () => {
    await using gateway = await cachingGateway(provider)
    provider.always({ headers: { 'cache-control': 'max-age=10', age: '4' } })
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(5_000)
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second).toMatchObject({ cache: 'hit' })
    expect(second.headers.get('age')).toBe('9')
    gateway.wait(1_001)
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('miss')
  })

  it('brings no cookie, and no limit of another call', async () => {
    await using gateway = await cachingGateway(provider)
    provider.always({ headers: { 'set-cookie': 'a=1', 'x-ratelimit-remaining-requests': '5' } })
    const first = await gateway.ask(CHAT, { body: chat() })
    expect(first.headers.get('set-cookie')).toBe('a=1')
    const name = 'x-tidegate-upstream-ratelimit-remaining-requests'
    expect(first.headers.get(name)).toBe('5')
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second.cache).toBe('hit')
    expect(second.headers.get('set-cookie')).toBeNull()
    expect(second.headers.get(name)).toBeNull()
  })

  it('is told of in the log', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(CHAT, { body: chat() })
    await gateway.ask(CHAT, { body: chat() })
    await gateway.askUntil(CHAT, { body: chat() }, () => {
      const lines = gateway.lines.filter(({ message }) => message === 'request')
      return lines[1]?.cache === 'hit' && lines[0]?.cache === 'miss'
    })
  })
})

const unkept: readonly (readonly [string, Behaviour])[] = [
  ['an error of the client', { status: 400 }],
  ['a refusal for now', { status: 429 }],
  ['a failure', { status: 500 }],
  ['a 201', { status: 201 }],
  ['an error that says 200', { json: { error: { message: 'no' } } }],
  ['JSON that is none', { body: '{"a":', headers: { 'content-type': 'application/json' } }],
  ['another type', { body: '<html>', headers: { 'content-type': 'text/html' } }],
  ['what must not be stored', { headers: { 'cache-control': 'no-store' } }],
  ['what varies by who knows what', { headers: { vary: 'user-agent' } }],
  ['what is compressed all the same', { encoding: 'gzip' }],
  ['what is larger than an answer may be', { text: 'x'.repeat(5_000) }],
]

describe('nothing is kept', () => {
  it.each(unkept)('of %s', async (_, behaviour) => {
    await using gateway = await cachingGateway(provider, { more: { cache: { maxAnswer: 4096 } } })
    provider.next(behaviour)
    const first = await gateway.ask(CHAT, { body: chat() })
    expect(first.cache ?? 'miss').toBe('miss')
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second).toMatchObject({ status: 200, cache: 'miss' })
    expect(provider.hits).toBe(2)
  })

  it.each<[string, Behaviour]>([
    ['breaks', { fault: { kind: 'reset' } }],
    ['ends before its end', { fault: { kind: 'stop' }, omitDone: true, finishReason: '' }],
    ['says that it failed', { fault: { kind: 'error-event' } }],
  ])('of a stream that %s', async (_, behaviour) => {
    await using gateway = await cachingGateway(provider)
    provider.next(behaviour)
    const body = chat({ stream: true })
    await gateway.ask(CHAT, { body }).catch(() => {})
    const second = await gateway.ask(CHAT, { body })
    expect(second).toMatchObject({ status: 200, cache: 'miss' })
    expect((await gateway.ask(CHAT, { body })).cache).toBe('hit')
  })
})

describe('a request of which nobody else could have the answer', () => {
  it.each([
    ['to the provider’s files', '/v1/files', {}],
    ['that the provider keeps', CHAT, { body: chat({ store: true }) }],
    ['to responses that the provider keeps', '/v1/responses', { body: { model: 'm', input: 'a' } }],
    [
      'that is done in the background',
      '/v1/responses',
      { body: { model: 'm', input: 'a', background: true } },
    ],
    ['of another type', CHAT, { body: chat(), headers: { 'content-type': 'text/plain' } }],
    ['with a name twice', CHAT, { text: '{"model":"m","model":"m"}' }],
    ['for a part', '/v1/models', { headers: { range: 'bytes=0-1' } }],
    ['for what has changed', '/v1/models', { headers: { 'if-none-match': '"a"' } }],
    ['that wants nothing stored', CHAT, { body: chat(), headers: { 'cache-control': 'no-store' } }],
  ])('is let by: one %s', async (_, path, asking) => {
    await using gateway = await cachingGateway(provider, {
      route: { cache: '1m', coalesce: false },
    })
    for (let i = 1; i <= 2; i += 1) {
      expect((await gateway.ask(path, asking)).cache).toBe('bypass')
      expect(provider.hits).toBe(i)
    }
  })

  it('is let by where nobody knows whose it is', async () => {
    await using gateway = await cachingGateway(provider, {
      route: { cache: '1m', auth: 'optional' },
    })
    await gateway.ask(CHAT, { body: chat() })
    for (let i = 0; i < 2; i += 1) {
      expect((await gateway.ask(CHAT, { body: chat(), as: '' })).cache).toBe('bypass')
    }
    expect(provider.hits).toBe(3)
  })

  it('gets no answer if it wants none but a kept one', async () => {
    await using gateway = await cachingGateway(provider)
    const asking = { headers: { 'cache-control': 'only-if-cached' } }
    const refused = await gateway.ask('/v1/files', asking)
    expect(refused).toMatchObject({ status: 504, json: { code: 'not_cached' } })
    expect(provider.hits).toBe(0)
  })
})

describe('what a client wishes', () => {
  const asking = (wish: string) => ({ body: chat(), headers: { 'cache-control': wish } })

  it('no-cache: asks the upstream, and keeps what it says', async () => {
    await using gateway = await cachingGateway(provider)
    provider.next({ text: 'old' }, { text: 'new' })
    await gateway.ask(CHAT, { body: chat() })
    const second = await gateway.ask(CHAT, asking('no-cache'))
    expect(second).toMatchObject({ cache: 'miss' })
    expect(second.text).toContain('new')
    expect(await gateway.ask(CHAT, { body: chat() })).toMatchObject({
      cache: 'hit',
      text: second.text,
    })
  })

  it('max-age: an answer no older', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(10_000)
    expect((await gateway.ask(CHAT, asking('max-age=10'))).cache).toBe('hit')
    gateway.wait(1)
    expect((await gateway.ask(CHAT, asking('max-age=10'))).cache).toBe('miss')
  })

  it('min-fresh: an answer that lasts', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(50_001)
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('hit')
    expect((await gateway.ask(CHAT, asking('min-fresh=10'))).cache).toBe('miss')
  })

  it('only-if-cached: no call', async () => {
    await using gateway = await cachingGateway(provider)
    const refused = await gateway.ask(CHAT, asking('only-if-cached'))
    expect(refused).toMatchObject({ status: 504, json: { code: 'not_cached' } })
    expect(provider.hits).toBe(0)
    await gateway.ask(CHAT, { body: chat() })
    expect((await gateway.ask(CHAT, asking('only-if-cached'))).cache).toBe('hit')
  })

  it('max-stale: also one out of its time, where it is still there', async () => {
    await using gateway = await cachingGateway(provider, {
      route: { cache: { ttl: '1m', staleOnError: '1h' } },
    })
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(100_000)
    expect((await gateway.ask(CHAT, asking('max-stale=60'))).cache).toBe('stale')
    expect((await gateway.ask(CHAT, asking('max-stale=10'))).cache).toBe('miss')
  })
})

describe('an answer out of its time', () => {
  const route = { cache: { ttl: '1m', stale: '1h', staleOnError: '2h' } }

  it('is served while a new one is fetched behind it', async () => {
    await using gateway = await cachingGateway(provider, { route })
    provider.next({ text: 'old' }, { text: 'new' })
    const first = await gateway.ask(CHAT, { body: chat() })
    gateway.wait(61_000)
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second).toMatchObject({ cache: 'stale', text: first.text })
    expect(second.headers.get('age')).toBe('61')
    const third = await gateway.askUntil(CHAT, { body: chat() }, ({ cache }) => cache === 'hit')
    expect(third.text).toContain('new')
    expect(provider.hits).toBe(2)
  })

  it('is fetched once however many ask', async () => {
    await using gateway = await cachingGateway(provider, { route })
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(61_000)
    const go = Promise.withResolvers<void>()
    provider.always({ beforeHeaders: () => go.promise })
    const all = await Promise.all(
      Array.from({ length: 50 }, () => gateway.ask(CHAT, { body: chat() })),
    )
    expect(new Set(all.map(({ cache }) => cache))).toEqual(new Set(['stale']))
    go.resolve()
    await gateway.askUntil(CHAT, { body: chat() }, ({ cache }) => cache === 'hit')
    expect(provider.hits).toBe(2)
  })

  it.each<[string, Behaviour]>([
    ['fails', { status: 503 }],
    ['has no time', { status: 429 }],
    ['hangs up', { fault: { kind: 'reset', at: 'before-headers' } }],
  ])('is served later for want of a better, where the upstream %s', async (_, behaviour) => {
    await using gateway = await cachingGateway(provider, { route })
    const first = await gateway.ask(CHAT, { body: chat() })
    gateway.wait(3_700_000)
    provider.always(behaviour)
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second).toMatchObject({ status: 200, cache: 'stale', text: first.text })
    provider.always({ text: 'new' })
    expect((await gateway.ask(CHAT, { body: chat() })).text).toContain('new')
    expect((await gateway.ask(CHAT, { body: chat() })).cache).toBe('hit')
  })

  it('is no better than what an upstream has judged', async () => {
    await using gateway = await cachingGateway(provider, { route })
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(3_700_000)
    provider.next({ status: 400 })
    expect(await gateway.ask(CHAT, { body: chat() })).toMatchObject({ status: 400, cache: 'miss' })
  })

  it('is gone in the end', async () => {
    await using gateway = await cachingGateway(provider, { route })
    await gateway.ask(CHAT, { body: chat() })
    gateway.wait(60_000 + 7_200_000 + 1)
    provider.next({ status: 503 })
    expect((await gateway.ask(CHAT, { body: chat() })).status).toBe(503)
  })
})

describe('an answer that is under way', () => {
  it('is shared on a route that keeps answers, as JSON and as a stream', async () => {
    await using gateway = await cachingGateway(provider)
    for (const stream of [false, true]) {
      provider.reset()
      const go = Promise.withResolvers<void>()
      provider.always({ beforeHeaders: () => go.promise })
      const asked = Array.from({ length: 20 }, () => gateway.ask(CHAT, { body: chat({ stream }) }))
      await provider.waitForRequest()
      go.resolve()
      const all = await Promise.all(asked)
      expect(new Set(all.map(({ text }) => text)).size).toBe(1)
      expect(provider.hits).toBe(1)
      const how = all.map(({ cache }) => cache).sort()
      expect(how.at(-1)).toBe('miss')
      expect(how.slice(0, -1).every((each) => each === 'coalesced' || each === 'hit')).toBe(true)
    }
  })

  it('is not where the route says so', async () => {
    await using gateway = await cachingGateway(provider, {
      route: { cache: '1m', coalesce: false },
    })
    const go = Promise.withResolvers<void>()
    provider.always({ beforeHeaders: () => go.promise })
    const asked = Array.from({ length: 5 }, () => gateway.ask(CHAT, { body: chat() }))
    await provider.waitForRequest(4)
    go.resolve()
    expect((await Promise.all(asked)).map(({ cache }) => cache)).toEqual(Array(5).fill('miss'))
  })

  it('is not for whoever wants no kept one', async () => {
    await using gateway = await cachingGateway(provider)
    const go = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => go.promise }, { text: 'own' })
    const first = gateway.ask(CHAT, { body: chat() })
    await provider.waitForRequest()
    const own = await gateway.ask(CHAT, { body: chat(), headers: { 'cache-control': 'no-cache' } })
    expect(own.text).toContain('own')
    go.resolve()
    expect((await first).status).toBe(200)
  })

  it('is shared without a cache where the route asks for it, and is gone with its end', async () => {
    await using gateway = await cachingGateway(provider, { route: { coalesce: true } })
    const go = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => go.promise })
    const body = { model: 'tide-1', input: 'Hello?' }
    const asked = Array.from({ length: 5 }, () => gateway.ask('/v1/responses', { body }))
    await provider.waitForRequest()
    const other = gateway.ask('/v1/responses', { body, as: 'bob' })
    expect(await other).toMatchObject({ status: 200, cache: 'miss' })
    go.resolve()
    const how = (await Promise.all(asked)).map(({ cache }) => cache).sort()
    expect(how).toEqual(['coalesced', 'coalesced', 'coalesced', 'coalesced', 'miss'])
    expect((await gateway.ask('/v1/responses', { body })).cache).toBe('miss')
    expect(provider.hits).toBe(3)
  })
})

describe('a plain service', () => {
  it('has its answers kept by the rules of HTTP', async () => {
    await using gateway = await cachingGateway(provider, { protocol: 'http' })
    const html = {
      ...{ status: 200, body: '<p>' },
      headers: { 'content-type': 'text/html', 'set-cookie': null },
    }
    provider.always({ ...html })
    await gateway.ask('/page?a=1')
    expect(await gateway.ask('/page?a=1')).toMatchObject({ cache: 'hit', text: '<p>' })
    expect((await gateway.ask('/page?a=1', { headers: { 'accept-language': 'de' } })).cache).toBe(
      'miss',
    )
    expect((await gateway.ask('/page?a=1', { body: {} })).cache).toBe('bypass')
    expect((await gateway.ask('/page?a=1', { headers: { cookie: 'a=1' } })).cache).toBe('miss')
    for (const header of [{ 'set-cookie': 'a=1' }, { 'cache-control': 'no-cache' }]) {
      provider.always({ ...html, headers: { ...html.headers, ...header } })
      await gateway.ask('/other')
      expect((await gateway.ask('/other')).cache).toBe('miss')
    }
  })

  it('is asked with a POST again unless that only asks', async () => {
    const route = { cache: { ttl: '1m', methods: ['GET', 'POST'] } }
    await using gateway = await cachingGateway(provider, { protocol: 'http', route })
    provider.always({ status: 200, json: { a: 1 }, headers: { 'set-cookie': null } })
    await gateway.ask('/search', { body: { q: 'a' } })
    expect((await gateway.ask('/search', { body: { q: 'a' } })).cache).toBe('hit')
    expect((await gateway.ask('/search', { body: { q: 'b' } })).cache).toBe('miss')
  })
})
