import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { EventStreamOptions } from '../core/event-stream.ts'
import type { EventLog } from '../core/log.ts'
import { memoryLog } from '../core/memory-log.ts'
import { SseReader } from '../core/sse-reader.fixture.ts'
import { type WatchedLog, watched } from '../core/watched-log.fixture.ts'
import { eventStream } from '../hono/event-stream.ts'
import { sendEventStream } from './send-event-stream.ts'

type Serve = (log: EventLog, options: EventStreamOptions) => RequestListener

const servers: Record<string, Serve> = {
  'eventStream on the Node adapter of Hono': (log, options) => {
    const app = new Hono()
    app.get('/*', (c) => eventStream(c, log, options))
    return getRequestListener(app.fetch)
  },
  sendEventStream: (log, options) => (request, response) =>
    void sendEventStream(request, response, log, options),
}

async function open(serve: Serve, log: WatchedLog, options: EventStreamOptions = {}) {
  const server = createServer(serve(log, options)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    await log.close()
    server.closeAllConnections()
    server.close()
  })
  const get = async (headers: Record<string, string> = {}, query = '') => {
    const response = await fetch(`http://127.0.0.1:${port}/events${query}`, { headers })
    return { response, reader: new SseReader(response.body) }
  }
  return { server, port, get }
}

const idle = (log: WatchedLog) =>
  vi.waitFor(() => expect(log.followers).toBe(0), { timeout: 15_000 })

describe.each(Object.entries(servers))('%s', (_name, serve) => {
  it('tells what is there, and what comes, as it comes', async () => {
    const log = watched(memoryLog())
    const id = await log.append('a')
    const { get } = await open(serve, log, { after: 'start' })
    const { response, reader } = await get()
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    expect(await reader.take(1)).toEqual(['a'])
    for (const text of ['b', 'two\nlines', 'ünï ☃']) {
      await log.append(text)
      expect(await reader.take(1)).toEqual([text])
    }
    const resumed = await get({ 'last-event-id': id })
    expect(await resumed.reader.take(1)).toEqual(['b'])
    const asked = await get({}, `?x=1&lastEventId=${id}`)
    expect(await asked.reader.take(1)).toEqual(['b'])
  })

  it('answers before there is anything to tell, and keeps the connection alive', async () => {
    const log = watched(memoryLog())
    const { get } = await open(serve, log, { heartbeatMs: 20 })
    const { reader } = await get()
    await reader.until(':\n\n:\n\n')
    await log.append('first')
    expect(await reader.take(1)).toEqual(['first'])
  })

  it('lets go of the log when a client leaves, however it does', async () => {
    const log = watched(memoryLog())
    const { get, port, server } = await open(serve, log, { after: 'start' })
    await log.append('a')
    const { reader } = await get()
    await reader.take(1)
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /events HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
    await vi.waitFor(() => expect(log.followers).toBe(2))
    await reader.leave()
    socket.resetAndDestroy()
    await idle(log)
    const headed = await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' })
    expect(headed.headers.get('content-type')).toBe('text/event-stream')
    expect(await headed.text()).toBe('')
    expect(log.followers).toBe(0)
    expect(server.listening).toBe(true)
  })

  it('ends all streams with the signal, so that the server can close', async () => {
    const log = watched(memoryLog())
    const over = new AbortController()
    const { get, server } = await open(serve, log, { after: 'start', signal: over.signal })
    await log.append('a')
    const readers = await Promise.all(Array.from({ length: 20 }, () => get()))
    for (const { reader } of readers) expect(await reader.take(1)).toEqual(['a'])
    const closed = once(server, 'close')
    server.close()
    over.abort()
    for (const { reader } of readers) {
      expect(await reader.next()).toBeUndefined()
      expect(reader.retries).toHaveLength(2)
    }
    server.closeIdleConnections()
    await closed
    expect(log.followers).toBe(0)
  })

  it('keeps nothing for a client that reads nothing, which is told of the gap', async () => {
    const log = watched(memoryLog({ maxEntries: 100 }))
    const { port } = await open(serve, log, { after: 'start' })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /events HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    // More than what the kernel buffers of a connection.
    for (let at = 0; at < 1_000; at += 1) {
      await log.append('x'.repeat(40_000))
      if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await log.append('the last one')
    let [received, tail, gap] = [0, '', false]
    socket.on('data', (chunk) => {
      received += chunk.length
      const text = tail + chunk.toString('latin1')
      gap ||= text.includes('event: gap')
      tail = text.slice(-50)
    })
    socket.resume()
    await vi.waitFor(() => expect(tail).toContain('the last one'), { timeout: 15_000 })
    expect(gap).toBe(true)
    expect(received).toBeLessThan(30_000_000)
    socket.destroy()
    await idle(log)
  })

  it('lets go of a client that reads nothing for long, and of its connection', async () => {
    const log = watched(memoryLog())
    const { port, server } = await open(serve, log, { after: 'start', heartbeatMs: 20 })
    for (let at = 0; at < 1_000; at += 1) await log.append('x'.repeat(40_000))
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('GET /events HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    await vi.waitFor(() => expect(log.followers).toBe(1))
    await idle(log)
    await vi.waitFor(
      async () => {
        const { promise, resolve } = Promise.withResolvers<number>()
        server.getConnections((_error, count) => resolve(count))
        expect(await promise).toBe(0)
      },
      { timeout: 15_000 },
    )
  })

  it('tells a client nothing of what went wrong', async () => {
    const log = watched(memoryLog())
    const secret = 'redis://user:secret@host'
    const errors: unknown[] = []
    const broken: WatchedLog = {
      ...log,
      followers: 0,
      tail: () => {
        throw new Error(secret)
      },
    }
    const onError = (error: unknown) => errors.push(error)
    const { get } = await open(serve, broken, { after: 'start', onError })
    const { reader, response } = await get()
    expect(await reader.next()).toBeUndefined()
    expect(response.status).toBe(200)
    expect(reader.text).not.toContain('secret')
    expect(errors).toEqual([new Error(secret)])
  })
})
