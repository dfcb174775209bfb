import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { addContext } from '../core/context.ts'
import { createLogger } from '../core/logger.ts'
import { type RequestLogOptions, requestLog } from './request-log.ts'

type Line = Record<string, unknown>

function setup(options: Partial<RequestLogOptions> = {}) {
  const lines: Line[] = []
  let time = 0
  const logger = createLogger({
    destination: { write: (line: string) => lines.push(JSON.parse(line) as Line) },
  })
  const app = new Hono<{ Variables: { requestId: string } }>()
  app.use(async (c, next) => {
    c.set('requestId', 'r1')
    await next()
  })
  app.use(requestLog({ logger, now: () => time, ...options }))
  app.onError((_, c) => c.text('failed', 500))
  app.get('/items/:id', (c) => {
    time += 12.3456
    logger.info('nested')
    return c.text('ok')
  })
  app.get('/stream', (c) => c.body(chunks(['a', 'b', 'c'])))
  app.get('/empty', (c) => c.body(null, 204))
  app.get('/broken', (c) => c.body(chunks(['a', new Error('cut')])))
  app.get('/fail', () => {
    throw Object.assign(new Error('no db at redis://u:pw@h'), { code: 'db_down' })
  })
  app.get('/teapot', (c) => c.text('no', 418))
  app.get('/odd', () => {
    throw 'a string'
  })
  return {
    app,
    lines,
    logger,
    at: (ms: number) => {
      time = ms
    },
  }
}

function chunks(parts: readonly (string | Error)[]): ReadableStream<Uint8Array> {
  const left = [...parts]
  return new ReadableStream({
    pull(controller) {
      const part = left.shift()
      if (part === undefined) controller.close()
      else if (part instanceof Error) controller.error(part)
      else controller.enqueue(new TextEncoder().encode(part))
    },
  })
}

describe('requestLog', () => {
  it('writes the line that it is given whole, and what an error says on top', async () => {
    const ends: number[] = []
    const line = (_: unknown, { statusCode }: { statusCode: number }) => ({
      status_code: statusCode,
      error_code: statusCode === 418 ? 'teapot' : undefined,
    })
    const { app, lines } = setup({ line, onEnd: (_, end) => ends.push(end.statusCode) })
    await (await app.request('/empty')).text()
    await (await app.request('/teapot')).text()
    await (await app.request('/fail')).text()
    const own = lines.map(({ timestamp, pid, thread_id, request_id, ...rest }) => rest)
    expect(own).toEqual([
      { level: 'info', status_code: 204, message: 'request' },
      {
        level: 'info',
        status_code: 418,
        error_code: 'teapot',
        message: 'request',
      },
      expect.objectContaining({ level: 'error', status_code: 500, error_code: 'db_down' }),
    ])
    expect(ends).toEqual([204, 418, 500])
  })

  it('keeps the line when what makes it whole throws', async () => {
    const line = () => {
      throw new Error('a mistake')
    }
    const { app, lines } = setup({ line })
    await (await app.request('/empty')).text()
    expect(lines[0]).toMatchObject({ status_code: 204, fields_error: { message: 'a mistake' } })
  })

  it('writes one line, without the query, when the body has been read', async () => {
    const { app, lines } = setup()
    const response = await app.request('/items/7?token=x')
    expect(lines.map((line) => line.message)).toEqual(['nested'])
    expect(await response.text()).toBe('ok')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatchObject({
      level: 'info',
      request_id: 'r1',
      method: 'GET',
      path: '/items/7',
      route: '/items/:id',
      status_code: 200,
      duration_ms: 12.35,
      message: 'request',
    })
  })

  it('carries the context in nested lines, and what they add in its own', async () => {
    const { app, lines, logger } = setup({ context: () => ({ request_id: 'r2', client: 'ci' }) })
    app.get('/tenant', (c) => {
      addContext({ tenant: 'acme' })
      logger.info('nested')
      return c.body(null)
    })
    await app.request('/tenant')
    expect(lines).toEqual([
      expect.objectContaining({
        message: 'nested',
        request_id: 'r2',
        client: 'ci',
        tenant: 'acme',
      }),
      expect.objectContaining({
        message: 'request',
        request_id: 'r2',
        client: 'ci',
        tenant: 'acme',
      }),
    ])
  })

  it('measures a stream to its end and passes it on chunk by chunk', async () => {
    const { app, lines, at } = setup()
    const response = await app.request('/stream')
    const reader = response.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('a')
    expect(lines).toEqual([])
    at(5_000)
    await reader?.read()
    await reader?.read()
    expect((await reader?.read())?.done).toBe(true)
    expect(lines).toEqual([expect.objectContaining({ status_code: 200, duration_ms: 5_000 })])
  })

  it('calls a reader that leaves 499, at info', async () => {
    const { app, lines } = setup()
    const response = await app.request('/stream')
    await response.body?.cancel()
    expect(lines).toEqual([expect.objectContaining({ status_code: 499, level: 'info' })])
  })

  it('logs bodyless responses and HEAD at once', async () => {
    const { app, lines } = setup()
    await app.request('/empty')
    await app.request('/stream', { method: 'HEAD' })
    expect(lines.map((line) => [line.method, line.status_code])).toEqual([
      ['GET', 204],
      ['HEAD', 200],
    ])
  })

  it('names what broke the body', async () => {
    const { app, lines } = setup()
    const response = await app.request('/broken')
    await expect(response.text()).rejects.toThrow('cut')
    expect(lines).toEqual([expect.objectContaining({ status_code: 200, error_code: 'Error' })])
  })

  it('is an error from 500 on, with the code and a scrubbed word of what was thrown', async () => {
    const { app, lines } = setup()
    await (await app.request('/fail')).text()
    await (await app.request('/teapot')).text()
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'error',
        status_code: 500,
        error_code: 'db_down',
        err: { type: 'Error', message: 'no db at redis://[redacted]@h' },
      }),
      expect.objectContaining({ level: 'info', status_code: 418 }),
    ])
  })

  it('logs and passes on what is thrown without being an Error', async () => {
    const { app, lines } = setup()
    await expect(Promise.resolve(app.request('/odd'))).rejects.toBe('a string')
    expect(lines).toEqual([expect.objectContaining({ level: 'error', status_code: 500 })])
  })

  it('lets fields replace, add and leave out, and decides the level by them', async () => {
    const { app, lines } = setup({
      fields: (c, end) => ({
        route: undefined,
        status_code: 502,
        shown: end.statusCode,
        q: c.req.query('q'),
      }),
    })
    await (await app.request('/items/7?q=1')).text()
    expect(lines[1]).toMatchObject({ level: 'error', status_code: 502, shown: 200, q: '1' })
    expect(lines[1]).not.toHaveProperty('route')
  })

  it('writes the line also when fields throws', async () => {
    const { app, lines } = setup({
      fields: () => {
        throw new TypeError('oops')
      },
    })
    await app.request('/empty')
    expect(lines[0]).toMatchObject({ status_code: 204, fields_error: { type: 'TypeError' } })
  })

  it('skips what it is told to skip', async () => {
    const { app, lines } = setup({ skip: (c) => c.req.path === '/empty' })
    await app.request('/empty')
    expect(lines).toEqual([])
  })
})
