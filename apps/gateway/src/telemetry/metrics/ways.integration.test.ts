import { once } from 'node:events'
import { request } from 'node:http'
import { type Provider, pollUntil, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ObservedGateway, observedGateway } from '../observed-gateway.fixture.ts'

let provider: Provider
let other: Provider

beforeAll(async () => {
  provider = await startProvider()
  other = await startProvider()
})

afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

function config(route: object, first: object = {}, more: object = {}) {
  const defaults = { protocol: 'openai', retry: 'off', breaker: 'off' }
  return {
    upstreams: {
      first: { ...defaults, endpoints: [{ url: `${provider.url}/v1` }], ...first },
      second: { ...defaults, endpoints: [{ url: `${other.url}/v1` }] },
    },
    routes: [{ match: '/v1/**', upstreams: ['first'], auth: 'none', ...route }],
    ...more,
  }
}

function chat(
  gateway: ObservedGateway,
  model = 'tide-1',
  more: object = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello?' }], ...more }),
    ...(signal !== undefined && { signal }),
  })
}

/** The series of one metric by the values of their labels, those at 0 left out. */
async function series(gateway: ObservedGateway, metric: string): Promise<Record<string, number>> {
  const lines = (await gateway.metrics()).split('\n')
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      if (name !== metric || value === '0') return []
      const values = [...labels.matchAll(/="([^"]*)"/g)].map(([, text]) => text)
      return [[values.join(' '), Number(value)]]
    }),
  )
}

