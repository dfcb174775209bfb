import { type Provider, startProvider } from '@tidegate/testkit'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createHttpClient, type HttpClient } from './client.ts'
import type { HttpClientEvent } from './events.ts'
import type { HttpClientOptions } from './options.ts'

const [a, b, c] = await Promise.all([startProvider(), startProvider(), startProvider()])
const all: readonly Provider[] = [a, b, c]
beforeAll(() => async () => {
  for (const provider of all) await provider[Symbol.asyncDispose]()
})
beforeEach(() => {
  for (const provider of all) provider.reset()
})

const clients: HttpClient[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close({ graceMs: 0 })))
  for (const provider of all) await provider.recover()
})

function clientOf(options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = createHttpClient({
    baseUrls: [a.url, b.url],
    retry: { initial: 1, max: 1 },
    // Draws the first endpoint that is usable.
    random: () => 0,
    ...options,
  })
  clients.push(client)
  return client
}

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error,
  )

const reset = { fault: { kind: 'reset', at: 'before-headers' } } as const
const silent = { fault: { kind: 'stall', at: 'before-headers' } } as const

describe('a call with several endpoints', () => {
  it.each([
    ['a reset', reset],
    ['silence', silent],
    ['a 503', { status: 503 }],
    ['half a body', { fault: { kind: 'close' } }],
  ] as const)('turns to another at once after %s', async (_, behaviour) => {
    a.always(behaviour)
    const events: HttpClientEvent[] = []
    const client = clientOf({
      retry: { retries: 0, initial: 60_000 },
      timeouts: { firstByteMs: 150 },
      onEvent: (event) => events.push(event),
    })
    const { endpoint, attempts } = await client.get('/v1/models')
    expect([endpoint, attempts]).toEqual([b.url, 2])
    expect(events.find(({ type }) => type === 'retry')).toMatchObject({
      endpoint: a.url,
      waitMs: 0,
    })
  })

  it('turns to another also with a POST when nothing was sent', async () => {
    await a.die()
    const { endpoint } = await clientOf().post('/v1/embeddings', {
      json: { model: 'm', input: 'x' },
    })
    expect(endpoint).toBe(b.url)
  })

  it('does not turn to another with a POST that may have arrived', async () => {
    a.always(reset)
    await failureOf(clientOf().post('/x'))
    expect([a.hits, b.hits]).toEqual([1, 0])
  })

  it('goes round all of them, then waits to come back, at most six times', async () => {
    for (const provider of all) provider.always(reset)
    const client = clientOf({
      baseUrls: all.map(({ url }) => url),
      retry: { retries: 9, initial: 1, max: 1 },
      breaker: false,
    })
    const error = await failureOf(client.get('/x'))
    expect(error).toMatchObject({ code: 'all_endpoints_failed', errors: { length: 6 } })
    expect(error).toMatchObject({ cause: { code: 'connection_failed' } })
    const { timeline } = error as { timeline: { kind: string; endpoint?: string }[] }
    expect(timeline.map(({ kind }) => kind)).toEqual([
      ...['failure', 'failure', 'failure', 'wait', 'failure', 'wait', 'failure', 'wait', 'failure'],
    ])
    const first = timeline.slice(0, 3).map(({ endpoint }) => endpoint)
    expect(new Set(first).size).toBe(3)
    expect(a.hits + b.hits + c.hits).toBe(6)
  })

  it('that all answer badly ends with the last answer', async () => {
    a.always({ status: 503 })
    b.always({ status: 502, body: 'bad' })
    const error = await failureOf(clientOf({ retry: { retries: 0 } }).get('/x'))
    expect(error).toMatchObject({ code: 'http_status', status: 502, body: 'bad', endpoint: b.url })
  })

  it('leaves alone, for a while, the one that asked for it', async () => {
    a.next({ status: 429, headers: { 'retry-after': '30' } })
    const client = clientOf()
    expect(await client.get('/v1/models')).toMatchObject({ endpoint: b.url, attempts: 2 })
    expect(await client.get('/v1/models')).toMatchObject({ endpoint: b.url, attempts: 1 })
    expect(client.stats().endpoints).toMatchObject([{ breaker: 'closed', failures: 0 }, {}])
    // Nobody else is left: a request to wait is no refusal.
    await b.die()
    expect(await client.get('/v1/models')).toMatchObject({ endpoint: a.url })
  })

  it('shares its calls by weight', async () => {
    const client = clientOf({
      baseUrls: [
        { url: a.url, weight: 3 },
        { url: b.url, weight: 1 },
      ],
      random: Math.random,
    })
    for (let index = 0; index < 200; index++) await client.get('/status/200')
    expect(a.hits).toBeGreaterThan(b.hits * 1.5)
    expect(b.hits).toBeGreaterThan(10)
  })

  it('prefers the less busy one', async () => {
    const gate = Promise.withResolvers<void>()
    a.always({ json: 1, beforeHeaders: () => gate.promise })
    const client = clientOf()
    const slow = client.get('/x')
    await a.waitForRequest()
    for (let index = 0; index < 5; index++) await client.get('/status/200')
    expect([a.hits, b.hits]).toEqual([1, 5])
    gate.resolve()
    await slow
  })

  it('keeps a backup for when the others fail', async () => {
    const client = clientOf({
      baseUrls: [{ url: b.url, priority: 1 }, { url: a.url }],
    })
    for (let index = 0; index < 5; index++) await client.get('/status/200')
    expect([a.hits, b.hits]).toEqual([5, 0])
    await a.die()
    expect(await client.get('/status/200')).toMatchObject({ endpoint: b.url })
  })
})

