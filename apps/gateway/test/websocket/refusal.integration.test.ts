import {
  connectRaw,
  freePort,
  type RunningGateway,
  rawRequest,
  rawUpstream,
  startGateway,
  startWebSocketUpstream,
  type WebSocketUpstream,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSocket, refusalOf } from './open-socket.ts'

let upstream: WebSocketUpstream
let gateway: RunningGateway
let url: string

const key = 'the-key-of-the-client'

beforeAll(async () => {
  upstream = await startWebSocketUpstream()
  const dead = await freePort()
  const at = (address: string, more: Readonly<Record<string, unknown>> = {}) => ({
    protocol: 'http',
    retry: 'off',
    breaker: 'off',
    endpoints: [{ url: address }],
    timeouts: { firstByte: '300ms' },
    ...more,
  })
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: {
        live: at(upstream.url),
        dead: at(`http://127.0.0.1:${dead}`),
        realtime: {
          protocol: 'openai',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: `${upstream.url}/v1`, apiKey: 'sk-of-the-gateway' }],
        },
      },
      routes: [
        { match: '/v1/realtime', upstreams: ['realtime'] },
        { match: '/dead/**', upstreams: ['dead'], auth: 'none' },
        { match: '/open/**', upstreams: ['live'], auth: 'none' },
        { match: '/closed/**', upstreams: ['live'] },
      ],
      auth: { keys: [{ id: 'client', key }] },
    },
    env: { ENVIRONMENT: 'production' },
  })
  url = gateway.url.replace('http', 'ws')
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

/** A handshake's bytes. */
function handshake(target: string, ...fields: readonly string[]): string {
  return [
    `GET ${target} HTTP/1.1`,
    ...['host: gateway.test', 'connection: Upgrade', 'upgrade: websocket'],
    ...['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='],
    ...[...fields, '', ''],
  ].join('\r\n')
}

async function lineOf(path: string) {
  return await gateway.waitForLog((line) => line.message === 'request' && line.path === path)
}

describe('a handshake that the upstream refuses', () => {
  it('is answered with its status, its headers and its body', async () => {
    upstream.next({ refuse: { status: 403, body: 'not you', headers: { 'x-why': 'test' } } })
    const { status, headers, body } = await refusalOf(`${url}/open/refused`)
    expect({ status, body }).toEqual({ status: 403, body: 'not you' })
    expect(headers).toMatchObject({ 'x-why': 'test', connection: 'close' })
    expect(headers['x-request-id']).toMatch(/^req_/)
    expect(await lineOf('/open/refused')).toMatchObject({ status_code: 403 })
  })

  it('is LiveKit’s own for a guest without a token', async () => {
    await using rtc = await startGateway({
      config: {
        version: 1,
        upstreams: {
          up: {
            protocol: 'http',
            retry: 'off',
            breaker: 'off',
            endpoints: [{ url: upstream.url }],
          },
        },
        routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      },
    })
    const refusal = await refusalOf(`${rtc.url.replace('http', 'ws')}/rtc`)
    expect(refusal).toMatchObject({ status: 401, body: 'no permissions to access the room' })
  })

  it('is answered also when the body has no length', async () => {
    await using plain = await rawUpstream({ reply: null })
    await using through = await startGateway({
      config: {
        version: 1,
        upstreams: {
          up: { protocol: 'http', retry: 'off', breaker: 'off', endpoints: [{ url: plain.url }] },
        },
        routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      },
    })
    const asked = rawRequest({ port: through.port, send: handshake('/x') })
    const theirs = await plain.waitForConnection()
    await theirs.waitFor('\r\n\r\n')
    await theirs.write('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nuntil the end')
    theirs.halfClose()
    const { response } = await asked
    expect(response.status).toBe(400)
    expect(response.body.toString()).toBe('until the end')
    expect(response.complete).toBe(true)
  })
})

describe('a handshake that the gateway refuses', () => {
  it('lacks a key, and never reaches the upstream', async () => {
    const before = upstream.handshakes.length
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const { status, headers: answer, body } = await refusalOf(`${url}/closed/room`, { headers })
      expect(status).toBe(401)
      expect(answer['www-authenticate']).toMatch(/^Bearer/)
      expect(answer.connection).toBe('close')
      expect(JSON.parse(body).error.type).toBe('authentication_error')
    }
    expect(upstream.handshakes).toHaveLength(before)
    expect(await lineOf('/closed/room')).toMatchObject({ status_code: 401 })
  })

  it.each([
    ['a path that leads elsewhere', '/open/../closed/x', 400],
    ['a path of no route', '/nowhere', 404],
  ])('has %s', async (_, target, status) => {
    const { response, ended } = await rawRequest({
      port: gateway.port,
      send: handshake(target),
      responses: 2,
    })
    expect(response.status).toBe(status)
    expect(ended).toBe('closed')
  })

  it('has a key that goes no further when it is right', async () => {
    const headers = { authorization: `Bearer ${key}` }
    const client = await openSocket(`${url}/closed/room`, [], { headers })
    expect(upstream.handshakes.at(-1)?.headers.authorization).toBeUndefined()
    const realtime = await openSocket(`${url}/v1/realtime?model=m`, ['realtime'], { headers })
    expect(upstream.handshakes.at(-1)).toMatchObject({
      target: '/v1/realtime?model=m',
      headers: { authorization: 'Bearer sk-of-the-gateway' },
    })
    client.terminate()
    realtime.terminate()
  })

  it('is for an upstream that is not there: 502, without an address', async () => {
    const { status, headers, body } = await refusalOf(`${url}/dead/x`)
    expect(status).toBe(502)
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body)).toMatchObject({ code: 'upstream_unreachable' })
    expect(body).not.toContain('127.0.0.1')
    expect(await lineOf('/dead/x')).toMatchObject({
      status_code: 502,
      error_code: 'upstream_unreachable',
    })
  })

  it('is for an upstream that never answers: 504', async () => {
    upstream.next({ hang: true })
    const { status, body } = await refusalOf(`${url}/open/hang`)
    expect(status).toBe(504)
    expect(JSON.parse(body)).toMatchObject({ code: 'upstream_timeout' })
  })

  it('leaves the server fit for others', async () => {
    const client = await openSocket(`${url}/open/after`)
    client.terminate()
  })
})

describe('a client that leaves during its handshake', () => {
  it('ends the one with the upstream', async () => {
    await using slow = await rawUpstream({ reply: null })
    await using through = await startGateway({
      config: {
        version: 1,
        upstreams: {
          up: { protocol: 'http', retry: 'off', breaker: 'off', endpoints: [{ url: slow.url }] },
        },
        routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      },
    })
    await using connection = await connectRaw({ port: through.port })
    await connection.write(handshake('/left'))
    const theirs = await slow.waitForConnection()
    await theirs.waitFor('\r\n\r\n')
    connection.reset()
    await theirs.ended
    const line = await through.waitForLog(({ path }) => path === '/left')
    expect(line).toMatchObject({ status_code: 499 })
  })
})

describe('an upstream that switches without being asked', () => {
  it('is a 502', async () => {
    await using odd = await rawUpstream({
      reply: 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      replyAfter: 'head',
    })
    await using through = await startGateway({
      config: {
        version: 1,
        upstreams: {
          up: { protocol: 'http', retry: 'off', breaker: 'off', endpoints: [{ url: odd.url }] },
        },
        routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      },
    })
    const { response } = await rawRequest({
      port: through.port,
      send: 'GET /x HTTP/1.1\r\nhost: gateway.test\r\n\r\n',
    })
    expect(response.status).toBe(502)
  })
})
