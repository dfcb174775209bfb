import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Asking, ask, gatewayOf, upstreamAt } from './gateway-of.ts'

let main: Provider
let backup: Provider
let gateway: RunningGateway

const bodyLimit = 64 * 1024
const longWait = { 'retry-after': '30', 'retry-after-ms': null }

beforeAll(async () => {
  main = await startProvider({ answers: { model: 'main-model' } })
  backup = await startProvider({ answers: { model: 'backup-model' } })
  const common = { retry: { bodyLimit }, breaker: 'off' }
  gateway = await gatewayOf({
    main: upstreamAt([main], { ...common, models: { fast: 'main-fast', 'main-only': 'x' } }),
    backup: upstreamAt([backup], { ...common, models: { fast: 'backup "fast"' } }),
  })
})
afterEach(() => {
  for (const provider of [main, backup]) provider.always({}).reset()
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  for (const provider of [main, backup]) await provider[Symbol.asyncDispose]()
})

const hits = (): number[] => [main.hits, backup.hits]
const modelsOf = ({ requests }: Provider): unknown[] => requests.map(({ model }) => model)

describe('a model’s alias', () => {
  it('is each upstream’s own', async () => {
    main.always({ status: 503 })
    const answer = await ask(gateway, { model: 'fast' })
    expect(answer).toMatchObject({ status: 200, upstream: 'backup', attempts: 4 })
    expect(modelsOf(main)).toEqual(['main-fast', 'main-fast', 'main-fast'])
    expect(modelsOf(backup)).toEqual(['backup "fast"'])
    expect(answer.text).toContain('backup-model')
  })

  it('that only one of them knows reaches the other as it is', async () => {
    main.always({ status: 503 })
    await ask(gateway, { model: 'main-only' })
    expect(modelsOf(main)[0]).toBe('x')
    expect(modelsOf(backup)).toEqual(['main-only'])
  })

  it('is all that changes in a body', async () => {
    const body = ' {"n":1.0, "mod\\u0065l" : "fast" ,"x":{"model":"fast"},"é":"\\u00e9"}\n'
    expect((await ask(gateway, { body })).status).toBe(200)
    expect(main.lastRequest.text).toBe(body.replace('"fast" ,', '"main-fast" ,'))
    expect(main.lastRequest.header('content-length')).toBe(String(main.lastRequest.body.length))
    expect(main.lastRequest.headerValues('transfer-encoding')).toEqual([])
  })

  it('is found in an uploaded form', async () => {
    const form = new FormData()
    form.append('file', new Blob([Buffer.alloc(1000, 255)]), 'tide.wav')
    form.append('model', 'fast')
    const path = '/v1/audio/transcriptions'
    expect((await ask(gateway, { path, body: form })).status).toBe(200)
    expect(main.lastRequest.text).toContain('name="model"\r\n\r\nmain-fast\r\n')
    expect(main.lastRequest.bodyComplete).toBe(true)
  })

  it('is found in a body of unknown length', async () => {
    const body = JSON.stringify({ model: 'fast', messages: [] })
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    })
    expect(response.status).toBe(200)
    expect(modelsOf(main)).toEqual(['main-fast'])
  })
})

describe('the next upstream', () => {
  it.each([
    ['is down', { fault: { kind: 'reset', at: 'before-headers' } }, 3],
    ['answers 500', { status: 500 }, 3],
    ['is overloaded', { status: 529 }, 3],
    ['is silent', { fault: { kind: 'stall', at: 'before-headers' } }, 1],
    ['asks for a long wait', { status: 429, headers: longWait }, 1],
    [
      'cuts JSON in half',
      { body: '{"choices":[', headers: { 'content-type': 'application/json' } },
      3,
    ],
  ] as const)('is asked when the first %s', async (_, behaviour, tries) => {
    main.always(behaviour)
    const answer = await ask(gateway)
    expect(answer).toMatchObject({ status: 200, upstream: 'backup', attempts: tries + 1 })
    expect(hits()).toEqual([tries, 1])
  })

  it.each([400, 401, 403, 404, 413, 422, 501])('is not asked for a %i', async (status) => {
    main.always({ status })
    const answer = await ask(gateway)
    expect(answer).toMatchObject({ status, upstream: 'main', attempts: 1 })
    expect(hits()).toEqual([1, 0])
  })

  it.each([
    ['false', 503, [1, 0]],
    ['true', 400, [3, 1]],
  ] as const)('is asked as x-should-retry: %s says', async (advice, status, expected) => {
    main.always({ status, headers: { 'x-should-retry': advice } })
    await ask(gateway)
    expect(hits()).toEqual(expected)
  })

  it('is asked for a stream that breaks before its first event', async () => {
    main.always({ fault: { kind: 'reset', at: 'after-headers' } })
    const answer = await ask(gateway, { stream: true })
    expect(answer).toMatchObject({ status: 200, upstream: 'backup', attempts: 4, broken: false })
    expect(answer.text).toMatch(/data: \[DONE\]\n\n$/)
    expect(hits()).toEqual([3, 1])
  })

  it('is not asked for a stream that breaks after it', async () => {
    main.always({ fault: { kind: 'reset', at: { events: 2 } } })
    const answer = await ask(gateway, { stream: true })
    expect(answer).toMatchObject({ status: 200, upstream: 'main', attempts: 1 })
    expect(answer.text).toContain('"code":"stream_interrupted"')
    expect(answer.text).not.toContain('[DONE]')
    expect(hits()).toEqual([1, 0])
  })

  it('makes no more than six attempts in all', async () => {
    main.always({ status: 503 })
    backup.always({ status: 502 })
    const answer = await ask(gateway)
    expect([answer.status, answer.attempts, answer.upstream]).toEqual([502, 6, 'backup'])
    expect(hits()).toEqual([3, 3])
  })
})

