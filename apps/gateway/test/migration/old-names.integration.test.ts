import { type Provider, type RunningGateway, startGateway, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let service: Provider
let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  service = await startProvider()
  provider = await startProvider()
  gateway = await startGateway({
    env: {
      BACKEND_SERVICE_URL: service.url,
      BACKEND_API_KEY: 'service-token',
      OPENAI_API_KEY: 'provider-key',
      OPENAI_BASE_URL: `${provider.url}/v1`,
      CORS_ORIGINS: 'https://app.example.com',
      RATE_LIMIT_PER_MINUTE: '90',
      RATE_LIMIT_BURST: '20',
      DATABASE_URL: 'postgres://localhost/app',
    },
  })
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`${gateway.url}${path}`, init)
}

describe('what a hand-made service was called by', () => {
  it.each(['/health', '/livez', '/readyz'])('%s answers 200 to everybody', async (path) => {
    const response = await ask(path)
    expect(response.status).toBe(200)
    expect(await response.json()).toHaveProperty('status')
  })

  it('/companion/** reaches the service without the prefix, with its token', async () => {
    const response = await ask('/companion/echo/things?a=%2F', { method: 'PUT', body: 'x' })
    expect(response.status).toBe(200)
    expect(service.lastRequest.target).toBe('/echo/things?a=%2F')
    expect(service.lastRequest.header('authorization')).toBe('Bearer service-token')
  })

  it('/v1/** reaches the provider with the key that the gateway holds', async () => {
    const response = await ask('/v1/models', { headers: { authorization: 'Bearer anything' } })
    expect(response.status).toBe(200)
    expect(provider.lastRequest.header('authorization')).toBe('Bearer provider-key')
  })
})

describe('the headers that clients read', () => {
  it('keeps X-Request-ID all the way and tells the time', async () => {
    const response = await ask('/companion/echo/x', { headers: { 'x-request-id': 'trace-1' } })
    expect(response.headers.get('x-request-id')).toBe('trace-1')
    expect(service.lastRequest.header('x-request-id')).toBe('trace-1')
    expect(response.headers.get('x-response-time')).toMatch(/^\d+\.\d\dms$/)
    expect(response.headers.get('server-timing')).toMatch(/^gateway;dur=[\d.]+, upstream;dur=/)
  })

  it("makes the service's X-Forwarded-For anew", async () => {
    await ask('/companion/echo/x', { headers: { 'x-forwarded-for': '203.0.113.9' } })
    expect(service.lastRequest.header('x-forwarded-for')).toBe('127.0.0.1')
  })

  it('answers CORS for the listed origin and for no other', async () => {
    const allowed = await ask('/v1/models', { headers: { origin: 'https://app.example.com' } })
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com')
    const other = await ask('/v1/models', { headers: { origin: 'https://evil.example' } })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('the limits of an address', () => {
  it('are those of the variables, and told on every answer', async () => {
    const { headers } = await ask('/companion/echo/x')
    expect(headers.get('ratelimit-policy')).toBe('"per-ip";q=90;w=60')
    expect(headers.get('x-ratelimit-limit-requests')).toBe('90')
    const answers = await Promise.all([...Array(40)].map(() => ask('/companion/echo/x')))
    const denied = answers.find(({ status }) => status === 429)
    expect(denied?.headers.get('retry-after')).toBe('1')
    expect(await denied?.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
  })
})

describe('a variable of a capability that is not built yet', () => {
  it('is told at the start', async () => {
    const told = await gateway.waitForLog((line) => String(line.message).includes('DATABASE_URL'))
    expect(told.level).toBe('warn')
  })
})
