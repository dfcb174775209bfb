import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createProblems } from '../problems/problems.ts'
import { SERVER_PROBLEMS } from '../problems/table.ts'
import { bodyLimit } from './limit.ts'

function server() {
  const app = new Hono()
  app.onError(createProblems({ table: SERVER_PROBLEMS, production: true }).onError)
  app.use(bodyLimit({ maxBytes: 10 }))
  app.post('/', async (c) => c.text(await c.req.text()))
  app.post('/careless', async (c) => c.text(await c.req.text().catch(() => 'bad input')))
  app.get('/', (c) => c.text('no body'))
  return app
}

function chunked(...chunks: string[]) {
  let pulled = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[pulled++]
        if (chunk === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(chunk))
      },
    },
    { highWaterMark: 0 },
  )
  return { init: { method: 'POST', body, duplex: 'half' as const }, pulled: () => pulled }
}

describe('bodyLimit', () => {
  it('passes what fits', async () => {
    expect(await (await server().request('/')).text()).toBe('no body')
    expect(await (await server().request('/', { method: 'POST', body: '0123456789' })).text()).toBe(
      '0123456789',
    )
    expect(await (await server().request('/', chunked('01234', '56789').init)).text()).toBe(
      '0123456789',
    )
  })

  it('refuses by the declared length before a byte is read', async () => {
    const upload = chunked('0123456789a')
    const response = await server().request('/', {
      ...upload.init,
      headers: { 'content-length': '11' },
    })
    expect(response.status).toBe(413)
    expect(upload.pulled()).toBe(0)
    expect(await response.text()).toContain('10 bytes')
  })

  it('counts a body of unknown or wrongly declared length while it is read', async () => {
    const upload = chunked('01234', '56789', 'a', ...Array.from({ length: 100 }, () => 'more'))
    expect((await server().request('/', upload.init)).status).toBe(413)
    expect(upload.pulled()).toBeLessThan(10)
    const liar = { ...chunked('0123456789', 'a').init, headers: { 'content-length': '3' } }
    expect((await server().request('/', liar)).status).toBe(413)
  })

  it('tells the truth even if the handler took the broken body for bad input', async () => {
    expect((await server().request('/careless', chunked('0123456789', 'a').init)).status).toBe(413)
  })
})
