import {
  freePort,
  type Provider,
  type RunningGateway,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

let service: Provider
let backup: Provider
let gateway: RunningGateway
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  service = stack.use(await startProvider())
  backup = stack.use(await startProvider())
  const quick = {
    protocol: 'http',
    timeouts: { connect: '500ms', firstByte: '300ms', idle: '300ms' },
    retry: { retries: 2, initial: '20ms', max: '1s', budgetFloor: 1_000 },
    breaker: 'off',
  }
  const nowhere = `http://127.0.0.1:${await freePort()}`
  const config = {
    version: 1,
    upstreams: {
      service: { ...quick, endpoints: [{ url: service.url }] },
      nowhere: { ...quick, endpoints: [{ url: nowhere }] },
      backup: { ...quick, endpoints: [{ url: backup.url }] },
    },
    routes: [
      {
        match: '/nowhere/**',
        upstreams: ['nowhere', 'backup'],
        stripPrefix: '/nowhere',
        auth: 'none',
      },
      { match: '/**', upstreams: ['service', 'backup'], auth: 'none' },
    ],
  }
  gateway = stack.use(await startGateway({ config }))
})
beforeEach(() => {
  service.reset()
  backup.reset()
})
afterAll(async () => await stack.disposeAsync())

const idempotent = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']
const others = ['POST', 'PATCH']

async function call(method: string, path = '/echo/it'): Promise<Response> {
  const body = method === 'PUT' || method === 'POST' || method === 'PATCH' ? 'payload' : null
  const response = await fetch(gateway.url + path, { method, body })
  await response.arrayBuffer()
  return response
}

const hits = () => [service.hits, backup.hits]

describe('a plain service that fails', () => {
  it.each(idempotent)('is asked again for %s', async (method) => {
    service.play('storm:2')
    const response = await call(method)
    expect(response.status).toBe(200)
    expect(response.headers.get('x-tidegate-attempts')).toBe('3')
    expect(hits()).toEqual([3, 0])
    const bodies = new Set(service.requests.map((request) => request.sha256))
    expect(bodies.size).toBe(1)
  })

  it.each(idempotent)('is left for the next upstream for %s', async (method) => {
    service.play('reset-before-headers:always')
    expect((await call(method)).status).toBe(200)
    expect(hits()).toEqual([3, 1])
  })

  it.each(others)('is asked once for %s, whatever it says', async (method) => {
    for (const fault of ['storm', 'server-error', 'rate-limited', 'bad-gateway']) {
      service.play(fault)
      const response = await call(method)
      expect(response.status).toBeGreaterThanOrEqual(429)
      expect(response.headers.get('x-tidegate-attempts')).toBe('1')
      expect(response.headers.get('x-should-retry')).toBeNull()
    }
    expect(hits()).toEqual([4, 0])
  })

  it.each(others)('is asked once for %s, however it breaks', async (method) => {
    const faults = ['reset-before-headers', 'silence', 'garbage']
    for (const fault of faults) {
      service.play(fault)
      expect((await call(method)).status).toBe(fault === 'silence' ? 504 : 502)
    }
    expect(hits()).toEqual([faults.length, 0])
  })

  it.each([...idempotent, ...others])(
    'is left for %s where nothing could be sent',
    async (method) => {
      expect((await call(method, '/nowhere/echo/it')).status).toBe(200)
      expect(hits()).toEqual([0, 1])
      if (method === 'POST') expect(backup.lastRequest.text).toBe('payload')
    },
  )

  it.each([409, 501, 505, 507, 520, 529])('with a %d has said its word', async (status) => {
    service.always({ status })
    expect((await call('GET')).status).toBe(status)
    expect(hits()).toEqual([1, 0])
  })

  it('in the middle of a body breaks the body and is not asked again', async () => {
    service.next({ fault: { kind: 'reset', at: { bytes: 1_000 } } })
    await expect(call('GET', '/bytes/100000')).rejects.toThrow()
    expect(hits()).toEqual([1, 0])
  })
})
