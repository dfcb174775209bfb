import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { type HttpBindings, serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from '../core/logger.ts'
import { followRequests, requestLog } from './request-log.ts'

type Line = Record<string, unknown>

/** Lines as they come: tests wait for the next one instead of for time to pass. */
class Lines {
  readonly all: Line[] = []
  #waiting: (() => void) | undefined

  write = (line: string): void => {
    this.all.push(JSON.parse(line) as Line)
    this.#waiting?.()
  }

  async count(count: number): Promise<Line[]> {
    while (this.all.length < count)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    return this.all
  }
}

let lines: Lines
let server: Server
let port: number
let touched: string[]

beforeEach(async () => {
  lines = new Lines()
  touched = []
  const logger = createLogger({ destination: lines })
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.use(requestLog({ logger, context: () => ({ request_id: 'r1' }) }))
  app.onError((_, c) => c.text('failed', 500))
  app.get('/plain', (c) => {
    logger.info('nested')
    return c.text('ok')
  })
  app.get('/stream', (c) => c.body(endless(), 200, { 'x-accel-buffering': 'no' }))
  app.get('/fail', () => {
    throw new Error('no')
  })
  app.get('/own', (c) => {
    c.env.outgoing.writeHead(207, { 'content-type': 'text/plain' })
    c.env.outgoing.write('first,')
    setImmediate(() => c.env.outgoing.end('last'))
    return RESPONSE_ALREADY_SENT
  })
  app.get('/own/endless', (c) => {
    c.env.outgoing.writeHead(200)
    c.env.outgoing.write('first')
    return RESPONSE_ALREADY_SENT
  })
  const follow = followRequests<{ Bindings: HttpBindings }>({
    logger,
    context: () => ({ request_id: 'r2' }),
  })
  app.get('/alone', (c) =>
    follow(c, () => {
      logger.info('nested')
      return c.text('ok')
    }),
  )
  app.get('/silent', () => new Promise<Response>(() => {}))
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('tick\n')),
    cancel: () => {
      touched.push('cancelled')
    },
  })
}

const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)

describe('requestLog over a socket', () => {
  it('writes the line at the end of the response, nested lines before it', async () => {
    expect(await (await get('/plain?x=1')).text()).toBe('ok')
    const [nested, line] = await lines.count(2)
    expect(nested).toMatchObject({ message: 'nested', request_id: 'r1' })
    expect(line).toMatchObject({
      request_id: 'r1',
      path: '/plain',
      route: '/plain',
      status_code: 200,
    })
    expect(line?.duration_ms).toEqual(expect.any(Number))
  })

  it('writes one line per request of a connection that is kept alive', async () => {
    const socket = connect(port, '127.0.0.1')
    const request = 'GET /plain HTTP/1.1\r\nhost: a\r\n\r\n'
    socket.write(request + request)
    await lines.count(4)
    socket.destroy()
    expect(lines.all.filter((line) => line.message === 'request')).toHaveLength(2)
  })

  it('calls a client that leaves in the middle of a stream 499', async () => {
    const controller = new AbortController()
    const response = await fetch(`http://127.0.0.1:${port}/stream`, { signal: controller.signal })
    await response.body?.getReader().read()
    expect(lines.all).toEqual([])
    controller.abort()
    expect(await lines.count(1)).toEqual([
      expect.objectContaining({ status_code: 499, level: 'info', route: '/stream' }),
    ])
  })

  it('calls a client that leaves before any answer 499', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /silent HTTP/1.1\r\nhost: a\r\n\r\n')
    await once(server, 'request')
    socket.destroy()
    expect(await lines.count(1)).toEqual([expect.objectContaining({ status_code: 499 })])
  })

  it('follows a handler that writes to the response of Node itself', async () => {
    const response = await get('/own')
    expect([response.status, await response.text()]).toEqual([207, 'first,last'])
    expect(await lines.count(1)).toEqual([
      expect.objectContaining({ status_code: 207, route: '/own', request_id: 'r1' }),
    ])
    const { body } = await get('/own/endless')
    await body?.cancel()
    expect((await lines.count(2))[1]).toMatchObject({ status_code: 499, route: '/own/endless' })
  })

  it('follows a lone handler to its end, without being a middleware', async () => {
    expect(await (await get('/alone')).text()).toBe('ok')
    const all = await lines.count(3)
    expect(all.filter((line) => line.request_id === 'r2')).toEqual([
      expect.objectContaining({ message: 'nested' }),
      expect.objectContaining({ message: 'request', route: '/alone', status_code: 200 }),
    ])
  })

  it('logs failures and unknown paths', async () => {
    await (await get('/fail')).text()
    await (await get('/nowhere')).text()
    expect(await lines.count(2)).toEqual([
      expect.objectContaining({ level: 'error', status_code: 500, error_code: 'Error' }),
      expect.objectContaining({ level: 'info', status_code: 404, path: '/nowhere' }),
    ])
  })
})
