import {
  connectRaw,
  pollUntil,
  type RunningGateway,
  startGateway,
  startWebSocketUpstream,
  type WebSocketUpstream,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { closeOf, nextMessage, openSocket } from './open-socket.ts'

let upstream: WebSocketUpstream
let gateway: RunningGateway
let url: string
let opened = 0

beforeAll(async () => {
  upstream = await startWebSocketUpstream({ always: { echo: false } })
  gateway = await start()
  url = gateway.url.replace('http', 'ws')
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})
beforeEach(() => {
  opened = upstream.sockets.length
})

async function start(drain: Readonly<Record<string, string>> = {}) {
  return await startGateway({
    config: {
      version: 1,
      server: { drain },
      upstreams: {
        live: {
          protocol: 'http',
          retry: 'off',
          breaker: 'off',
          endpoints: [{ url: upstream.url }],
        },
      },
      routes: [{ match: '/**', upstreams: ['live'], auth: 'none' }],
    },
  })
}

async function rss(): Promise<number> {
  const health = await fetch(`${gateway.url}/health/process`)
  return ((await health.json()) as { memory: { rss_bytes: number } }).memory.rss_bytes
}

/** Waits until a reading has not changed for a while: nothing moves any more. */
async function quiet(read: () => number): Promise<void> {
  let last = -1
  let same = 0
  await pollUntil(
    async () => {
      same = read() === last ? same + 1 : 0
      last = read()
      return same >= 12
    },
    { describe: () => 'it never came to rest' },
  )
}

describe('a side that dies', () => {
  it('takes the upstream with it when it is the client', async () => {
    const client = await openSocket(`${url}/client-dies`)
    const theirs = await upstream.waitForSocket(opened)
    client.terminate()
    expect(await theirs.closed).toMatchObject({ code: 1006 })
    const line = await gateway.waitForLog(({ path }) => path === '/client-dies')
    expect(line).toMatchObject({ status_code: 101 })
  })

  it('takes the client with it when it is the upstream', async () => {
    const client = await openSocket(`${url}/upstream-dies`)
    const closed = closeOf(client)
    ;(await upstream.waitForSocket(opened)).terminate()
    expect(await closed).toEqual({ code: 1006, reason: '' })
    await gateway.waitForLog(({ path }) => path === '/upstream-dies')
  })

  it('takes the other with it by a reset too', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(
      [
        'GET /reset HTTP/1.1',
        ...['host: gateway.test', 'connection: Upgrade', 'upgrade: websocket'],
        ...['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
      ].join('\r\n'),
    )
    await connection.waitFor('101 Switching')
    const theirs = await upstream.waitForSocket(opened)
    connection.reset()
    expect(await theirs.closed).toMatchObject({ code: 1006 })
  })

  it('in the middle of a message never looks as if it had finished it', async () => {
    await using connection = await connectRaw({ port: gateway.port })
    await connection.write(
      [
        'GET /torn HTTP/1.1',
        ...['host: gateway.test', 'connection: Upgrade', 'upgrade: websocket'],
        ...['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
      ].join('\r\n'),
    )
    await connection.waitFor('101 Switching')
    const theirs = await upstream.waitForSocket(opened)
    // A frame of five bytes, of which two come.
    await connection.write(Buffer.from([0x81, 0x85, 0, 0, 0, 0, 0x61, 0x62]))
    connection.halfClose()
    expect(await theirs.closed).toMatchObject({ code: 1006 })
    expect(theirs.messages).toEqual([])
  })
})

describe('a side that does not read', () => {
  const size = 80_000_000

  it('makes the upstream wait when it is the client', async () => {
    const client = await openSocket(`${url}/slow-client`)
    const theirs = await upstream.waitForSocket(opened)
    const before = await rss()
    client.pause()
    const sent = theirs.send(Buffer.alloc(size))
    await quiet(() => theirs.bufferedBytes)
    expect(theirs.bufferedBytes).toBeGreaterThan(size / 2)
    expect((await rss()) - before).toBeLessThan(size / 2)
    const message = nextMessage(client)
    client.resume()
    await sent
    expect((await message).data).toHaveLength(size)
    client.terminate()
  })

  it('makes the client wait when it is the upstream', async () => {
    const client = await openSocket(`${url}/slow-upstream`)
    const theirs = await upstream.waitForSocket(opened)
    const before = await rss()
    theirs.pause()
    client.send(Buffer.alloc(size))
    await quiet(() => client.bufferedAmount)
    expect(client.bufferedAmount).toBeGreaterThan(size / 2)
    expect((await rss()) - before).toBeLessThan(size / 2)
    theirs.resume()
    expect((await theirs.waitForMessage(0, 10_000)).data).toHaveLength(size)
    client.terminate()
  })
})

describe('a gateway that is told to end', () => {
  it('waits for its sockets', async () => {
    await using draining = await start({ timeout: '20s' })
    const client = await openSocket(`${draining.url.replace('http', 'ws')}/drained`)
    const theirs = await upstream.waitForSocket(opened)
    draining.signal('SIGTERM')
    await draining.waitForLog(({ message }) => message === 'draining')
    client.send('still here')
    expect((await theirs.waitForMessage()).data.toString()).toBe('still here')
    const message = nextMessage(client)
    await theirs.send('and I')
    expect((await message).data.toString()).toBe('and I')
    client.close(1000)
    expect(await draining.exit).toEqual({ code: 0, signal: null })
    expect(draining.logs.filter(({ path }) => path === '/drained')).toMatchObject([
      { status_code: 101 },
    ])
  })

  it('cuts those that outlast its time', async () => {
    await using draining = await start({ timeout: '300ms' })
    const client = await openSocket(`${draining.url.replace('http', 'ws')}/cut`)
    const theirs = await upstream.waitForSocket(opened)
    const closed = closeOf(client)
    draining.signal('SIGTERM')
    expect(await closed).toMatchObject({ code: 1006 })
    expect(await theirs.closed).toMatchObject({ code: 1006 })
    expect(await draining.exit).toEqual({ code: 0, signal: null })
    expect(draining.logs.some(({ destroyed }) => destroyed === 1)).toBe(true)
    expect(draining.logs.filter(({ path }) => path === '/cut')).toHaveLength(1)
  })
})
