import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type RawData, WebSocket } from 'ws'
import { startWebSocketUpstream } from './websocket-upstream.ts'

async function open(url: string, protocols: string[] = []): Promise<WebSocket> {
  const client = new WebSocket(url, protocols)
  await once(client, 'open')
  return client
}

async function nextMessage(client: WebSocket): Promise<{ data: Buffer; binary: boolean }> {
  const [data, binary] = (await once(client, 'message')) as [RawData, boolean]
  return { data: data as Buffer, binary }
}

async function closeOf(client: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer]
  return { code, reason: reason.toString() }
}

describe('startWebSocketUpstream', () => {
  it('echoes text and binary, big frames too', async () => {
    await using upstream = await startWebSocketUpstream()
    const client = await open(`${upstream.wsUrl}/chat?a=1`)
    client.send('héllo')
    expect(await nextMessage(client)).toEqual({ data: Buffer.from('héllo'), binary: false })
    const big = Buffer.alloc(5 * 1024 * 1024, 7)
    client.send(big)
    const echoed = await nextMessage(client)
    expect(echoed.binary).toBe(true)
    expect(echoed.data.equals(big)).toBe(true)
    expect(upstream.sockets[0]?.messages.map((one) => one.binary)).toEqual([false, true])
    expect(upstream.handshakes[0]?.target).toBe('/chat?a=1')
    client.close(4000, 'bye')
    expect(await upstream.sockets[0]?.closed).toEqual({ code: 4000, reason: 'bye' })
  })

  it('records the handshake and chooses a subprotocol', async () => {
    await using upstream = await startWebSocketUpstream()
    upstream.next({}, { subprotocol: 'b', headers: { 'x-room': '7' } }, { subprotocol: null })
    const first = await open(upstream.wsUrl, ['a', 'b'])
    expect(first.protocol).toBe('a')
    const second = new WebSocket(upstream.wsUrl, ['a', 'b'])
    const [response] = (await once(second, 'upgrade')) as [IncomingMessage]
    expect(response.headers['x-room']).toBe('7')
    expect(response.headers['sec-websocket-protocol']).toBe('b')
    const third = await open(upstream.wsUrl)
    expect(third.protocol).toBe('')
    expect(upstream.handshakes[0]?.headers['sec-websocket-protocol']).toBe('a,b')
    expect(upstream.sockets[1]?.subprotocol).toBe('b')
  })

  it('closes with a code and a reason, at once or later', async () => {
    await using upstream = await startWebSocketUpstream()
    upstream.next({ closeAfter: { messages: 1, code: 4321, reason: 'enough' } })
    const client = await open(upstream.wsUrl)
    client.send('one')
    expect(await closeOf(client)).toEqual({ code: 4321, reason: 'enough' })
    const other = await open(upstream.wsUrl)
    const closing = closeOf(other)
    const socket = await upstream.waitForSocket(1)
    socket.close(1011, 'broken')
    expect(await closing).toEqual({ code: 1011, reason: 'broken' })
  })

  it('dies without a close frame', async () => {
    await using upstream = await startWebSocketUpstream()
    upstream.next({ dieAfter: { messages: 1 }, echo: false })
    const client = await open(upstream.wsUrl)
    client.send('one')
    expect(await closeOf(client)).toEqual({ code: 1006, reason: '' })
  })

  it('notices a client that dies', async () => {
    await using upstream = await startWebSocketUpstream()
    const client = await open(upstream.wsUrl)
    const socket = await upstream.waitForSocket()
    client.terminate()
    expect(await socket.closed).toMatchObject({ code: 1006 })
  })

  it('pings, and records pings', async () => {
    await using upstream = await startWebSocketUpstream()
    const client = await open(upstream.wsUrl)
    const socket = await upstream.waitForSocket()
    const pinged = once(client, 'ping')
    await socket.ping('there?')
    expect(String((await pinged)[0])).toBe('there?')
    client.ping('you?')
    await once(client, 'pong')
    expect(socket.pings.map(String)).toEqual(['you?'])
  })

  it('refuses a handshake with a status and a body', async () => {
    await using upstream = await startWebSocketUpstream()
    upstream.next({ refuse: { status: 403, body: 'not you', headers: { 'x-why': 'test' } } })
    const client = new WebSocket(upstream.wsUrl)
    const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage]
    expect(response.statusCode).toBe(403)
    expect(response.headers['x-why']).toBe('test')
    expect(String(Buffer.concat(await response.toArray()))).toBe('not you')
  })

  it('answers like a LiveKit server on /rtc', async () => {
    await using upstream = await startWebSocketUpstream()
    const stranger = new WebSocket(`${upstream.wsUrl}/rtc`)
    const [, response] = (await once(stranger, 'unexpected-response')) as [unknown, IncomingMessage]
    expect(response.statusCode).toBe(401)
    response.resume()
    const guest = new WebSocket(`${upstream.wsUrl}/rtc?access_token=abc&protocol=15`)
    const join = await nextMessage(guest)
    expect(join.binary).toBe(true)
    guest.send(Buffer.from([1, 2]))
    expect((await nextMessage(guest)).data).toEqual(Buffer.from([1, 2]))
    expect(upstream.handshakes.at(-1)?.target).toBe('/rtc?access_token=abc&protocol=15')
  })

  it('hangs when told to, and ends all the same', async () => {
    const upstream = await startWebSocketUpstream()
    upstream.next({ hang: true })
    const client = new WebSocket(upstream.wsUrl)
    await upstream.waitForHandshake()
    const failed = once(client, 'error')
    await upstream[Symbol.asyncDispose]()
    expect(String(await failed)).toContain('socket hang up')
  })

  it('wants a handshake', async () => {
    await using upstream = await startWebSocketUpstream()
    expect((await fetch(upstream.url)).status).toBe(426)
  })
})
