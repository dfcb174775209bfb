import {
  type Provider,
  promtoolCheckMetrics,
  startPrometheus,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { adminKey, type ObservedGateway, observedGateway } from '../observed-gateway.fixture.ts'

let [provider, other]: (Provider | undefined)[] = []
let gateway: ObservedGateway

const usage = { input: 12, output: 30 }

beforeAll(async () => {
  provider = await startProvider({ answers: { usage } })
  other = await startProvider({ answers: { usage: { input: 5, output: 7 } } })
})

afterAll(async () => {
  await provider?.[Symbol.asyncDispose]()
  await other?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  gateway = await observedGateway({
    upstreams: {
      first: { protocol: 'openai', endpoints: [{ url: `${provider?.url}/v1` }], retry: 'off' },
      second: { protocol: 'openai', endpoints: [{ url: `${other?.url}/v1` }], retry: 'off' },
    },
    routes: [
      { match: '/v1/**', upstreams: ['first'], auth: 'required', limits: ['tier'] },
      { match: '/both/v1/**', stripPrefix: '/both', upstreams: ['first', 'second'], auth: 'none' },
    ],
    tiers: { free: { requests: '1000/1m' } },
    auth: { keys: [{ id: 'ada', key: 'CANARY-ada', tier: 'free' }] },
    telemetry: { prices: { 'tide-1': { input: 1, output: 2 } }, topKeys: 2 },
  })
})

afterEach(async () => await gateway[Symbol.asyncDispose]())

async function chat(
  model: string,
  { path = '/v1/chat/completions', key = 'CANARY-ada', more = {} } = {},
): Promise<number> {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello?' }], ...more }),
  })
  await response.text()
  return response.status
}

describe('/metrics, scraped by Prometheus', () => {
  it('tells the truth by status, route and model', async () => {
    const streamed = { more: { stream: true, stream_options: { include_usage: true } } }
    for (let count = 0; count < 5; count += 1) expect(await chat('tide-1')).toBe(200)
    for (let count = 0; count < 3; count += 1) expect(await chat('tide-2', streamed)).toBe(200)
    expect(await chat('error-400')).toBe(400)
    expect(await chat('tide-1', { key: 'wrong' })).toBe(401)
    const both = '/both/v1/chat/completions'
    expect(await chat('tide-1', { path: both })).toBe(200)
    expect((await fetch(`${gateway.url}/nowhere`)).status).toBe(404)
    await using prometheus = await startPrometheus({
      targets: [`${gateway.url}/metrics`],
      bearerToken: adminKey,
    })
    await prometheus.waitForScrape()
    const totals = async (promql: string): Promise<Record<string, number>> => {
      const samples = await prometheus.query(promql)
      return Object.fromEntries(
        samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]),
      )
    }
    expect(await totals('sum by (http_route, outcome) (tidegate_requests_total)')).toEqual({
      '/v1/** success': 8,
      '/v1/** client_error': 2,
      '/both/v1/** success': 1,
      client_error: 1,
    })
    const byStatus =
      'sum by (http_response_status_code) (http_server_request_duration_seconds_count{http_route="/v1/**"})'
    expect(await totals(byStatus)).toEqual({ 200: 8, 400: 1, 401: 1 })
    const tokens =
      'sum by (gen_ai_request_model, gen_ai_token_type) (gen_ai_client_token_usage_sum)'
    expect(await totals(tokens)).toEqual({
      'tide-1 input': 72,
      'tide-1 output': 180,
      'tide-2 input': 36,
      'tide-2 output': 90,
    })
    expect((await totals('sum(tidegate_cost_usd_total)'))['']).toBeCloseTo(432 / 1e6, 12)
    expect(
      await totals('sum by (tidegate_upstream, kind) (tidegate_upstream_attempts_total)'),
    ).toEqual({ 'first first': 10 })
    expect(await totals('sum by (http_route, outcome) (tidegate_stream_ends_total)')).toEqual({
      '/v1/** complete': 3,
    })
    expect(await totals('sum by (reason) (tidegate_auth_failures_total)')).toEqual({ unknown: 1 })
    expect(await totals('sum by (policy, outcome) (tidegate_limit_decisions_total) > 0')).toEqual({
      'allowed free.requests': 9,
    })
  }, 60_000)

  it('tells the same summed up, as JSON', async () => {
    for (let count = 0; count < 3; count += 1) expect(await chat('tide-1')).toBe(200)
    expect(await chat('error-400')).toBe(400)
    const more = { stream: true, stream_options: { include_usage: true } }
    expect(await chat('tide-1', { path: '/both/v1/chat/completions', more })).toBe(200)
    await gateway.metrics()
    const report = JSON.parse(await gateway.metrics('application/json'))
    const asked = expect.objectContaining({ count: 4, success_rate: 0.75, error_rate: 0 })
    expect(report).toMatchObject({
      ...{ version: 'test', uptime_seconds: expect.any(Number), timestamp: expect.any(String) },
      totals: { count: 5, success_rate: 0.8, error_rate: 0, p95_ms: expect.any(Number) },
      routes: { '/v1/**': asked, '/both/v1/**': { count: 1, success_rate: 1 } },
      upstreams: { first: { count: 5, success_rate: 0.8, error_rate: 0 } },
      tiers: { free: asked },
      limits: { allowed: 4, denied: 0, violation_rate: 0 },
      cache: { hits: 0, misses: 0, hit_rate: null },
      tokens: { input: 48, output: 120 },
      streams: { active: 0, ended: { complete: 1, client_gone: 0 } },
      system: { memory: { rss_bytes: expect.any(Number) }, event_loop: expect.anything() },
    })
    expect(report.tokens.cost_usd).toBeCloseTo(288 / 1e6, 12)
    expect(report.totals.requests_per_minute).toBe(5)
  })

  it('is for operators', async () => {
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(401)
    const headers = { 'x-admin-key': adminKey }
    const posted = await fetch(`${gateway.url}/metrics`, { method: 'PUT', headers })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    const open = await fetch(`${gateway.url}/metrics`, {
      headers: { ...headers, accept: 'application/openmetrics-text; version=1.0.0' },
    })
    expect(open.headers.get('content-type')).toContain('application/openmetrics-text')
    expect(await open.text()).toMatch(/# EOF\n$/)
  })

  it('passes promtool', async () => {
    await chat('tide-1')
    await chat('error-503', { path: '/both/v1/chat/completions' })
    expect(await promtoolCheckMetrics(await gateway.metrics())).toEqual([])
  }, 60_000)

  it('gets no more series for a thousand paths that somebody makes up', async () => {
    await fetch(`${gateway.url}/nowhere`)
    await fetch(`${gateway.url}/v1/x`, { headers: { authorization: 'Bearer CANARY-ada' } })
    await gateway.metrics()
    const before = names(await gateway.metrics())
    for (let count = 0; count < 500; count += 1) {
      await (await fetch(`${gateway.url}/${crypto.randomUUID()}?x=${count}`)).text()
      const headers = { authorization: 'Bearer CANARY-ada' }
      await (await fetch(`${gateway.url}/v1/${crypto.randomUUID()}`, { headers })).text()
    }
    expect(names(await gateway.metrics())).toEqual(before)
  }, 60_000)
})

function names(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('#') ? [] : (line.split(' ')[0] ?? [])))
}