describe('when nothing is left', () => {
  it('the last answer comes as it is, but for the advice to retry', async () => {
    for (const each of [main, backup]) each.always({ status: 503, headers: { 'retry-after': '7' } })
    const answer = await ask(gateway)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(JSON.parse(answer.text)).toHaveProperty('error.message')
    expect(hits()).toEqual([1, 1])
  })

  it('an SDK’s retries do not multiply ours', async () => {
    for (const each of [main, backup]) each.always({ status: 503 })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 5 })
    const asking = client.chat.completions.create({ model: 'tide', messages: [] })
    await expect(asking).rejects.toMatchObject({ status: 503 })
    expect(hits()).toEqual([3, 3])
  })
})

describe('a body', () => {
  const ofSize = (size: number): Asking => {
    const frame = JSON.stringify({ model: 'tide', messages: [{ role: 'user', content: '' }] })
    return { body: frame.replace('""', `"${'x'.repeat(size - frame.length)}"`) }
  }
  let plain: RunningGateway

  beforeAll(async () => {
    const common = { retry: { bodyLimit: 100_000 }, breaker: 'off' }
    plain = await gatewayOf({
      main: upstreamAt([main], common),
      backup: upstreamAt([backup], common),
    })
  })
  afterAll(async () => await plain[Symbol.asyncDispose]())

  it('of up to retry.bodyLimit is sent again, byte for byte', async () => {
    main.always({ status: 503 })
    const asking = ofSize(100_000)
    expect(await ask(plain, asking)).toMatchObject({ status: 200, upstream: 'backup', attempts: 4 })
    expect(hits()).toEqual([3, 1])
    for (const { text } of [...main.requests, ...backup.requests]) expect(text).toBe(asking.body)
  })

  it('above it is sent once', async () => {
    main.always({ status: 503 })
    const answer = await ask(plain, ofSize(100_001))
    expect(answer).toMatchObject({ status: 503, upstream: 'main', attempts: 1 })
    expect(answer.headers.get('x-should-retry')).not.toBe('false')
    expect(hits()).toEqual([1, 0])
    expect(main.lastRequest.bodyComplete).toBe(true)
  })

  it('of unknown length is sent once', async () => {
    main.always({ fault: { kind: 'reset', at: 'before-headers' } })
    const response = await fetch(`${plain.url}/v1/chat/completions`, {
      method: 'POST',
      body: new Blob(['{"model":"tide"}']).stream(),
      duplex: 'half',
    })
    expect(response.status).toBe(502)
    expect(hits()).toEqual([1, 0])
  })

  it('of unknown length goes to the next upstream while none has been asked', async () => {
    const port = { url: 'http://127.0.0.1:9' }
    const common = { breaker: { failures: 1, openFor: '1m' }, retry: 'off' }
    await using opened = await gatewayOf({
      main: upstreamAt([port], common),
      backup: upstreamAt([backup], common),
    })
    // The first call opens the breaker of an endpoint that is not there.
    await ask(opened)
    const response = await fetch(`${opened.url}/v1/chat/completions`, {
      method: 'POST',
      body: new Blob(['{"model":"tide"}']).stream(),
      duplex: 'half',
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-tidegate-attempts')).toBe('1')
    expect(backup.lastRequest.text).toBe('{"model":"tide"}')
  })
})

describe('an upstream that is no model', () => {
  let http: RunningGateway

  beforeAll(async () => {
    http = await gatewayOf({
      main: upstreamAt([main], { protocol: 'http', breaker: 'off' }),
      backup: upstreamAt([backup], { protocol: 'http', breaker: 'off' }),
    })
  })
  afterAll(async () => await http[Symbol.asyncDispose]())

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('is asked again with %s', async (method) => {
    main.always({ status: 503 })
    const body = method === 'PUT' ? 'x' : null
    expect(await ask(http, { method, path: '/echo/x', body })).toMatchObject({ attempts: 4 })
    expect(hits()).toEqual([3, 1])
  })

  it.each([
    ['POST', { status: 503 }],
    ['PATCH', { status: 503 }],
    ['POST', { fault: { kind: 'reset', at: 'before-headers' } }],
    ['POST', { fault: { kind: 'stall', at: 'before-headers' } }],
  ] as const)('is asked once with %s that meets %j', async (method, behaviour) => {
    main.always(behaviour)
    await ask(http, { method, path: '/echo/x', body: 'x' })
    expect(hits()).toEqual([1, 0])
  })

  it('is followed by the next for a POST that could not be sent', async () => {
    await main.die('refuse')
    const answer = await ask(http, { path: '/echo/x', body: 'x' })
    await main.recover()
    expect(answer).toMatchObject({ status: 200, upstream: 'backup' })
    expect(hits()).toEqual([0, 1])
  })

  it('answers 409, 507 and 529 itself', async () => {
    for (const status of [409, 507, 529]) {
      main.always({ status })
      expect(await ask(http, { method: 'GET', path: '/echo/x' })).toMatchObject({ status })
    }
    expect(hits()).toEqual([3, 0])
  })
})
