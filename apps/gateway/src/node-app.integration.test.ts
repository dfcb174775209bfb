import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayEnv } from './env.ts'
import { nodeApp } from './node-app.ts'
import { GatewayRequest } from './request.ts'

const KILOBYTE = new TextEncoder().encode('x'.repeat(1024))

let app: Hono<GatewayEnv>
let server: Server
let port: number

beforeEach(async () => {
  app = new Hono<GatewayEnv>()
  const respond = nodeApp(app.fetch)
  server = createServer({ IncomingMessage: GatewayRequest }, (incoming, outgoing) => {
    incoming.admit()
    void respond(incoming, outgoing)
  })
  server.on('checkContinue', (incoming: GatewayRequest, outgoing) => {
    incoming.expectsContinue = true
    void respond(incoming, outgoing)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init)

/** A connection of our own, and everything that came over it. */
function open(text: string): { socket: Socket; received: Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  let all = ''
  socket.on('data', (bytes: Buffer) => {
    all += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  socket.write(text)
  return { socket, received: once(socket, 'close').then(() => all) }
}

const head = (line: string, ...fields: readonly string[]): string =>
  [`${line} HTTP/1.1`, 'host: gateway.test', ...fields, '', ''].join('\r\n')

describe('the request that an app sees', () => {
  it('has the method, URL and headers that came', async () => {
    app.all('*', (c) => {
      const { method, url, headers, bodyUsed } = c.req.raw
      return c.json({ method, url, two: headers.get('x-two'), query: c.req.query('a'), bodyUsed })
    })
    const { socket, received } = open(
      head('PURGE /p?a=1', 'x-two: 1', 'X-Two: 2', 'connection: close'),
    )
    const [, body] = (await received).split('\r\n\r\n')
    expect(JSON.parse(body ?? '')).toEqual({
      method: 'PURGE',
      url: 'http://gateway.test/p?a=1',
      two: '1, 2',
      query: '1',
      bodyUsed: false,
    })
    socket.destroy()
  })

  it('has a body for whoever asks, in every form', async () => {
    app.post('/json', async (c) => c.json({ got: await c.req.json(), used: c.req.raw.bodyUsed }))
    app.post('/form', async (c) => c.json((await c.req.parseBody()) as Record<string, string>))
    app.post('/bytes', async (c) => c.body(await c.req.arrayBuffer()))
    app.post('/clone', async (c) => c.text(await c.req.raw.clone().text()))
    app.post('/blob', async (c) => c.json({ size: (await c.req.blob()).size }))
    app.post('/stream', (c) => c.body(c.req.raw.body as ReadableStream))
    const post = (path: string, body: NonNullable<RequestInit['body']>) =>
      ask(path, { method: 'POST', body })
    expect(await (await post('/json', '{"a":1}')).json()).toEqual({ got: { a: 1 }, used: true })
    expect(await (await post('/form', new URLSearchParams({ a: 'b' }))).json()).toEqual({ a: 'b' })
    for (const path of ['/bytes', '/clone', '/stream']) {
      expect(await (await post(path, 'abc')).text()).toBe('abc')
    }
    expect(await (await post('/blob', 'abc')).json()).toEqual({ size: 3 })
  })

  it('tells a client that waits for 100 to go on, once its body is wanted', async () => {
    app.post('/read', async (c) => c.text(await c.req.text()))
    const { socket, received } = open(
      head('POST /read', 'expect: 100-continue', 'content-length: 2', 'connection: close'),
    )
    await once(socket, 'data')
    socket.write('ok')
    expect(await received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 .*ok$/s)
  })

  it('has a signal that says when the client has left, and stays silent otherwise', async () => {
    const signals: AbortSignal[] = []
    app.get('/wait', async (c) => {
      const { signal } = c.req.raw
      signals.push(signal)
      socket.destroy()
      await once(signal, 'abort')
      return c.text('nobody hears it')
    })
    app.get('/done', (c) => {
      signals.push(c.req.raw.signal)
      return c.text('done')
    })
    const { socket, received } = open(head('GET /wait'))
    await received
    await (await ask('/done')).text()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(signals[0]?.reason).toMatchObject({ name: 'ClientGone' })
  })
})

describe('the response that an app returns', () => {
  it('leaves with its status, its headers and every cookie', async () => {
    app.get('/', (c) => {
      c.header('set-cookie', 'a=1')
      c.header('set-cookie', 'b=2', { append: true })
      return c.json({ a: 1 }, 201, { 'x-own': 'yes' })
    })
    const response = await ask('/')
    expect(response.status).toBe(201)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('x-own')).toBe('yes')
    expect(response.headers.get('content-length')).toBe('7')
    expect(await response.json()).toEqual({ a: 1 })
  })

  it('has no body where there is none', async () => {
    app.get('/none', (c) => c.body(null, 204))
    app.get('/empty', (c) => c.body(''))
    app.get('/text', (c) => c.text('text', 200, { 'x-own': 'yes' }))
    expect((await ask('/none')).status).toBe(204)
    expect((await ask('/empty')).headers.get('content-length')).toBe('0')
    const response = await ask('/text', { method: 'HEAD' })
    expect([response.headers.get('x-own'), await response.text()]).toEqual(['yes', ''])
  })

  it('sends its head at once and each chunk as it comes', async () => {
    let feed: ReadableStreamDefaultController<Uint8Array> | undefined
    app.get('/', (c) =>
      c.body(
        new ReadableStream({
          start(controller) {
            feed = controller
          },
        }),
      ),
    )
    const response = await ask('/')
    const reader = response.body?.getReader()
    for (const text of ['one', 'two']) {
      feed?.enqueue(new TextEncoder().encode(text))
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(text)
    }
    feed?.close()
    expect((await reader?.read())?.done).toBe(true)
  })

  it('is made only as fast as the client takes it, and no longer once it has left', async () => {
    let made = 0
    const left = new Promise<void>((resolve) => {
      app.get('/', (c) =>
        c.body(
          new ReadableStream<Uint8Array>(
            {
              pull(controller) {
                made += 1
                controller.enqueue(KILOBYTE)
              },
              cancel: () => resolve(),
            },
            { highWaterMark: 0 },
          ),
        ),
      )
    })
    const { socket } = open(head('GET /'))
    await once(socket, 'data')
    socket.pause()
    let before = -1
    while (before !== made) {
      before = made
      await ask('/nowhere')
    }
    expect(made).toBeLessThan(64 * 1024)
    socket.destroy()
    await left
  })

  it('is cut short, not ended, when its body breaks', async () => {
    app.get('/late', (c) => {
      let chunks = 0
      return c.body(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            chunks += 1
            if (chunks > 3) throw new Error('broken')
            controller.enqueue(KILOBYTE)
          },
        }),
      )
    })
    app.get('/early', (c) =>
      c.body(
        new ReadableStream({
          start: (controller) => controller.error(new Error('broken')),
        }),
      ),
    )
    await expect(ask('/late').then((response) => response.text())).rejects.toThrow()
    expect((await ask('/early')).status).toBe(500)
  })

  it('takes the connection with it when it breaks while its client reads nothing', async () => {
    let feed: ReadableStreamDefaultController<Uint8Array> | undefined
    app.get('/', (c) =>
      c.body(
        new ReadableStream({
          start(controller) {
            feed = controller
            for (let chunk = 0; chunk < 3; chunk += 1) {
              controller.enqueue(new Uint8Array(32 * 1024 ** 2))
            }
          },
        }),
      ),
    )
    const connected = once(server, 'connection')
    const { socket } = open(head('GET /'))
    const [connection] = (await connected) as [Socket]
    await once(socket, 'data')
    socket.pause()
    // By then it is waited for the client to take more.
    await ask('/nowhere')
    const closed = once(connection, 'close')
    feed?.error(new Error('broken'))
    await closed
    socket.destroy()
  })

  it('is left alone when a handler has written its own, for HEAD too', async () => {
    app.get('/', (c) => {
      setImmediate(() => c.env.outgoing.writeHead(207, { 'x-own': 'yes' }).end('own'))
      return RESPONSE_ALREADY_SENT
    })
    for (const method of ['GET', 'HEAD']) {
      const response = await ask('/', { method })
      expect([response.status, response.headers.get('x-own')]).toEqual([207, 'yes'])
      expect(await response.text()).toBe(method === 'GET' ? 'own' : '')
    }
  })

  it('is a 500 when the app fails in making one', async () => {
    app.onError(() => {
      throw new Error('failed again')
    })
    app.get('/', () => {
      throw new Error('failed')
    })
    expect((await ask('/')).status).toBe(500)
  })
})

describe('a body that nobody reads', () => {
  it('does not stand before the next request', async () => {
    app.post('/', (c) => c.text('no', 401))
    app.get('/', (c) => c.text('next'))
    const body = 'x'.repeat(300_000)
    const { received } = open(
      `${head('POST /', `content-length: ${body.length}`)}${body}${head('GET /', 'connection: close')}`,
    )
    expect(await received).toMatch(/^HTTP\/1\.1 401 .*no.*HTTP\/1\.1 200 .*next$/s)
  })

  it('is not waited for when it does not come', async () => {
    app.post('/', (c) => c.text('no', 401))
    const { received } = open(`${head('POST /', 'content-length: 300000')}abc`)
    expect(await received).toMatch(/^HTTP\/1\.1 401 .*no$/s)
  })
})
