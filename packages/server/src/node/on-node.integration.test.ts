import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { type HttpBindings, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { bodyLimit } from '../body/limit.ts'
import type { Exchange, ExchangeEnv } from '../exchange/exchange.ts'
import { exchange } from '../exchange/middleware.ts'
import { cors } from '../headers/cors.ts'
import { security } from '../headers/security.ts'
import { createTrust } from '../network/trust.ts'
import { ClientGone } from '../problems/errors.ts'
import { alreadySent, createProblems } from '../problems/problems.ts'
import { SERVER_PROBLEMS } from '../problems/table.ts'
import { onNode } from './on-node.ts'

interface Env extends ExchangeEnv {
  Bindings: HttpBindings
}

const open: { close(): void }[] = []
afterEach(() => {
  for (const resource of open.splice(0)) resource.close()
})

async function start(build: (app: Hono<Env>) => void) {
  const app = new Hono<Env>()
  const problems = createProblems({ table: SERVER_PROBLEMS, production: true })
  app.onError(problems.onError)
  app.notFound(problems.notFound)
  app.use(exchange({ profile: 'production', trust: createTrust([]), service: 'gateway' }))
  app.use(security('production'))
  app.use(cors({ profile: 'production', origins: ['https://app.example.com'] }))
  build(app)
  return new Promise<number>((resolve) => {
    const fetch = onNode(app.fetch as Parameters<typeof onNode<HttpBindings>>[0])
    const server = serve(
      { fetch: fetch as typeof app.fetch, port: 0, hostname: '127.0.0.1' },
      (info: AddressInfo) => resolve(info.port),
    )
    open.push({
      close: () => {
        if ('closeAllConnections' in server) server.closeAllConnections()
        server.close()
      },
    })
  })
}

function talk(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  open.push({ close: () => socket.destroy() })
  socket.write(request)
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString()
  })
  return new Promise((resolve) => socket.once('close', () => resolve(received)))
}

const takeOver = (app: Hono<Env>) =>
  app.all('/taken', (c) => {
    const record = c.get('exchange')
    const headers = [...record.headers, 'content-length', '5', 'connection', 'close']
    c.env.outgoing.writeHead(200, headers)
    c.env.outgoing.end('hello')
    record.sent = true
    return alreadySent()
  })

describe('the kit on Node', () => {
  it('puts id, timing, security and CORS headers on its own responses', async () => {
    const port = await start((app) => app.get('/', (c) => c.text(c.get('exchange').clientIp)))
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { 'x-request-id': 'abc', origin: 'https://app.example.com' },
    })
    expect(await response.text()).toBe('127.0.0.1')
    expect(response.headers.get('x-request-id')).toBe('abc')
    expect(response.headers.get('server-timing')).toMatch(/^gateway;dur=/)
    expect(response.headers.get('x-frame-options')).toBe('DENY')
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
  })

  it('leaves a response alone that a handler wrote to Node itself, for HEAD too', async () => {
    const port = await start(takeOver)
    for (const method of ['GET', 'HEAD', 'POST']) {
      const received = await talk(port, `${method} /taken HTTP/1.1\r\nhost: a\r\n\r\n`)
      expect(received.match(/HTTP\/1\.1 200/g)).toHaveLength(1)
      expect(received.endsWith(method === 'HEAD' ? '\r\n\r\n' : '\r\n\r\nhello')).toBe(true)
      expect(received).toContain('x-request-id: req_')
      expect(received).not.toContain('x-hono-already-sent')
    }
  })

  it('writes no error over a response that has begun', async () => {
    const port = await start((app) =>
      app.get('/', (c) => {
        c.env.outgoing.writeHead(200, ['connection', 'close'])
        c.env.outgoing.end('begun')
        c.get('exchange').sent = true
        throw new Error('too late')
      }),
    )
    const received = await talk(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    expect(received).toMatch(/^HTTP\/1\.1 200[\s\S]*begun/)
    expect(received).not.toContain('internal_error')
  })

  it('aborts the signal and settles the outcome when the client leaves', async () => {
    const records: Exchange[] = []
    const aborted = Promise.withResolvers<unknown>()
    const port = await start((app) =>
      app.get('/', (c) => {
        const record = c.get('exchange')
        records.push(record)
        const { signal } = record
        socket.destroy()
        return new Promise<Response>((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.resolve(signal.reason)
            reject(signal.reason)
          })
        })
      }),
    )
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    expect(await aborted.promise).toBeInstanceOf(ClientGone)
    expect(records[0]?.outcome).toBe('client_gone')
  })

  it('settles the outcome of its own responses when they have gone out', async () => {
    const records: Exchange[] = []
    const port = await start((app) =>
      app.get('/', (c) => {
        records.push(c.get('exchange'))
        return c.text('ok', 201)
      }),
    )
    await talk(port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    expect(records[0]).toMatchObject({ status: 201, outcome: 'complete' })
  })

  it('refuses bodies over the limit, declared or chunked', async () => {
    const port = await start((app) =>
      app.post('/', bodyLimit({ maxBytes: 4 }), async (c) => c.text(await c.req.text())),
    )
    const head = 'POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n'
    expect(await talk(port, `${head}content-length: 5\r\n\r\n`)).toContain('413')
    expect(await talk(port, `${head}content-length: 4\r\n\r\nabcd`)).toMatch(/200 OK[\s\S]*abcd$/)
    const chunked = `${head}transfer-encoding: chunked\r\n\r\n`
    expect(await talk(port, `${chunked}4\r\nabcd\r\n0\r\n\r\n`)).toMatch(/200 OK[\s\S]*abcd$/)
    expect(await talk(port, `${chunked}4\r\nabcd\r\n1\r\ne\r\n0\r\n\r\n`)).toContain('413')
  })
})
