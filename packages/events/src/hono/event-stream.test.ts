import { Hono } from 'hono'
import { describe, expect, it, vi } from 'vitest'
import type { EventStreamOptions } from '../core/event-stream.ts'
import { memoryLog } from '../core/memory-log.ts'
import { SseReader } from '../core/sse-reader.fixture.ts'
import { watched } from '../core/watched-log.fixture.ts'
import { eventStream } from './event-stream.ts'

async function setUp(options: EventStreamOptions = { after: 'start' }) {
  const log = watched(memoryLog())
  const ids = [await log.append('a'), await log.append('b'), await log.append('c')]
  const app = new Hono()
  app.use(async (c, next) => {
    c.header('x-request-id', 'r1')
    await next()
  })
  app.get('/events', (c) => eventStream(c, log, options))
  const get = (query = '', headers: Record<string, string> = {}, method = 'GET') =>
    app.request(`/events${query}`, { headers, method })
  return { log, ids, get }
}

describe('eventStream', () => {
  it('answers with a stream that nobody keeps or holds back', async () => {
    const { get } = await setUp()
    const response = await get()
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': 'r1',
    })
    expect(await new SseReader(response.body).take(3)).toEqual(['a', 'b', 'c'])
  })

  it('begins after the id that the header names, or else the query', async () => {
    const { get, ids } = await setUp()
    const [first, second] = ids
    const cases = [
      await get('', { 'last-event-id': `${second}` }),
      await get(`?lastEventId=${second}`),
      await get(`?lastEventId=${first}`, { 'last-event-id': `${second}` }),
      await get(`?lastEventId=${second}`, { 'last-event-id': '' }),
    ]
    for (const { body } of cases) expect(await new SseReader(body).take(1)).toEqual(['c'])
    for (const query of ['', '?lastEventId=', '?lastEvent=7']) {
      expect(await new SseReader((await get(query)).body).take(1)).toEqual(['a'])
    }
    for (const query of ['?lastEventId=x', '?lastEventId=%ff%0a']) {
      const told = await new SseReader((await get(query)).body).take(2)
      expect(told).toEqual(['gap {"after":null}', 'a'])
    }
  })

  it('follows nothing for HEAD, or once the reader has left', async () => {
    const { get, log } = await setUp()
    const head = await get('', {}, 'HEAD')
    expect([head.status, head.body]).toEqual([200, null])
    expect(head.headers.get('content-type')).toBe('text/event-stream')
    expect(log.followers).toBe(0)
    const reader = new SseReader((await get()).body)
    await reader.take(3)
    expect(log.followers).toBe(1)
    await reader.leave()
    await vi.waitFor(() => expect(log.followers).toBe(0))
  })
})