describe('what is counted', () => {
  it('tells first attempts, retries and failovers apart, and what became of breakers', async () => {
    const first = { retry: { retries: 1, initial: '1ms' }, breaker: { failures: 2, openFor: '1h' } }
    await using gateway = await observedGateway(config({ upstreams: ['first', 'second'] }, first))
    provider.next({ status: 503 }, { status: 503 })
    expect((await chat(gateway)).status).toBe(200)
    expect(await series(gateway, 'tidegate_upstream_attempts_total')).toEqual({
      ...{ 'first first': 1, 'first retry': 1, 'second failover': 1 },
    })
    expect(await series(gateway, 'tidegate_requests_total')).toEqual({
      '/v1/** second  success': 1,
    })
    const at = new URL(provider.url).host
    const duration = await series(gateway, 'http_client_request_duration_seconds_count')
    expect(duration).toEqual({
      [`first ${at} 503 503`]: 2,
      [`second ${new URL(other.url).host} 200 `]: 1,
    })
    expect(await series(gateway, 'tidegate_breaker_state')).toEqual({ [`first ${at} open`]: 1 })
    expect(await series(gateway, 'tidegate_breaker_transitions_total')).toEqual({ 'first open': 1 })
  })

  it('tells streams under way, and how each of them ended', async () => {
    await using gateway = await observedGateway(config({}))
    const over = Promise.withResolvers<void>()
    provider.next({ beforeEvent: (index) => (index === 3 ? over.promise : undefined) }, {})
    const left = new AbortController()
    const stream = await chat(gateway, 'tide-1', { stream: true }, left.signal)
    await stream.body?.getReader().read()
    expect(await series(gateway, 'tidegate_streams_active')).toEqual({ '': 1 })
    await (await chat(gateway, 'tide-1', { stream: true })).text()
    left.abort()
    await pollUntil(() => Promise.resolve(gateway.telemetry.metrics?.requests.active === 0), {
      describe: () => 'the stream is still open',
    })
    over.resolve()
    expect(await series(gateway, 'tidegate_streams_active')).toEqual({})
    expect(await series(gateway, 'tidegate_stream_ends_total')).toEqual({
      ...{ '/v1/** client_gone': 1, '/v1/** complete': 1 },
    })
    const chunks = 'gen_ai_client_operation_time_to_first_chunk_seconds_count'
    expect(await series(gateway, chunks)).toEqual({ 'chat openai tide-1': 2 })
  })

  it('tells hits from misses, and counts a model once for many that share its answer', async () => {
    await using gateway = await observedGateway(config({ cache: { ttl: '1m', scope: 'public' } }))
    for (let count = 0; count < 3; count += 1) await (await chat(gateway)).text()
    expect(await series(gateway, 'tidegate_cache_requests_total')).toEqual({
      ...{ '/v1/** hit': 2, '/v1/** miss': 1 },
    })
    expect(await series(gateway, 'gen_ai_client_operation_duration_seconds_count')).toEqual({
      'chat openai tide-1 ': 1,
    })
    expect(await series(gateway, 'tidegate_cache_entries')).toEqual({ '': expect.any(Number) })
    const { cache } = JSON.parse(await gateway.metrics('application/json'))
    expect(cache).toEqual({ hits: 2, misses: 1, hit_rate: 2 / 3 })
  })

  it('counts models that nobody knows together', async () => {
    await using gateway = await observedGateway(config({}, {}, { telemetry: { models: 2 } }))
    for (const model of ['error-404', 'a', 'b', 'c', 'error-500', 'a']) {
      await (await chat(gateway, model)).text()
    }
    const models = await series(gateway, 'gen_ai_client_operation_duration_seconds_count')
    expect(models).toEqual({
      ...{ 'chat openai a ': 2, 'chat openai b ': 1, 'chat openai other ': 1 },
      ...{ 'chat openai other 404': 1, 'chat openai other 500': 1 },
    })
  })

  it('leaves the time that a client takes for its body out of its own', async () => {
    await using gateway = await observedGateway(config({}))
    const body = JSON.stringify({ model: 'tide-1', messages: [] })
    const sent = request(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    })
    sent.write(body.slice(0, 5))
    await pollUntil(() => Promise.resolve(gateway.telemetry.metrics?.requests.active === 1), {
      describe: () => 'the request has not come',
    })
    const from = performance.now()
    await gateway.metrics()
    const waited = performance.now() - from
    sent.end(body.slice(5))
    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'end')
    const [own] = Object.values(await series(gateway, 'tidegate_gateway_overhead_seconds_sum'))
    const all = (await series(gateway, 'http_server_request_duration_seconds_sum'))[
      'POST /v1/** 200 '
    ]
    expect(((all ?? 0) - (own ?? 0)) * 1000).toBeGreaterThan(waited - 1)
  })

  it('leaves waits for the sake of upstreams out of its own', async () => {
    const first = { retry: { retries: 1, initial: '1ms', max: '1s' }, concurrency: { max: 1 } }
    await using gateway = await observedGateway(config({}, first))
    provider.next({ status: 503, headers: { 'retry-after-ms': '300' } })
    expect((await chat(gateway)).status).toBe(200)
    const free = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => free.promise })
    const both = [chat(gateway), chat(gateway)]
    await pollUntil(
      async () => {
        const waiting = await series(gateway, 'tidegate_upstream_queued_requests')
        return waiting.first === 1
      },
      { describe: () => 'nobody waits for a place' },
    )
    const from = performance.now()
    await gateway.metrics()
    const waited = performance.now() - from
    free.resolve()
    await Promise.all(both)
    const [own = 0] = Object.values(await series(gateway, 'tidegate_gateway_overhead_seconds_sum'))
    const [all = 0] = Object.values(
      await series(gateway, 'http_server_request_duration_seconds_sum'),
    )
    expect((all - own) * 1000).toBeGreaterThan(299 + 2 * (waited - 1))
  })

  it('counts nothing where metrics are off, and says so', async () => {
    await using gateway = await observedGateway(config({}, {}, { telemetry: { metrics: 'off' } }))
    expect((await chat(gateway)).status).toBe(200)
    expect(gateway.telemetry.metrics).toBeUndefined()
    expect(await gateway.metrics()).toContain('Metrics are off')
  })
})
