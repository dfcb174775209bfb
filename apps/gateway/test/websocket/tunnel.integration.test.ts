import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import {
  connectRaw,
  pollUntil,
  type RunningGateway,
  startGateway,
  startWebSocketUpstream,
  type WebSocketUpstream,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { closeOf, nextMessage, openSocket } from './open-socket.ts'

let upstream: WebSocketUpstream
let gateway: RunningGateway
let url: string
let opened = 0

beforeAll(async () => {
  upstream = await startWebSocketUpstream()
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: {
        live: {
          protocol: 'http',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: `${upstream.url}/base` }],
        },
        livekit: {
          protocol: 'http',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: upstream.url }],
        },
      },
      routes: [
        { match: '/rtc/**', upstreams: ['livekit'], auth: 'none' },
        { match: '/live/**', upstreams: ['live'], auth: 'none', stripPrefix: '/live' },
      ],
    },
  })
  url = gateway.url.replace('http', 'ws')
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
beforeEach(() => {
  opened = upstream.sockets.length
})

/** The upstream's end of the socket that this test opened first. */
async function theirs(index = 0) {
  return await upstream.waitForSocket(opened + index)
}

/** The gateway's lines for a handshake's path. */
function linesOf(path: string) {
  return gateway.logs.filter((line) => line.message === 'request' && line.path === path)
}

