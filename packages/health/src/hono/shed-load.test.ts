import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { LoadShedder, Shed } from '../core/load/load-shedder.ts'
import { type ShedLoadOptions, shedLoad } from './shed-load.ts'

const shed: Shed = { reason: 'event_loop_delay', retryAfterMs: 1_500 }
const full = { decide: () => shed } as LoadShedder
const calm = { decide: () => undefined } as LoadShedder

function appWith(options: ShedLoadOptions) {
  const app = new Hono()
  app.use(shedLoad(options))
  app.get('*', (c) => c.text('hello'))
  return app
}

describe('shedLoad', () => {
  it('lets requests in while there is no overload', async () => {
    expect(await (await appWith({ shedder: calm }).request('/')).text()).toBe('hello')
  })

  it('sends away with 503 and when to come again', async () => {
    const response = await appWith({ shedder: full }).request('/')
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('2')
    expect(response.headers.get('retry-after-ms')).toBe('1500')
    expect(await response.json()).toMatchObject({
      ...{ status: 503, code: 'overloaded', error: { type: 'server_error' } },
    })
  })

  it('skips what is never shed, and answers as it is told', async () => {
    const app = appWith({
      shedder: full,
      skip: (c) => c.req.path === '/livez',
      onShed: (c, { reason }) => c.text(reason, 429),
    })
    expect((await app.request('/livez')).status).toBe(200)
    const response = await app.request('/')
    expect([response.status, await response.text()]).toEqual([429, 'event_loop_delay'])
  })
})
