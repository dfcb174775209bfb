import {
  type Provider,
  pollUntil,
  type RunningGateway,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, bearer, gatewayFor, providerKey } from './gateway.ts'

const adminKey = 'admin-of-the-guard-tests'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider({ apiKeys: [providerKey] })
})
afterAll(async () => await provider[Symbol.asyncDispose]())

beforeEach(async () => {
  const keys = [
    { id: 'app', key: 'tg-right-key' },
    { id: 'other', key: 'tg-another-right-key' },
  ]
  gateway = await gatewayFor(
    provider,
    { keys, guard: { failures: '5/1m', block: '2s' } },
    { admin: { key: adminKey }, server: { trustedProxies: ['127.0.0.1'] } },
  )
})
afterEach(async () => await gateway[Symbol.asyncDispose]())

const from = (ip: string, key?: string) => ({
  ...(key !== undefined && bearer(key)),
  'x-forwarded-for': ip,
})

async function guess(ip: string, times: number, prefix = 'tg-guess'): Promise<number[]> {
  const statuses: number[] = []
  for (let at = 0; at < times; at += 1) {
    statuses.push((await ask(gateway, from(ip, `${prefix}-${at}`))).status)
  }
  return statuses
}

describe('guessing keys', () => {
  it('ends at the limit with 429, for a right guess too', async () => {
    expect(await guess('192.0.2.1', 7)).toEqual([401, 401, 401, 401, 401, 429, 429])
    const said = await ask(gateway, from('192.0.2.1', 'tg-right-key'))
    expect(said).toMatchObject({ status: 429, code: 'too_many_failed_attempts' })
    expect(Number(said.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(said.headers.get('x-should-retry')).toBe('false')
    expect(provider.hits).toBe(0)
  })

  it('does not end for others, nor for those who were right there before', async () => {
    expect((await ask(gateway, from('192.0.2.1', 'tg-right-key'))).status).toBe(200)
    await guess('192.0.2.1', 5)
    expect((await ask(gateway, from('192.0.2.1', 'tg-right-key'))).status).toBe(200)
    expect((await ask(gateway, from('192.0.2.1', 'tg-another-right-key'))).status).toBe(429)
    expect((await ask(gateway, from('192.0.2.9', 'tg-another-right-key'))).status).toBe(200)
  })

  it('is counted for a /56 of IPv6 together', async () => {
    for (let at = 0; at < 5; at += 1) await guess(`2001:db8:1:20${at}::${at}`, 1, `tg-${at}`)
    expect((await ask(gateway, from('2001:db8:1:2ff::1', 'tg-right-key'))).status).toBe(429)
    expect((await ask(gateway, from('2001:db8:1:300::1', 'tg-right-key'))).status).toBe(200)
  })

  it('is not sending the same wrong key, or none, again and again', async () => {
    const same = Array.from({ length: 30 }, () => ask(gateway, from('192.0.2.1', 'tg-revoked')))
    const none = Array.from({ length: 30 }, () => ask(gateway, from('192.0.2.1')))
    const statuses = (await Promise.all([...same, ...none])).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([401]))
    expect((await ask(gateway, from('192.0.2.1', 'tg-right-key'))).status).toBe(200)
  })

  it('may go on after the block, and is told once', async () => {
    await guess('192.0.2.1', 8)
    const blocks = () => gateway.logs.filter(({ event_type: type }) => type === 'auth_blocked')
    await gateway.waitForLog(({ event_type: type }) => type === 'auth_blocked')
    expect(blocks()).toEqual([
      expect.objectContaining({
        ...{ level: 'warn', security: true, surface: 'routes', client_network: '192.0.2.1' },
        ...{ failures: 5, block_ms: 2000 },
      }),
    ])
    const { headers } = await ask(gateway, from('192.0.2.1', 'tg-right-key'))
    await new Promise((resolve) => setTimeout(resolve, Number(headers.get('retry-after-ms'))))
    expect((await ask(gateway, from('192.0.2.1', 'tg-right-key'))).status).toBe(200)
  })

  it('leaves those alone who need no key', async () => {
    await guess('192.0.2.1', 5)
    const hits = provider.hits
    await ask(gateway, from('192.0.2.1'), '/echo/a')
    expect(provider.hits).toBe(hits + 1)
  })
})

describe('guessing the admin key', () => {
  const admin = (ip: string, key: string) =>
    ask(gateway, { 'x-admin-key': key, 'x-forwarded-for': ip }, '/health/components')

  it('ends at the limit for all of that network, and for no other', async () => {
    expect((await admin('192.0.2.1', adminKey)).status).toBe(200)
    for (let at = 0; at < 5; at += 1) {
      expect((await admin('192.0.2.1', `guess-${at}`)).status).toBe(401)
    }
    expect(await admin('192.0.2.1', adminKey)).toMatchObject({
      ...{ status: 429, code: 'too_many_failed_attempts' },
    })
    expect((await admin('192.0.2.2', adminKey)).status).toBe(200)
    expect((await ask(gateway, from('192.0.2.1', 'tg-right-key'))).status).toBe(200)
  })
})

describe('guessing at several gateways that share Redis', () => {
  it('is counted together: the one that is turned to knows with the next guess', async () => {
    await using redis = await startRedis()
    const auth = {
      ...{ keys: [{ id: 'app', key: 'tg-right-key' }], guard: { failures: '5/1m', block: '1m' } },
    }
    const more = { redis: { url: redis.url }, server: { trustedProxies: ['127.0.0.1'] } }
    await using one = await gatewayFor(provider, auth, more)
    await using other = await gatewayFor(provider, auth, more)
    const isConnected = ({ message }: { message?: unknown }) => message === 'redis is connected'
    await Promise.all([one.waitForLog(isConnected), other.waitForLog(isConnected)])
    for (let at = 0; at < 5; at += 1) await ask(one, from('192.0.2.1', `tg-guess-${at}`))
    await one.waitForLog(({ event_type: type }) => type === 'auth_blocked')
    expect((await ask(one, from('192.0.2.1', 'tg-right-key'))).status).toBe(429)
    await pollUntil(
      async () => (await ask(other, from('192.0.2.1', 'tg-guess-6'))).status === 429,
      { describe: () => 'the other gateway does not know of the block' },
    )
    expect((await ask(other, from('192.0.2.1', 'tg-right-key'))).status).toBe(429)
  })
})
