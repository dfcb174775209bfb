import { createMetrics, genAiTokenUsage } from '@tidegate/telemetry'
import { describe, expect, it } from 'vitest'
import { createSampler } from './sampler.ts'

function sampled() {
  const metrics = createMetrics()
  const sampler = createSampler({
    ...{ metrics, upstreams: ['openai'] },
    isOwn: (route) => route === '/metrics/*',
    process: { read: () => ({ cpuRatio: 0.25, rssBytes: 1_000, eventLoopDelayMs: 3 }) },
  })
  return { metrics, sampler }
}

const help = 'What it is.'

describe('createSampler', () => {
  it('tells what requests there were since it was asked before', () => {
    const { metrics, sampler } = sampled()
    const requests = metrics.counter('tidegate_requests_total', {
      ...{ help, labels: ['http_route', 'outcome'] },
    })
    requests.series('/v1/**', 'success').add(18)
    requests.series('/v1/**', 'server_error').add(2)
    expect(sampler()).toMatchObject({
      ...{ 'requests.rate': 20, 'errors.rate': 2 },
      'errors.ratio': { value: 0.1, weight: 20 },
    })
    requests.series('/other/**', 'success').add(5)
    const { 'errors.ratio': ratio, 'requests.rate': rate } = sampler()
    expect([rate, ratio]).toEqual([5, { value: 0, weight: 5 }])
    expect(sampler()).toMatchObject({ 'requests.rate': 0, 'errors.ratio': undefined })
  })

  it('weighs latencies by requests, and leaves those of the gateway itself out', () => {
    const { metrics, sampler } = sampled()
    const took = metrics.histogram('http_server_request_duration_seconds', {
      ...{ help, unit: 'seconds', labels: ['http_route', 'http_response_status_code'] },
    })
    for (let at = 0; at < 10; at += 1) took.series('/v1/**', '200').record(0.1)
    took.series('/metrics/*', '200').record(30)
    took.series('', '404').record(40)
    took.series('/v1/**', '101').record(3_600)
    const { 'latency.p99': p99, 'overhead.p95': overhead } = sampler()
    expect(p99).toMatchObject({ weight: 10 })
    expect(Math.abs((p99 as { value: number }).value - 100)).toBeLessThan(4)
    expect(overhead).toBeUndefined()
    took.series('/v1/**', '200').record(2)
    expect((sampler()['latency.p50'] as { value: number }).value).toBeGreaterThan(1_900)
  })

  it("tells attempts by upstream, and counts what wasn't the upstream's fault as no error", () => {
    const { metrics, sampler } = sampled()
    const labels = ['tidegate_upstream', 'error_type'] as const
    const took = metrics.histogram('http_client_request_duration_seconds', {
      ...{ help, unit: 'seconds', labels },
    })
    const noFaults = ['', '400', 'client_gone', 'lost_race', 'payload_too_large', 'request_timeout']
    for (const error of [...noFaults, '429', '503', 'upstream_timeout']) {
      took.series('openai', error).record(0.2)
    }
    took.series('unknown', '').record(1)
    const attempts = metrics.counter('tidegate_upstream_attempts_total', { help, labels: ['kind'] })
    for (const kind of ['first', 'retry', 'failover', 'hedge']) attempts.series(kind).add()
    const samples = sampler()
    expect(samples).toMatchObject({
      ...{ 'upstream.openai.requests': 9, 'upstream.openai.errors': 3 },
      ...{ 'retries.rate': 2, 'hedges.rate': 1 },
      'upstream.openai.latency.p95': { weight: 9 },
    })
    expect(Object.keys(samples).filter((name) => name.includes('unknown'))).toEqual([])
  })

  it('reads what is only observed, tokens, the cache, limits, and the process', () => {
    const { metrics, sampler } = sampled()
    const tokens = metrics.histogram(genAiTokenUsage.name, genAiTokenUsage)
    tokens.series('chat', 'openai', 'gpt', 'input').record(800)
    tokens.series('chat', 'openai', 'gpt', 'output').record(70)
    metrics.counter('tidegate_cost_usd_total', { help }).series().add(0.5)
    const results = metrics.counter('tidegate_cache_requests_total', { help, labels: ['result'] })
    const limits = metrics.counter('tidegate_limit_decisions_total', { help, labels: ['outcome'] })
    const active = metrics.upDownCounter('tidegate_streams_active', { help })
    metrics.observe([active], () => {
      for (const result of ['hit', 'stale', 'miss', 'bypass']) results.series(result).raise(2)
      limits.series('allowed').raise(9)
      limits.series('denied').raise(1)
      active.series().set(7)
    })
    expect(sampler()).toMatchObject({
      ...{ 'tokens.input': 800, 'tokens.output': 70, 'cost.usd': 0.5, 'streams.active': 7 },
      'cache.hit_ratio': { value: 4 / 6, weight: 6 },
      'limits.denied': 1,
      'limits.violation_ratio': { value: 0.1, weight: 10 },
      ...{ 'cpu.ratio': 0.25, 'memory.rss': 1_000, 'eventloop.delay': 3 },
    })
    expect(sampler()).toMatchObject({ 'tokens.input': 0, 'cache.hit_ratio': undefined })
  })
})
