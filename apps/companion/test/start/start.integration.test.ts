import { temporaryFolder } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ADMIN_KEY,
  run,
  SEVERAL_STARTS_MS,
  startCompanion,
  startOn,
  type TestCompanion,
} from '../companion.fixture.ts'

describe('a companion on defaults', () => {
  let companion: TestCompanion
  beforeAll(async () => {
    companion = await startCompanion({ ADMIN_KEY })
  }, SEVERAL_STARTS_MS)
  afterAll(async () => {
    await companion[Symbol.asyncDispose]()
  })
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(companion.url + path, { headers })
  const asAdmin = { authorization: `Bearer ${ADMIN_KEY}` }

  it.each(['/livez', '/api/v1/health/live'])('says at %s that it is alive', async (path) => {
    const response = await get(path)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ status: 'alive' })
  })

  it.each(['/readyz', '/api/v1/health/ready'])('says at %s that it is ready', async (path) => {
    const response = await get(path)
    expect([response.status, await response.json()]).toEqual([200, { status: 'ready' }])
  })

  it.each(['/health', '/api/v1/health'])('sums up at %s without components', async (path) => {
    const body = await (await get(path)).json()
    expect(Object.keys(Object(body)).sort()).toEqual([
      'status',
      'timestamp',
      'uptime_seconds',
      'version',
    ])
  })

  it('tells of each component those alone who may know', async () => {
    expect((await get('/api/v1/health/detailed')).status).toBe(401)
    const report = await (await get('/api/v1/health/detailed', asAdmin)).json()
    expect(report).toMatchObject({
      components: {
        database: { status: 'healthy', critical: true, details: { kind: 'embedded' } },
      },
    })
  })

  it('serves its metrics by route, as text and as JSON', async () => {
    await get('/livez')
    const text = await (await get('/metrics', asAdmin)).text()
    expect(text).toMatch(/http_server_request_duration_seconds_count\{.*http_route="\/livez"/)
    const json = await get('/metrics', { ...asAdmin, accept: 'application/json' })
    expect(json.headers.get('content-type')).toBe('application/json')
    expect(JSON.stringify(await json.json())).toContain('http_server_active_requests')
  })

  it('describes itself, and shows that on a page that asks nobody else', async () => {
    const document = await (await get('/openapi.json')).json()
    expect(document).toMatchObject({
      openapi: '3.1.0',
      paths: { '/api/v1/health/detailed': { get: { 'x-required-scope': 'health:read' } } },
    })
    const page = await get('/docs')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await page.text()
    expect(html).not.toMatch(/https?:\/\//)
    for (const [, file = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await fetch(new URL(file, page.url))).status).toBe(200)
    }
  })

  it('refuses in problems what it has not, and what a path has no method for', async () => {
    const lost = await get('/api/v1/nothing')
    expect(lost.status).toBe(404)
    expect(await lost.json()).toMatchObject({ code: 'not_found' })
    const posted = await fetch(`${companion.url}/livez`, { method: 'POST' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

describe('stopping a companion', { timeout: SEVERAL_STARTS_MS }, () => {
  it('ends with 0 after SIGTERM, and starts again on the same data', async () => {
    await using folder = await temporaryFolder('companion')
    for (const _ of [1, 2]) {
      const companion = await startOn(folder.path)
      expect((await fetch(`${companion.url}/readyz`)).status).toBe(200)
      expect(await companion.process.end()).toEqual({ code: 0, signal: null })
      expect(companion.log.map(({ message }) => message)).toEqual(
        expect.arrayContaining(['listening', 'draining', 'stopped']),
      )
    }
  })
})

describe('a start that is refused', { timeout: SEVERAL_STARTS_MS }, () => {
  const SECRET = 'kX2vQ9mT4wLs8ZbN1rYc7HdJ5fGp3EuA'
  const OTHER = 'aB3nR8kW1xPq6YvM9tZc2JhD7gFs4LuE'

  it.each([
    ['without a secret', {}, 'ENCRYPTION_SECRET'],
    ['with a short one', { ENCRYPTION_SECRET: 'short' }, 'ENCRYPTION_SECRET'],
    [
      'with the published one',
      { ENCRYPTION_SECRET: 'change-me-to-32-or-more-random-characters' },
      'ENCRYPTION_SECRET',
    ],
    ['on an embedded database', { ENCRYPTION_SECRET: SECRET }, 'DATABASE_URL'],
  ])('in production %s says which variable to set', async (_, env, variable) => {
    await using folder = await temporaryFolder('companion')
    const ended = await run(['start'], folder.path, { ENVIRONMENT: 'production', ...env })
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain(variable)
  })

  it('with another secret than the data, unless that is given as the previous one', async () => {
    await using folder = await temporaryFolder('companion')
    const env = { ENCRYPTION_SECRET: SECRET }
    await (await startOn(folder.path, env)).process.end()
    const wrong = await run(['start'], folder.path, { ENCRYPTION_SECRET: OTHER })
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('ENCRYPTION_SECRET_PREVIOUS')
    expect(wrong.stderr).not.toContain(OTHER)
    const rotating = { ENCRYPTION_SECRET: OTHER, ENCRYPTION_SECRET_PREVIOUS: SECRET }
    await (await startOn(folder.path, rotating)).process.end()
    await (await startOn(folder.path, { ENCRYPTION_SECRET: OTHER })).process.end()
    const old = await run(['start'], folder.path, { ENCRYPTION_SECRET: SECRET })
    expect(old.code).toBe(1)
  })

  it('on a folder that another companion has', async () => {
    await using folder = await temporaryFolder('companion')
    await using companion = await startOn(folder.path)
    const second = await run(['start'], folder.path)
    expect([second.code, second.stdout]).toEqual([1, ''])
    expect(second.stderr).toMatch(/another process|in use/i)
    expect((await fetch(`${companion.url}/readyz`)).status).toBe(200)
  })
})