describe('an endpoint that fails', () => {
  const breaker = { failures: 3, openForMs: 500 }

  it('is left alone, probed by one call, and used again', async () => {
    const events: HttpClientEvent[] = []
    const client = clientOf({
      breaker,
      onEvent: (event) => event.type === 'breaker' && events.push(event),
    })
    a.always(reset)
    for (let index = 0; index < 6; index++) {
      expect(await client.get('/v1/models')).toMatchObject({ endpoint: b.url })
    }
    expect(a.hits).toBe(3)
    expect(client.stats().endpoints[0]).toMatchObject({ breaker: 'open', failures: 3 })
    a.always({ json: 'again' })
    await expect.poll(async () => (await client.get('/v1/models')).endpoint).toBe(a.url)
    const changes = events.map((event) => event.type === 'breaker' && `${event.from} ${event.to}`)
    expect(changes).toEqual(['closed open', 'open half-open', 'half-open closed'])
  })

  it('alone is refused without being asked, with the time until it is', async () => {
    const client = clientOf({ baseUrls: a.url, breaker: { failures: 3, openForMs: 60_000 } })
    a.always({ status: 500 })
    expect(await failureOf(client.get('/x'))).toMatchObject({ code: 'http_status' })
    expect(a.hits).toBe(3)
    const error = await failureOf(client.get('/x'))
    expect(error).toMatchObject({ code: 'circuit_open', timeline: [{ kind: 'rejected' }] })
    const { retryAfterMs } = error as { retryAfterMs: number }
    expect(retryAfterMs).toBeGreaterThan(50_000)
    expect(a.hits).toBe(3)
  })

  it('lets one probe through at a time, held until its body has ended', async () => {
    const client = clientOf({
      baseUrls: a.url,
      breaker: { failures: 1, openForMs: 30 },
      retry: false,
    })
    a.next({ status: 500 })
    await failureOf(client.get('/x'))
    await expect.poll(() => client.stats().endpoints[0]?.breaker).toBe('half-open')
    const gate = Promise.withResolvers<void>()
    a.next({ body: 'x'.repeat(100), cut: 50, beforeEvent: () => gate.promise })
    const probe = client.get('/x')
    await a.waitForRequest(1)
    expect(await failureOf(client.get('/x'))).toMatchObject({ code: 'circuit_open' })
    gate.resolve()
    await probe
    expect(client.stats().endpoints[0]?.breaker).toBe('closed')
    expect(a.hits).toBe(2)
  })

  it('is not blamed for aborts, bad data and client errors', async () => {
    const client = clientOf({ baseUrls: a.url, breaker: { failures: 1, openForMs: 60_000 } })
    a.next(
      { status: 400 },
      { status: 429 },
      { body: 'no', headers: { 'content-type': 'application/json' } },
      silent,
    )
    await failureOf(client.get('/x'))
    await failureOf(client.get('/x', { retry: false }))
    await failureOf(client.get('/x'))
    const controller = new AbortController()
    const aborted = failureOf(client.get('/x', { signal: controller.signal }))
    await a.waitForRequest(3)
    controller.abort()
    expect(await aborted).toMatchObject({ code: 'aborted' })
    expect(client.stats().endpoints[0]).toMatchObject({
      breaker: 'closed',
      failures: 0,
      pending: 0,
    })
  })

  it('goes unnoticed by the calls as long as another is well', async () => {
    const client = clientOf({
      baseUrls: all.map(({ url }) => url),
      random: Math.random,
      timeouts: { firstByteMs: 200 },
      breaker: { failures: 5, openForMs: 60_000 },
    })
    const outcomes: Promise<{ status: number }>[] = []
    for (let index = 0; index < 300; index++) {
      if (index === 100) await b.die()
      if (index === 200) await b.die('silent')
      outcomes.push(client.get('/v1/models'))
      if (index % 10 === 9) await outcomes.at(-1)
    }
    const statuses = (await Promise.all(outcomes)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(client.stats()).toMatchObject({ calls: 300, failed: 0 })
  })

  it('without a breaker is asked again and again', async () => {
    const client = clientOf({ baseUrls: a.url, breaker: false, retry: false })
    a.always({ status: 500 })
    for (let index = 0; index < 10; index++) await failureOf(client.get('/x'))
    expect(a.hits).toBe(10)
  })
})

describe('a hedged call', () => {
  const hedge = { after: 150, ratio: 1 }

  it('takes the first answer, from another endpoint, and ends the slow one', async () => {
    a.always(silent)
    const events: HttpClientEvent[] = []
    const client = clientOf({ hedge, onEvent: (event) => events.push(event) })
    expect(await client.get('/v1/models')).toMatchObject({ endpoint: b.url, attempts: 2 })
    expect(await a.requests[0]?.closedEarly).not.toBeNull()
    expect(events.map(({ type }) => type)).toContain('hedge')
    await expect
      .poll(() => client.stats().endpoints[0])
      .toMatchObject({
        ...{ pending: 0, failures: 0, breaker: 'closed' },
      })
  })

  it('is none when the answer is quick, or must not come twice', async () => {
    const client = clientOf({ hedge })
    await client.get('/v1/models')
    a.next({ json: 1, delayMs: 300 })
    await client.post('/x')
    expect([a.hits, b.hits]).toEqual([2, 0])
  })

  it('hands out the stream of the one that won', async () => {
    a.always(silent)
    const { body, endpoint } = await clientOf({ hedge }).stream('/v1/models')
    expect(endpoint).toBe(b.url)
    let text = ''
    for await (const chunk of body) text += Buffer.from(chunk)
    expect(JSON.parse(text)).toMatchObject({ object: 'list' })
  })

  it('ends both when its caller aborts', async () => {
    for (const provider of [a, b]) provider.always(silent)
    const controller = new AbortController()
    const client = clientOf({ hedge })
    const call = failureOf(client.get('/x', { signal: controller.signal }))
    const requests = await Promise.all([a.waitForRequest(), b.waitForRequest()])
    controller.abort()
    expect(await call).toMatchObject({ code: 'aborted' })
    for (const { closedEarly } of requests) expect(await closedEarly).not.toBeNull()
  })
})
