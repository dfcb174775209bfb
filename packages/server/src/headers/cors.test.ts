import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { ExchangeEnv } from '../exchange/exchange.ts'
import { exchange } from '../exchange/middleware.ts'
import { createTrust } from '../network/trust.ts'
import { type CorsOptions, compileCors, cors } from './cors.ts'

const APP = 'https://app.example.com'

function server(options: CorsOptions) {
  const app = new Hono<ExchangeEnv>()
  app.use(exchange({ profile: options.profile, trust: createTrust([]) }))
  app.use(cors(options))
  app.all('/', (c) => c.text('handled', 200, { vary: 'Accept' }))
  return (headers: Record<string, string>, method = 'GET') => app.request('/', { method, headers })
}

const preflight = (origin: string, headers = 'authorization, content-type') => ({
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': headers,
})

describe('cors in production', () => {
  const ask = server({ profile: 'production', origins: [APP], exposeHeaders: ['x-request-id'] })

  it('lets a listed origin read the response', async () => {
    const { headers } = await ask({ origin: APP })
    expect(headers.get('access-control-allow-origin')).toBe(APP)
    expect(headers.get('access-control-expose-headers')).toBe('x-request-id')
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(headers.get('vary')).toBe('Accept, Origin')
  })

  it('says nothing to other origins but that the answer depends on the origin', async () => {
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, {}]) {
      const response = await ask(headers)
      expect(await response.text()).toBe('handled')
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(response.headers.get('vary')).toBe('Accept, Origin')
    }
  })

  it('answers a preflight with limited methods and headers', async () => {
    const response = await ask(preflight(APP), 'OPTIONS')
    expect(response.status).toBe(204)
    expect(await response.text()).toBe('')
    expect(response.headers.get('access-control-allow-methods')).toBe(
      'GET, HEAD, POST, PUT, PATCH, DELETE',
    )
    const allowed = response.headers.get('access-control-allow-headers')?.split(', ')
    expect(allowed).toContain('authorization')
    expect(allowed).not.toContain('*')
    expect(response.headers.get('access-control-max-age')).toBe('600')
    expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  })

  it('answers the preflight of a stranger without a permission', async () => {
    const response = await ask(preflight('https://evil.example'), 'OPTIONS')
    expect(response.status).toBe(204)
    expect(
      [...response.headers.keys()].filter((name) => name.startsWith('access-control')),
    ).toEqual([])
  })

  it('passes a plain OPTIONS on', async () => {
    expect(await (await ask({ origin: APP }, 'OPTIONS')).text()).toBe('handled')
  })

  it('is open to nobody by default', async () => {
    const { headers } = await server({ profile: 'production' })({ origin: APP })
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('cors in development', () => {
  it('lets only the listed origins in once there is a list', async () => {
    const ask = server({ profile: 'development', origins: [APP] })
    const listed = await ask({ origin: APP })
    expect(listed.headers.get('access-control-allow-origin')).toBe(APP)
    const other = await ask({ origin: 'http://localhost:5173' })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('lets any origin in, with any header, without a list', async () => {
    const ask = server({ profile: 'development' })
    const simple = await ask({ origin: 'http://localhost:5173' })
    expect(simple.headers.get('access-control-allow-origin')).toBe('*')
    const response = await ask(preflight('http://localhost:5173', 'x-any, x-other'), 'OPTIONS')
    expect(response.headers.get('access-control-allow-headers')).toBe('x-any, x-other')
    expect(response.headers.get('access-control-allow-methods')).toBe('POST')
  })

  it('repeats no header list that is not one', async () => {
    const compiled = compileCors({ profile: 'development' })
    const answer = compiled.preflight({ origin: APP, method: 'GE T', headers: 'a, b"c' })
    expect(answer.join()).not.toContain('"')
    expect(answer.join()).not.toContain('GE T')
  })
})

describe('compileCors', () => {
  it('covers subdomains of a wildcard and nothing that only looks like one', () => {
    const { headers } = compileCors({ profile: 'production', origins: ['https://*.example.com'] })
    const allows = (origin: string) => headers(origin).includes('access-control-allow-origin')
    expect(allows('https://a.example.com')).toBe(true)
    expect(allows('https://a.b.example.com')).toBe(true)
    for (const origin of [
      'https://example.com',
      'https://.example.com',
      'http://a.example.com',
      'https://a.example.com:8443',
      'https://aexample.com',
      'https://a.example.com.evil.net',
      'https://evil.net/.example.com',
      'https://evil.net#.example.com',
      'https://user@a.example.com',
    ]) {
      expect(allows(origin), origin).toBe(false)
    }
  })

  it('returns the same list for the same origin', () => {
    const { headers } = compileCors({ profile: 'production', origins: [APP] })
    expect(headers(APP)).toBe(headers(APP))
    expect(Object.isFrozen(headers(APP))).toBe(true)
  })

  it('never joins a star with credentials', () => {
    const dev = compileCors({ profile: 'development', credentials: true })
    expect(dev.headers(APP)).toEqual([
      'access-control-allow-origin',
      APP,
      'access-control-allow-credentials',
      'true',
      'vary',
      'Origin',
    ])
    expect(() => compileCors({ profile: 'production', origins: ['*'], credentials: true })).toThrow(
      'credentials',
    )
    const open = compileCors({ profile: 'production', origins: ['*'] })
    expect(open.headers(APP)).toEqual(['access-control-allow-origin', '*'])
  })

  it.each([
    'example.com',
    'https://example.com/',
    'https://*.*.com',
    'https://a.*.com',
    'null',
    '',
  ])('names the entry %j that is no origin', (origin) => {
    expect(() => compileCors({ profile: 'production', origins: [origin] })).toThrow(
      `"${origin}" is not an origin`,
    )
  })
})
