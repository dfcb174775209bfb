import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createHealth } from '../core/health.ts'
import { healthRoutes } from './health-routes.ts'

function setUp() {
  let draining = false
  let bad = false
  const health = createHealth({ version: '1.0.0', isDraining: () => draining })
  health.register('redis', () => (bad ? { error: { code: 'x', message: 'secret host' } } : {}), {
    ttl: 0,
  })
  const app = new Hono().route(
    '/',
    healthRoutes({ health, authorised: (c) => c.req.header('x-key') === 'right' }),
  )
  const get = (path: string, headers: Record<string, string> = {}) => app.request(path, { headers })
  return {
    get,
    app,
    drain: () => {
      draining = true
    },
    fail: () => {
      bad = true
    },
  }
}

const key = { 'x-key': 'right' }

describe('healthRoutes', () => {
  it('answers probes', async () => {
    const { get } = setUp()
    for (const [path, body] of [
      ['/livez', { status: 'alive' }],
      ['/readyz', { status: 'ready' }],
      ['/health', { status: 'healthy', version: '1.0.0' }],
    ] as const) {
      const response = await get(path)
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
      expect(await response.json()).toMatchObject(body)
    }
  })

  it('turns red when a critical check is unhealthy, and stays alive', async () => {
    const { get, fail } = setUp()
    fail()
    const ready = await get('/readyz')
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await ready.json()).toEqual({ status: 'not_ready' })
    expect((await get('/health')).status).toBe(503)
    expect((await get('/livez')).status).toBe(200)
  })

  it('says that it is draining', async () => {
    const { get, drain } = setUp()
    drain()
    const ready = await get('/readyz')
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }])
    expect((await get('/livez')).status).toBe(200)
  })

  it('shows details to the authorised alone', async () => {
    const { get, fail } = setUp()
    fail()
    for (const path of ['/health', '/readyz', '/health/redis', '/health/other']) {
      const text = await (await get(path)).text()
      expect(text).not.toMatch(/secret host|"redis"/)
    }
    expect((await get('/health/redis')).status).toBe(403)
    expect((await get('/health/other')).status).toBe(403)
    const all = (await (await get('/health', key)).json()) as { components: object }
    expect(all.components).toMatchObject({ redis: { error: { message: 'secret host' } } })
    expect(await (await get('/readyz', key)).json()).toMatchObject({ failing: ['redis'] })
    const one = await get('/health/redis', key)
    expect([one.status, await one.json()]).toMatchObject([200, { component: 'redis' }])
    expect((await get('/health/other', key)).status).toBe(404)
  })

  it('shows nobody details unless told whom', async () => {
    const app = healthRoutes({ health: createHealth() })
    expect((await app.request('/health/redis')).status).toBe(403)
  })

  it('speaks application/health+json to those who ask for it', async () => {
    const { get } = setUp()
    const response = await get('/health', { accept: 'application/health+json', ...key })
    expect(response.headers.get('content-type')).toBe('application/health+json')
    expect(await response.json()).toMatchObject({ status: 'pass', checks: {} })
  })

  it('can only be read', async () => {
    const { app } = setUp()
    for (const path of ['/livez', '/readyz', '/health', '/health/redis']) {
      const response = await app.request(path, { method: 'POST' })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
      expect((await app.request(path, { method: 'HEAD', headers: key })).status).toBe(200)
    }
  })
})
