import { once } from 'node:events'
import {
  canary,
  findCanaries,
  type OtlpCollector,
  type Provider,
  pollUntil,
  startOtlpCollector,
  startProvider,
  startWebSocketUpstream,
} from '@tidegate/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { chat, clientKey, tracedGateway, traceOf } from './traced-gateway.fixture.ts'

let [collector, provider, other]: [OtlpCollector, Provider, Provider] = [] as never

const usage = { input: 12, output: 30 }
const callersTrace = '0af7651916cd43dd8448eb211c80319c'
const callersSpan = 'b7ad6b7169203331'
const recorded = `00-${callersTrace}-${callersSpan}-01`
const unrecorded = `00-${callersTrace}-${callersSpan}-00`
const behindProxy = { more: { server: { trustedProxies: ['127.0.0.1/32'] } } }

beforeEach(async () => {
  collector = await startOtlpCollector()
  provider = await startProvider({ answers: { usage } })
  other = await startProvider({ answers: { usage } })
})

afterEach(async () => {
  for (const each of [collector, provider, other]) await each[Symbol.asyncDispose]()
})

describe('a trace', () => {
  it('has the request, its steps and its attempt, which the upstream hears of', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], {
      route: { limits: ['tier'] },
    })
    await chat(gateway, {}, { 'user-agent': 'tests/1' })
    const { root, steps, attempts, spans } = await traceOf(collector)
    expect(root).toMatchObject({
      ...{ name: 'POST /v1/**', parentSpanId: undefined, links: [] },
      resource: { 'service.name': 'tidegate', 'service.version': 'test' },
      status: { code: 'unset' },
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/**',
        'http.response.status_code': 200,
        'url.path': '/v1/chat/completions',
        'url.scheme': 'http',
        'client.address': '127.0.0.1',
        'user_agent.original': 'tests/1',
        'tidegate.upstream': 'up0',
        'tidegate.attempts': 1,
        'tidegate.outcome': 'complete',
      },
    })
    expect(steps.map(({ name }) => name)).toEqual(['auth', 'limits'])
    expect(attempts).toHaveLength(1)
    const [attempt] = attempts
    expect(attempt).toMatchObject({
      name: 'POST up0',
      status: { code: 'unset' },
      attributes: {
        'http.request.method': 'POST',
        'url.full': `${provider.url}/v1/chat/completions`,
        'server.address': '127.0.0.1',
        'server.port': provider.port,
        'http.response.status_code': 200,
        'tidegate.attempt.kind': 'first',
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'tide-1',
        'gen_ai.response.model': 'tide-1',
        'gen_ai.usage.input_tokens': 12,
        'gen_ai.usage.output_tokens': 30,
      },
    })
    expect(attempt?.attributes).not.toHaveProperty('http.request.resend_count')
    expect(spans).toHaveLength(4)
    expect(provider.lastRequest.headers.traceparent).toBe(
      `00-${root.traceId}-${attempt?.spanId}-03`,
    )
  })

  it('is named by every line of the log that is written for the request', async () => {
    await using gateway = await tracedGateway(collector, [provider.url])
    provider.next({ status: 503 }, { status: 503 })
    await chat(gateway)
    const { root } = await traceOf(collector)
    const lines = gateway.lines.filter((line) => line.request_id !== undefined)
    expect(lines.map(({ message }) => message)).toContain('request')
    for (const line of lines) {
      expect(line).toMatchObject({ trace_id: root.traceId, span_id: root.spanId })
    }
  })

  it('has attempts that end with their bodies, and says when those began', async () => {
    await using gateway = await tracedGateway(collector, [provider.url])
    const ended = Promise.withResolvers<void>()
    provider.next({ beforeEvent: (index) => (index === 5 ? ended.promise : undefined) })
    const asked = chat(gateway, { stream: true })
    await pollUntil(async () => provider.hits === 1, { describe: () => 'not asked' })
    expect(collector.spans.filter(({ kind }) => kind !== 'internal')).toEqual([])
    ended.resolve()
    await asked
    const { attempts } = await traceOf(collector)
    const [first] = attempts[0]?.events ?? []
    expect(first?.name).toBe('tidegate.first_byte')
    expect(first?.timeUnixNano).toBeLessThan(attempts[0]?.endTimeUnixNano ?? 0n)
  })

  it('has siblings of repeated attempts, and the reasons for them', async () => {
    await using gateway = await tracedGateway(collector, [provider.url])
    provider.next({ status: 503 })
    expect((await chat(gateway)).status).toBe(200)
    const { root, attempts } = await traceOf(collector)
    expect(attempts).toMatchObject([
      {
        status: { code: 'error' },
        attributes: { 'error.type': '503', 'http.response.status_code': 503 },
      },
      {
        status: { code: 'unset' },
        attributes: { 'http.request.resend_count': 1, 'tidegate.attempt.kind': 'retry' },
      },
    ])
    expect(root).toMatchObject({
      status: { code: 'unset' },
      attributes: { 'tidegate.attempts': 2 },
      events: [{ name: 'tidegate.retry', attributes: { 'tidegate.after': 'status_503' } }],
    })
    const sent = provider.requests.map(({ headers }) => headers.traceparent)
    expect(sent).toEqual(attempts.map(({ spanId }) => `00-${root.traceId}-${spanId}-03`))
  })

  it('shows a failover as an attempt elsewhere', async () => {
    await using gateway = await tracedGateway(collector, [provider.url, other.url])
    provider.next({ fault: { kind: 'reset', at: 'before-headers' } })
    expect((await chat(gateway)).status).toBe(200)
    const { attempts } = await traceOf(collector)
    expect(attempts).toMatchObject([
      {
        name: 'POST up0',
        status: { code: 'error' },
        attributes: { 'error.type': 'upstream_reset' },
      },
      { name: 'POST up1', attributes: { 'tidegate.attempt.kind': 'failover' } },
    ])
  })

  it('shows a hedge beside the one it was faster than, which is no error', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], {
      upstream: {
        endpoints: [provider, other].map(({ url }) => ({ url: `${url}/v1` })),
        hedge: { after: '10ms', budget: '100%' },
      },
    })
    const slow = Promise.withResolvers<void>()
    const isFirst = (): boolean => provider.hits + other.hits === 1
    const behaviour = { beforeHeaders: () => (isFirst() ? slow.promise : Promise.resolve()) }
    provider.next(behaviour)
    other.next(behaviour)
    expect((await chat(gateway)).status).toBe(200)
    slow.resolve()
    const { attempts } = await traceOf(collector)
    expect(attempts).toHaveLength(2)
    expect(attempts).toContainEqual(
      expect.objectContaining({
        status: { code: 'unset', message: '' },
        attributes: expect.objectContaining({
          'tidegate.attempt.kind': 'first',
          'tidegate.outcome': 'lost_race',
        }),
      }),
    )
    expect(attempts).toContainEqual(
      expect.objectContaining({
        attributes: expect.objectContaining({
          'tidegate.attempt.kind': 'hedge',
          'tidegate.outcome': 'complete',
        }),
      }),
    )
  })

  it('tells what went wrong: with the upstream as an error, with the request as none', async () => {
    await using gateway = await tracedGateway(collector, [provider.url])
    await chat(gateway, {}, { authorization: 'Bearer wrong' })
    const refused = await traceOf(collector)
    expect(refused.root).toMatchObject({
      status: { code: 'unset' },
      attributes: { 'http.response.status_code': 401 },
    })
    expect(refused.steps).toMatchObject([{ name: 'auth', status: { code: 'unset' } }])
    expect(refused.steps[0]?.attributes).toHaveProperty('tidegate.error_code')
    provider.next({ fault: { kind: 'reset' } })
    await chat(gateway, { stream: true }).catch(() => {})
    const broken = await traceOf(collector, ({ attributes }) => 'tidegate.upstream' in attributes)
    expect(broken.root).toMatchObject({
      status: { code: 'error' },
      attributes: { 'tidegate.outcome': 'upstream_broken' },
    })
    expect(broken.attempts.at(-1)).toMatchObject({
      status: { code: 'error' },
      attributes: { 'error.type': 'stream_interrupted', 'tidegate.outcome': 'failed' },
    })
  })

  it('has no secret, and nothing of what was said', async () => {
    const key = canary('key', 'sk-')
    await using gateway = await tracedGateway(collector, [provider.url], {
      more: { auth: { keys: [{ id: 'ada', key }] }, tiers: {} },
      tracing: { headers: { 'x-collector': 'of the collector' } },
    })
    provider.next({ text: canary('answer'), headers: { 'x-answer': canary('header') } })
    await chat(
      gateway,
      { messages: [{ role: 'user', content: canary('question') }], user: canary('user') },
      {
        authorization: `Bearer ${key}`,
        cookie: `session=${canary('cookie')}`,
        'x-api-key': canary('other'),
        'x-session-id': canary('session'),
        baggage: `secret=${canary('baggage')}`,
      },
      `/v1/chat/completions?key=${canary('query')}`,
    )
    await traceOf(collector)
    await gateway.telemetry.close()
    expect(collector.exports.length).toBeGreaterThan(0)
    for (const { body, headers } of collector.exports) {
      expect(findCanaries(body)).toEqual([])
      expect(headers['x-collector']).toBe('of the collector')
    }
  })

  it('is complete when the gateway ends, however long spans may wait for others', async () => {
    const gateway = await tracedGateway(collector, [provider.url], {
      env: { OTEL_BSP_SCHEDULE_DELAY: '3600000' },
    })
    await chat(gateway)
    await pollUntil(async () => gateway.lines.some(({ message }) => message === 'request'), {
      describe: () => 'no line',
    })
    expect(collector.spans).toEqual([])
    await gateway[Symbol.asyncDispose]()
    expect((await traceOf(collector)).attempts).toHaveLength(1)
  })
})

describe('the trace context of a caller', () => {
  it('is gone on with behind a trusted proxy, its tracestate kept', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], behindProxy)
    await chat(gateway, {}, { traceparent: recorded, tracestate: 'a=1,b=2' })
    const { root, attempts } = await traceOf(collector)
    expect(root).toMatchObject({ traceId: callersTrace, parentSpanId: callersSpan })
    expect(root.traceState).toBe('a=1,b=2')
    expect(provider.lastRequest.headers).toMatchObject({
      traceparent: `00-${callersTrace}-${attempts[0]?.spanId}-01`,
      tracestate: 'a=1,b=2',
    })
  })

  it('is gone on with unrecorded where the caller does not record', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], behindProxy)
    await chat(gateway, {}, { traceparent: unrecorded, tracestate: 'a=1' })
    await gateway.telemetry.close()
    expect(collector.spans).toEqual([])
    const { traceparent, tracestate } = provider.lastRequest.headers
    expect(traceparent).toMatch(new RegExp(`^00-${callersTrace}-[0-9a-f]{16}-00$`))
    expect(traceparent).not.toContain(callersSpan)
    expect(tracestate).toBe('a=1')
    const line = gateway.lines.find(({ message }) => message === 'request')
    expect(line?.trace_id).toBe(callersTrace)
    expect(traceparent).toContain(String(line?.span_id))
  })

  it.each([
    ['anybody', {}],
    [
      'a trusted proxy that is not to be followed',
      { ...behindProxy, tracing: { parent: 'never' } },
    ],
  ])('of %s is only linked to', async (_, options) => {
    await using gateway = await tracedGateway(collector, [provider.url], options)
    await chat(gateway, {}, { traceparent: recorded, tracestate: 'a=1' })
    const { root } = await traceOf(collector)
    expect(root).toMatchObject({ parentSpanId: undefined, traceState: '' })
    expect(root.traceId).not.toBe(callersTrace)
    expect(root.links).toMatchObject([{ traceId: callersTrace, spanId: callersSpan }])
    expect(provider.lastRequest.headers.traceparent).toContain(root.traceId)
    expect(provider.lastRequest.headers).not.toHaveProperty('tracestate')
  })

  it('of anybody is gone on with where that is wanted', async () => {
    const options = { tracing: { parent: 'always' } }
    await using gateway = await tracedGateway(collector, [provider.url], options)
    await chat(gateway, {}, { traceparent: recorded })
    expect((await traceOf(collector)).root.traceId).toBe(callersTrace)
  })

  it.each([
    ['of zeros', `00-${'0'.repeat(32)}-${callersSpan}-01`],
    ['in upper case', recorded.toUpperCase()],
    ['of a version that is none', recorded.replace('00', 'ff')],
    ['with more than its version has', `${recorded}-00`],
    ['that came twice', `${recorded}, ${recorded}`],
  ])('%s begins a new trace', async (_, traceparent) => {
    await using gateway = await tracedGateway(collector, [provider.url], behindProxy)
    await chat(gateway, {}, { traceparent, tracestate: 'a=1' })
    const { root } = await traceOf(collector)
    expect(root.traceId).not.toBe(callersTrace)
    expect(root).toMatchObject({ parentSpanId: undefined, links: [] })
    expect(provider.lastRequest.headers).not.toHaveProperty('tracestate')
  })

  it('passes as it came where there is no collector', async () => {
    await using gateway = await tracedGateway(undefined, [provider.url])
    await chat(gateway, {}, { traceparent: recorded, tracestate: 'a=1' })
    expect(provider.lastRequest.headers).toMatchObject({ traceparent: recorded, tracestate: 'a=1' })
    await chat(gateway)
    expect(provider.lastRequest.headers).not.toHaveProperty('traceparent')
    for (const line of gateway.lines) expect(line).not.toHaveProperty('trace_id')
  })
})

describe('sampling', () => {
  it('records nothing with a share of 0, and goes on with the context all the same', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], {
      tracing: { sample: '0%' },
    })
    await chat(gateway, {}, { traceparent: recorded })
    await gateway.telemetry.close()
    expect(collector.spans).toEqual([])
    const line = gateway.lines.find(({ message }) => message === 'request')
    expect(provider.lastRequest.headers.traceparent).toBe(
      `00-${line?.trace_id}-${line?.span_id}-02`,
    )
  })

  it('goes by the environment before the file', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], {
      ...behindProxy,
      env: { OTEL_TRACES_SAMPLER: 'always_off', OTEL_SERVICE_NAME: 'edge' },
    })
    await chat(gateway, {}, { traceparent: recorded })
    await gateway.telemetry.close()
    expect(collector.spans).toEqual([])
    const metric = await collector.waitForMetric(({ name }) => name.startsWith('http.server'))
    expect(metric).toMatchObject({ name: 'http.server.request.duration' })
  })
})

describe('a call that answers several', () => {
  it('is in the trace of the one who led to it; the others say that it was shared', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], {
      route: { coalesce: true },
    })
    const answer = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => answer.promise })
    const asked = [chat(gateway), chat(gateway)]
    await pollUntil(async () => provider.hits === 1, { describe: () => 'not asked' })
    await pollUntil(
      async () => collector.spans.filter(({ name }) => name === 'cache').length === 2,
      {
        describe: () => `${collector.spans.map(({ name }) => name)}`,
      },
    )
    answer.resolve()
    const answers = await Promise.all(asked)
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    const follower = await traceOf(
      collector,
      ({ attributes }) => attributes['tidegate.shared'] === true,
    )
    expect(follower.attempts).toEqual([])
    expect(follower.root.attributes['tidegate.cache']).toBe('coalesced')
    const leader = await traceOf(collector, ({ traceId }) => traceId !== follower.root.traceId)
    expect(leader.attempts).toHaveLength(1)
    expect(provider.hits).toBe(1)
  })
})

describe('a call that outlives the one who led to it', () => {
  it('ends in that trace, and so does its line', async () => {
    await using gateway = await tracedGateway(collector, [provider.url], {
      route: { coalesce: true, idempotency: '1h' },
    })
    const answer = Promise.withResolvers<void>()
    provider.next({ beforeHeaders: () => answer.promise })
    const leaving = new AbortController()
    const asked = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${clientKey}`, 'idempotency-key': '"one"' },
      body: JSON.stringify({ model: 'tide-1', messages: [] }),
      signal: leaving.signal,
    })
    await pollUntil(async () => provider.hits === 1, { describe: () => 'not asked' })
    leaving.abort()
    await expect(asked).rejects.toThrow()
    const { root } = await traceOf(collector)
    expect(root).toMatchObject({
      status: { code: 'unset' },
      attributes: { 'tidegate.outcome': 'client_gone', 'http.response.status_code': 499 },
    })
    answer.resolve()
    const attempt = await collector.waitForSpan(({ kind }) => kind === 'client')
    expect(attempt).toMatchObject({ traceId: root.traceId, parentSpanId: root.spanId })
    await pollUntil(
      async () => gateway.lines.some(({ message }) => message === 'shared call ended'),
      { describe: () => 'no line' },
    )
    const line = gateway.lines.find(({ message }) => message === 'shared call ended')
    expect(line).toMatchObject({ trace_id: root.traceId, span_id: root.spanId })
  })
})

describe('a WebSocket', () => {
  it('has the trace of its handshake, told to the upstream', async () => {
    await using upstream = await startWebSocketUpstream()
    await using gateway = await tracedGateway(collector, [upstream.url.replace('ws:', 'http:')], {
      route: { auth: 'none' },
    })
    const socket = new WebSocket(`${gateway.url.replace('http:', 'ws:')}/v1/realtime`)
    await once(socket, 'open')
    socket.close()
    const { root } = await traceOf(collector)
    expect(root).toMatchObject({
      name: 'GET /v1/**',
      attributes: { 'http.response.status_code': 101, 'tidegate.outcome': 'complete' },
    })
    const [handshake] = upstream.handshakes
    expect(handshake?.headers.traceparent).toContain(`${root.traceId}-${root.spanId}-`)
  })
})

describe('a gateway whose collector fails', () => {
  it.each([
    ['hangs', 'hang'],
    ['refuses connections', 'refuse'],
    ['answers with errors', { status: 500 }],
  ] as const)('serves on when it %s, counts spans and tells of it', async (_, mode) => {
    await using gateway = await tracedGateway(collector, [provider.url], {
      env: { OTEL_EXPORTER_OTLP_TIMEOUT: '300', OTEL_BSP_MAX_QUEUE_SIZE: '8' },
    })
    await collector.behave(mode)
    for (let count = 0; count < 20; count += 1) expect((await chat(gateway)).status).toBe(200)
    await pollUntil(
      async () => /^tidegate_spans_dropped_total [1-9]/m.test(await gateway.metrics()),
      { describe: () => 'nothing dropped' },
    )
    const told = gateway.lines.filter(({ message }) => String(message).includes('collector'))
    expect(told).toMatchObject([{ level: 'warn', signal: 'traces' }])
    expect(JSON.stringify(told)).not.toContain(clientKey)
  })
})
