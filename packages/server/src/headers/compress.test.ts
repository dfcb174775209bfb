import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { type CompressOptions, compress } from './compress.ts'

function ask(options: CompressOptions, contentType = 'application/json', encoding = 'gzip') {
  const app = new Hono()
  app.use(compress(options))
  app.get('/', (c) => c.body('x'.repeat(2000), 200, { 'content-type': contentType }))
  return app.request('/', { headers: { 'accept-encoding': encoding } })
}

describe('compress', () => {
  it('compresses as the client accepts and says that it depends on that', async () => {
    const response = await ask({})
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(response.headers.get('vary')).toBe('Accept-Encoding')
    const stream = response.body?.pipeThrough(new DecompressionStream('gzip'))
    expect(await new Response(stream).text()).toBe('x'.repeat(2000))
    expect((await ask({}, 'application/json', 'deflate')).headers.get('content-encoding')).toBe(
      'deflate',
    )
  })

  it('leaves alone what nobody wants compressed', async () => {
    expect(
      (await ask({}, 'application/json', 'identity')).headers.get('content-encoding'),
    ).toBeNull()
    expect((await ask({}, 'text/event-stream')).headers.get('content-encoding')).toBeNull()
    expect((await ask({}, 'image/png')).headers.get('content-encoding')).toBeNull()
  })

  it('can be switched off', async () => {
    expect((await ask({ enabled: false })).headers.get('content-encoding')).toBeNull()
  })
})