describe('a WebSocket through the gateway', () => {
  it('carries text and binary, small and big, in order', async () => {
    const client = await openSocket(`${url}/live/chat`)
    const messages = [
      'h\u00e9llo \u{1f30a}',
      '',
      Buffer.alloc(0),
      Buffer.from([0, 255, 10, 13]),
      'x'.repeat(125),
      'x'.repeat(126),
      'x'.repeat(65_536),
      Buffer.alloc(5_000_000, 7),
    ]
    for (const message of messages) {
      client.send(message)
      const { data, binary } = await nextMessage(client)
      expect(binary).toBe(typeof message !== 'string')
      expect(data.equals(Buffer.from(message as string))).toBe(true)
    }
    client.close()
    await closeOf(client)
  })

  it('reaches the path and the query that the route says, byte for byte', async () => {
    const query = '?access_token=eyJ%2E.a.b&x=%zz&&y=[1]&protocol=15'
    const client = await openSocket(
      `${url}/live/a/%62${query.replace('[', '%5B').replace(']', '%5D')}`,
    )
    expect((await theirs()).target).toBe(
      `/base/a/b${query.replace('[', '%5B').replace(']', '%5D')}`,
    )
    client.terminate()
  })

  it('agrees on the subprotocol of the upstream, or on none', async () => {
    upstream.next({ subprotocol: 'second' }, { subprotocol: null })
    const request = new WebSocket(`${url}/live/p`, ['first', 'second'])
    const [answer] = (await once(request, 'upgrade')) as [IncomingMessage]
    expect(answer.headers['sec-websocket-protocol']).toBe('second')
    request.terminate()
    const none = await openSocket(`${url}/live/p`)
    expect(none.protocol).toBe('')
    none.terminate()
    expect(upstream.handshakes.at(-2)?.headers['sec-websocket-protocol']).toBe('first,second')
  })

  it('passes the handshake’s own headers, and none that concern one hop', async () => {
    upstream.next({ headers: { 'x-room': '7', 'set-cookie': 'a=1' } })
    const client = new WebSocket(`${url}/live/h`, {
      headers: {
        cookie: 'session=1',
        'x-forwarded-for': '6.6.6.6',
        te: 'trailers',
        'x-own': 'yes',
      },
    })
    const [answer] = (await once(client, 'upgrade')) as [IncomingMessage]
    expect(answer.headers).toMatchObject({ 'x-room': '7', 'set-cookie': ['a=1'] })
    expect(answer.headers['x-request-id']).toMatch(/^req_/)
    const { headers } = await upstream.waitForHandshake(upstream.handshakes.length - 1)
    expect(headers).toMatchObject({
      connection: 'Upgrade',
      upgrade: 'websocket',
      host: `127.0.0.1:${upstream.port}`,
      'sec-websocket-version': '13',
      cookie: 'session=1',
      'x-own': 'yes',
      'x-request-id': answer.headers['x-request-id'],
      'x-forwarded-for': '127.0.0.1',
    })
    expect(headers.te).toBeUndefined()
    client.terminate()
  })

  it('leaves compression to the two ends', async () => {
    const client = await openSocket(`${url}/live/z`, [], { perMessageDeflate: true })
    expect(upstream.handshakes.at(-1)?.headers['sec-websocket-extensions']).toContain(
      'permessage-deflate',
    )
    client.terminate()
  })

  it('carries pings and pongs both ways', async () => {
    const client = await openSocket(`${url}/live/ping`)
    const socket = await theirs()
    const pinged = once(client, 'ping')
    await socket.ping('are you there?')
    expect(String((await pinged)[0])).toBe('are you there?')
    client.ping('and you?')
    const [answer] = (await once(client, 'pong')) as [Buffer]
    expect(answer.toString()).toBe('and you?')
    expect(socket.pings.map(String)).toEqual(['and you?'])
    client.terminate()
  })

  it.each([
    [1000, ''],
    [1000, 'done'],
    [1001, 'going away'],
    [4001, 'of our own making \u00fc'],
  ])('carries the client’s close: %s %s', async (code, reason) => {
    const client = await openSocket(`${url}/live/close`)
    const socket = await theirs()
    const closed = closeOf(client)
    client.close(code, reason)
    expect(await socket.closed).toEqual({ code, reason })
    expect(await closed).toEqual({ code, reason })
  })

  it.each([
    [1000, ''],
    [1011, 'broken'],
    [4999, 'over'],
  ])('carries the upstream’s close: %s %s', async (code, reason) => {
    const client = await openSocket(`${url}/live/close`)
    const closed = closeOf(client)
    ;(await theirs()).close(code, reason)
    expect(await closed).toEqual({ code, reason })
  })

  it('carries what the upstream says at once, before the client has asked', async () => {
    upstream.next({ greet: ['welcome', Buffer.from([1, 2, 3])] })
    const client = new WebSocket(`${url}/live/greet`)
    const greetings: Buffer[] = []
    client.on('message', (data: Buffer) => greetings.push(data))
    await pollUntil(async () => greetings.length === 2, { describe: () => 'no greeting' })
    expect(greetings).toEqual([Buffer.from('welcome'), Buffer.from([1, 2, 3])])
    client.terminate()
  })

  it('carries what the client says behind its handshake, before the answer', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    // A masked text frame "hi" with a mask of zeros (RFC 6455 §5.2).
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
    const handshake = [
      'GET /live/early HTTP/1.1',
      ...['host: gateway.test', 'connection: keep-alive, Upgrade', 'Upgrade: WebSocket'],
      ...['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
    ].join('\r\n')
    await connection.write(Buffer.concat([Buffer.from(handshake), frame]))
    const received = await connection.waitFor((bytes) =>
      bytes.includes(Buffer.from([0x81, 2, 0x68])),
    )
    expect(received.toString('latin1')).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    // The answer to that key is in RFC 6455 §1.3.
    expect(received.toString('latin1')).toContain('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect((await theirs()).messages[0]?.data.toString()).toBe('hi')
  })

  it('works for a LiveKit client', async () => {
    const guest = new WebSocket(`${url}/rtc?access_token=a.b.c&auto_subscribe=1&sdk=js&protocol=15`)
    const join = await nextMessage(guest)
    expect(join).toEqual({ data: Buffer.from([0x0a, 4, 0x0a, 2, 0x52, 0x4d]), binary: true })
    guest.send(Buffer.from([1, 2, 3]))
    expect((await nextMessage(guest)).data).toEqual(Buffer.from([1, 2, 3]))
    guest.close()
    await closeOf(guest)
  })

  it('is one of many that do not mix', async () => {
    const clients = await Promise.all(
      Array.from({ length: 60 }, () => openSocket(`${url}/live/many`)),
    )
    await Promise.all(
      clients.map(async (client, index) => {
        client.send(`I am ${index}`)
        expect((await nextMessage(client)).data.toString()).toBe(`I am ${index}`)
      }),
    )
    await Promise.all(
      clients.map(async (client) => {
        client.close()
        await closeOf(client)
      }),
    )
    await pollUntil(async () => linesOf('/live/many').length === 60, {
      describe: () => `${linesOf('/live/many').length} lines for 60 sockets`,
    })
  })

  it('is one line in the log, when it ends, with its real duration', async () => {
    const startedAt = performance.now()
    const client = await openSocket(`${url}/live/logged`)
    client.send('x')
    await nextMessage(client)
    for (let i = 0; i < 20; i += 1) await fetch(`${gateway.url}/livez`)
    expect(linesOf('/live/logged')).toEqual([])
    const open = performance.now() - startedAt
    client.close()
    await closeOf(client)
    const line = await gateway.waitForLog(({ path }) => path === '/live/logged')
    expect(line).toMatchObject({ status_code: 101, route: '/live/**', method: 'GET' })
    expect(line.outcome).toBeUndefined()
    expect(line.duration_ms).toBeGreaterThan(open / 4)
    await fetch(`${gateway.url}/readyz?last`)
    expect(linesOf('/live/logged')).toHaveLength(1)
  })
})
