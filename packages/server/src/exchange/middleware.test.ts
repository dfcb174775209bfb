import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createTrust } from '../network/trust.ts'
import { createProblems } from '../problems/problems.ts'
import { SERVER_PROBLEMS } from '../problems/table.ts'
import type { Exchange, ExchangeEnv } from './exchange.ts'
import { type ExchangeOptions, exchange, exchangeOf } from './middleware.ts'

const trust = createTrust(['10.0.0.0/8'])

async function ask(
  headers: Record<string, string>,
  peer: string | undefined,
  options: Partial<ExchangeOptions> = {},
) {
  const seen: Exchange[] = []
  const app = new Hono<ExchangeEnv>()
  app.use(exchange({ profile: 'production', trust, ...options }))
  app.get('/', (c) => {
    seen.push(c.var.exchange)
    return c.text('ok')
  })
  const env =
    peer === undefined ? undefined : { incoming: { headers, socket: { remoteAddress: peer } } }
  const response = await app.request('/', { headers }, env)
  const [record] = seen
  if (record === undefined) throw new Error('the handler was not reached')
  return { response, record }
}

describe('exchange', () => {
  it('gives each request an id and says it in the response', async () => {
    const { response, record } = await ask({}, '203.0.113.1')
    expect(record.requestId).toMatch(/^req_/)
    expect(response.headers.get('x-request-id')).toBe(record.requestId)
    expect(record.clientRequestId).toBeUndefined()
  })

  it('keeps an id from anyone in development and test', async () => {
    for (const profile of ['development', 'test'] as const) {
      const { record } = await ask({ 'x-request-id': 'abc' }, '203.0.113.1', { profile })
      expect(record.requestId).toBe('abc')
    }
  })

  it('keeps an id from trusted proxies and loopback in staging and production', async () => {
    for (const profile of ['staging', 'production'] as const) {
      for (const peer of ['10.1.1.1', '::ffff:10.1.1.1', '127.0.0.1', '::1']) {
        const { record } = await ask({ 'x-request-id': 'abc' }, peer, { profile })
        expect(record.requestId).toBe('abc')
      }
    }
  })

  it('only remembers the id of a stranger in production', async () => {
    const { record } = await ask({ 'x-request-id': 'abc' }, '203.0.113.1')
    expect(record.requestId).toMatch(/^req_/)
    expect(record.clientRequestId).toBe('abc')
  })

  it('forgets an id that is not well formed', async () => {
    const { record } = await ask({ 'x-request-id': 'a b' }, '203.0.113.1')
    expect(record.clientRequestId).toBeUndefined()
    expect((await ask({ 'x-request-id': 'a b' }, '10.0.0.1')).record.requestId).toMatch(/^req_/)
  })

  it('believes x-forwarded-for from trusted peers only, loopback not among them', async () => {
    const headers = { 'x-forwarded-for': '1.1.1.1, 10.2.2.2' }
    expect((await ask(headers, '::ffff:10.0.0.1')).record).toMatchObject({
      peerIp: '10.0.0.1',
      peerTrusted: true,
      clientIp: '1.1.1.1',
    })
    expect((await ask(headers, '127.0.0.1')).record).toMatchObject({
      peerTrusted: false,
      clientIp: '127.0.0.1',
    })
  })

  it('knows whether a proxy passed the request on', async () => {
    for (const name of [
      'x-forwarded-host',
      'x-forwarded-anything',
      'forwarded',
      'via',
      'x-real-ip',
    ]) {
      expect((await ask({ [name]: 'x' }, '127.0.0.1')).record.forwarded).toBe(true)
      expect((await ask({ [name]: 'x' }, undefined)).record.forwarded).toBe(true)
    }
    expect((await ask({ accept: '*/*' }, '127.0.0.1')).record.forwarded).toBe(false)
  })

  it('works without a socket', async () => {
    const { record, response } = await ask({ 'x-request-id': 'abc' }, undefined)
    expect(record).toMatchObject({ peerIp: 'unknown', clientIp: 'unknown', peerTrusted: false })
    expect(record).toMatchObject({
      clientRequestId: 'abc',
      method: 'GET',
      status: 200,
      outcome: 'complete',
    })
    expect(response.headers.get('server-timing')).toMatch(/^server;dur=\d+\.\d\d$/)
    expect(response.headers.get('x-response-time')).toMatch(/^\d+\.\d\dms$/)
  })

  it('measures with the clock it is given', async () => {
    const ticks = [100, 101.5]
    const { response, record } = await ask({}, undefined, {
      service: 'gateway',
      now: () => ticks.shift() ?? 0,
    })
    expect(record.startedAt).toBe(100)
    expect(response.headers.get('server-timing')).toBe('gateway;dur=1.50')
    expect(response.headers.get('x-response-time')).toBe('1.50ms')
  })

  it('puts its headers on responses whose own can not be changed', async () => {
    const app = new Hono<ExchangeEnv>()
    app.use(exchange({ profile: 'test', trust }))
    app.get('/', () => Response.redirect('https://example.com/'))
    const response = await app.request('/')
    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toBe('https://example.com/')
    expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  })

  it('leaves the response alone once a handler has written it', async () => {
    const app = new Hono<ExchangeEnv>()
    app.use(exchange({ profile: 'test', trust }))
    app.get('/', (c) => {
      c.var.exchange.sent = true
      return c.text('as it is')
    })
    expect((await app.request('/')).headers.has('x-request-id')).toBe(false)
  })

  it('puts its headers on errors, and names the request even when no Error was thrown', async () => {
    const app = new Hono<ExchangeEnv>()
    app.onError(createProblems({ table: SERVER_PROBLEMS, production: true }).onError)
    app.use(exchange({ profile: 'test', trust }))
    app.get('/error', () => {
      throw new Error('no')
    })
    app.get('/value', () => {
      throw 'no'
    })
    for (const path of ['/error', '/value']) {
      const response = await app.request(path, { headers: { 'x-request-id': 'abc' } })
      expect(response.status).toBe(500)
      expect(response.headers.get('x-request-id')).toBe('abc')
      expect(await response.text()).not.toContain('no')
    }
  })
})

describe('exchangeOf', () => {
  it('says what is missing when there is none', async () => {
    const app = new Hono()
    const seen: unknown[] = []
    app.onError((error, c) => {
      seen.push(error.message)
      return c.text('')
    })
    app.get('/', (c) => c.text(exchangeOf(c).requestId))
    await app.request('/')
    expect(seen[0]).toContain('app.use(exchange(')
  })
})
