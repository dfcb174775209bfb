import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import {
  freePort,
  makeCertificates,
  type Provider,
  startDeafListener,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createHttpClient, type HttpClient } from './client.ts'
import type { HttpClientOptions } from './options.ts'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

const clients: HttpClient[] = []
afterAll(() => Promise.all(clients.map((client) => client.close({ graceMs: 0 }))))

/** A client whose waits are short. */
function clientOf(options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = createHttpClient({
    baseUrls: provider.url,
    retry: { initial: 1, max: 1 },
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

describe('a failed attempt', () => {
  it.each([
    ['a reset before the head', { fault: { kind: 'reset', at: 'before-headers' } }],
    ['a reset after the head', { fault: { kind: 'reset', at: 'after-headers' } }],
    ['a close before the head', { fault: { kind: 'close', at: 'before-headers' } }],
    ['half a body', { fault: { kind: 'close' } }],
    ['half a chunked body', { framing: 'chunked', fault: { kind: 'close' } }],
    ['a reset in a body without length', { framing: 'close', fault: { kind: 'reset' } }],
    ['a 500', { status: 500 }],
    ['a 429', { status: 429 }],
    ['a 503', { status: 503 }],
  ] as const)('is repeated after %s', async (_, behaviour) => {
    provider.next(behaviour)
    const { status, attempts } = await clientOf().get('/v1/models')
    expect([status, attempts, provider.hits]).toEqual([200, 2, 2])
  })

  it.each([
    ['POST', {}, 1],
    ['PATCH', {}, 1],
    ['PUT', {}, 2],
    ['DELETE', {}, 2],
    ['POST', { idempotent: true }, 2],
    ['POST', { headers: { 'Idempotency-Key': 'k1' } }, 2],
    ['GET', { idempotent: false }, 1],
    ['GET', { retry: false }, 1],
    ['GET', { retry: { retries: 0 } }, 1],
  ] as const)('of %s %j is sent %i times', async (method, options, hits) => {
    provider.always({ fault: { kind: 'reset', at: 'before-headers' } })
    const call = clientOf({ retry: { retries: 1, initial: 1 } })
    const error = await failureOf(call.request({ method, path: '/x', ...options }))
    expect(error).toMatchObject({ code: 'connection_failed', sent: true, endpoint: provider.url })
    expect(provider.hits).toBe(hits)
  })

  it.each([400, 401, 404, 409, 422, 501, 505])('with status %i is final', async (status) => {
    provider.always({ status })
    const client = clientOf()
    expect(await failureOf(client.get('/x'))).toMatchObject({ code: 'http_status', status })
    expect(provider.hits).toBe(1)
    expect(client.stats().endpoints[0]?.failures).toBe(0)
  })

  it('of a body that can be read only once is final', async () => {
    provider.always({ fault: { kind: 'reset', at: 'before-headers' } })
    async function* once() {
      yield Buffer.from('once')
    }
    await failureOf(clientOf().put('/x', { body: once() }))
    expect(provider.hits).toBe(1)
  })

  it('of a storm is repeated so often, and its error tells the whole history', async () => {
    provider.always({ status: 503, body: 'busy' })
    const error = await failureOf(clientOf().get('/x'))
    expect(provider.hits).toBe(3)
    const failure = { kind: 'failure', reason: '503', endpoint: provider.url, breaker: 'closed' }
    const wait = { kind: 'wait', reason: 'backoff', ms: expect.any(Number) }
    expect(error).toMatchObject({
      ...{ code: 'http_status', status: 503, body: 'busy' },
      timeline: [
        { ...failure, attempt: 1 },
        wait,
        { ...failure, attempt: 2 },
        wait,
        { ...failure, attempt: 3 },
      ],
    })
  })

  it('is repeated within the budget of all calls', async () => {
    provider.always({ status: 503 })
    const client = clientOf({
      retry: { retries: 2, initial: 1, budget: { ratio: 0.5, perSecond: 0 } },
      breaker: false,
    })
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => failureOf(client.get('/x'))),
    )
    expect(provider.hits).toBe(15)
    const refused = { kind: 'rejected', reason: 'retry_budget' }
    const last = outcomes.map((error) => (error as { timeline: unknown[] }).timeline.at(-1))
    expect(last).toContainEqual(expect.objectContaining(refused))
  })

  it('waits as long as Retry-After says', async () => {
    provider.next({ status: 429, headers: { 'retry-after-ms': '80' } })
    const client = clientOf()
    await client.get('/v1/models')
    const [first, second] = provider.requests
    expect((second?.receivedAtMs ?? 0) - (first?.receivedAtMs ?? 0)).toBeGreaterThanOrEqual(79)
    expect(client.stats().endpoints[0]?.failures).toBe(0)
  })

  it('is final when Retry-After goes beyond the time of the call', async () => {
    provider.always({ status: 429, headers: { 'retry-after': '120', 'retry-after-ms': null } })
    expect(await failureOf(clientOf().get('/x'))).toMatchObject({ status: 429 })
    expect(provider.hits).toBe(1)
  })

  it('never follows the end of the call', async () => {
    provider.always({ status: 503 })
    const client = clientOf({ retry: { retries: 5, initial: 10_000, max: 10_000 } })
    const timeouts = { totalMs: 50 }
    for (let count = 1; count <= 3; count++) {
      expect(await failureOf(client.get('/x', { timeouts }))).toMatchObject({ status: 503 })
    }
  })
})

describe('silence', () => {
  const silent = { fault: { kind: 'stall', at: 'before-headers' } } as const

  it('before the head ends the attempt, and the connection', async () => {
    provider.next(silent)
    const { attempts } = await clientOf({ timeouts: { firstByteMs: 150 } }).get('/v1/models')
    expect(attempts).toBe(2)
    expect(await provider.requests[0]?.closedEarly).not.toBeNull()
  })

  it('before the head of a call that must not be repeated is a timeout', async () => {
    provider.next(silent)
    const error = await failureOf(clientOf().post('/x', { timeouts: { firstByteMs: 40 } }))
    expect(error).toMatchObject({ code: 'timeout', limit: 'first_byte', limitMs: 40 })
    expect(error).toMatchObject({ timeline: [{ kind: 'failure', reason: 'timeout' }] })
  })

  it('within a body ends the attempt', async () => {
    provider.next({ fault: { kind: 'stall' } })
    const { attempts } = await clientOf({ timeouts: { idleMs: 150 } }).get('/v1/models')
    expect(attempts).toBe(2)
  })

  it('does not mean a body that comes slowly', async () => {
    provider.next({
      body: 'x'.repeat(30),
      cut: 1,
      writeDelayMs: 20,
      headers: { 'content-type': 'text/plain' },
    })
    const { data, attempts } = await clientOf({ timeouts: { idleMs: 300, firstByteMs: 300 } }).get(
      '/x',
    )
    expect([data, attempts]).toEqual(['x'.repeat(30), 1])
  })

  it('does not begin before a streamed request has been sent', async () => {
    async function* slow() {
      for (let part = 0; part < 4; part++) {
        await new Promise((resolve) => setTimeout(resolve, 40))
        yield Buffer.from(`${part}`)
      }
    }
    const client = clientOf({ timeouts: { firstByteMs: 120 } })
    await client.post('/echo/x', { body: slow() })
    expect(provider.lastRequest.text).toBe('0123')
  })

  it('is over with the whole call', async () => {
    provider.always({ body: 'x'.repeat(1000), cut: 1, writeDelayMs: 10 })
    const error = await failureOf(clientOf().get('/x', { timeouts: { totalMs: 80 } }))
    expect(error).toMatchObject({ code: 'timeout', limit: 'total', limitMs: 80 })
    expect(provider.hits).toBe(1)
    expect(await provider.requests[0]?.closedEarly).not.toBeNull()
  })

  it('of a whole call speaks against its endpoint, lateness does not', async () => {
    const client = clientOf({ breaker: { failures: 1, openForMs: 60_000 } })
    provider.next({ status: 503, delayMs: 60 }, silent)
    const retry = { initial: 1, max: 1 }
    const late = clientOf({ breaker: { failures: 2, openForMs: 60_000 }, retry })
    await failureOf(late.get('/x', { timeouts: { totalMs: 100 } }))
    expect(late.stats().endpoints[0]).toMatchObject({ breaker: 'closed', failures: 1 })
    provider.next(silent)
    await failureOf(client.get('/x', { timeouts: { totalMs: 40 } }))
    expect(client.stats().endpoints[0]).toMatchObject({ breaker: 'open', failures: 1 })
  })
})

describe('a connection', () => {
  it('that is refused sends nothing, so any call is repeated', async () => {
    const client = clientOf({ baseUrls: `http://127.0.0.1:${await freePort()}` })
    const error = await failureOf(client.post('/x'))
    expect(error).toMatchObject({ code: 'connection_failed', reason: 'ECONNREFUSED', sent: false })
    expect(error).toMatchObject({ timeline: { length: 5 } })
    expect(client.stats().endpoints[0]).toMatchObject({ attempts: 3, failures: 3, pending: 0 })
  })

  it('that is never made ends with the connect limit', async () => {
    await using deaf = await startDeafListener()
    const client = clientOf({
      baseUrls: `http://127.0.0.1:${deaf.port}`,
      timeouts: { connectMs: 60 },
      retry: false,
    })
    const error = await failureOf(client.post('/x'))
    expect(error).toMatchObject({ code: 'timeout', limit: 'connect', limitMs: 60 })
  })

  it('to a name that does not exist fails', async () => {
    const client = clientOf({ baseUrls: 'http://nowhere.invalid', retry: false })
    expect(await failureOf(client.get('/x'))).toMatchObject({
      code: 'connection_failed',
      sent: false,
    })
  })

  it('with TLS trusts what it is told to, and nothing else', async () => {
    await using certificates = await makeCertificates()
    const { createServer: createTlsServer } = await import('node:https')
    const server = createTlsServer(certificates, (_, response) => response.end('safe'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const baseUrls = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const trusting = clientOf({ baseUrls, tls: { ca: certificates.ca } })
    expect((await trusting.get('/', { as: 'text' })).data).toBe('safe')
    const strict = clientOf({ baseUrls, retry: false })
    expect(await failureOf(strict.post('/'))).toMatchObject({
      code: 'connection_failed',
      sent: false,
      reason: expect.stringMatching(/CERT|SIGN/),
    })
    await trusting.close()
    server.closeAllConnections()
    server.close()
  })
})

describe('a keep-alive race', () => {
  const sockets: Socket[] = []
  /** Answers the first request on each connection, and resets it when the next one comes. */
  const server = createServer((socket) => {
    sockets.push(socket)
    let requests = 0
    socket.on('error', () => {})
    socket.on('data', () => {
      requests += 1
      if (requests > 1) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  })
  let baseUrls = ''
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    baseUrls = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const settle = () => new Promise((resolve) => setTimeout(resolve, 10))

  it('is repeated at once, without counting, where the call may arrive twice', async () => {
    const client = clientOf({
      baseUrls,
      retry: { retries: 0, initial: 60_000, budget: { ratio: 0, perSecond: 0 } },
    })
    await client.get('/')
    await settle()
    expect(await client.get('/')).toMatchObject({ status: 200, attempts: 2 })
    expect(client.stats().endpoints[0]).toMatchObject({ failures: 0, attempts: 3 })
  })

  it('fails where it must not', async () => {
    const client = clientOf({ baseUrls })
    await client.get('/')
    await settle()
    expect(await failureOf(client.post('/'))).toMatchObject({
      code: 'connection_failed',
      sent: true,
    })
    expect(client.stats().endpoints[0]).toMatchObject({ failures: 1 })
  })

  it('is none when the connection is new, or retries are off', async () => {
    const client = clientOf({ baseUrls, retry: false })
    await client.get('/')
    await settle()
    expect(await failureOf(client.get('/'))).toMatchObject({ code: 'connection_failed' })
  })
})
