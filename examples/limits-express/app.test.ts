import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startRedis } from '@tidegate/testkit'
import { createApp, type User } from './app.ts'
import { readConfig } from './config.ts'
import { createLimits } from './limits.ts'

interface Service extends AsyncDisposable {
  ask(headers?: Record<string, string>): Promise<{ response: Response; body: unknown }>
}

const userId = `ada-${process.pid}-${Date.now()}`
const users = new Map<string, User>([
  ['ada-key', { id: userId, tier: 'free' }],
  ['eve-key', { id: 'eve', tier: 'pro' }],
])

async function start(env: Record<string, string>): Promise<Service> {
  const { trustedProxies } = readConfig(env)
  const { limiter, close } = createLimits(env)
  const server = createApp({ limiter, users, trustedProxies }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    async ask(headers = {}) {
      const response = await fetch(`http://127.0.0.1:${port}/weather/Lisbon?token=t`, { headers })
      return { response, body: await response.json() }
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await close()
    },
  }
}

async function statuses(service: Service, times: number, headers: Record<string, string>) {
  const answers = []
  for (let n = 0; n < times; n++) answers.push((await service.ask(headers)).response.status)
  return answers
}

test('every answer tells the limits, and a denial says when to come back', async () => {
  await using service = await start({})
  const { response: allowed, body } = await service.ask()
  assert.deepEqual([allowed.status, body], [200, { place: 'Lisbon', degrees: 21 }])
  assert.equal(allowed.headers.get('ratelimit-policy'), '"anonymous";q=60;w=3600')
  assert.equal(allowed.headers.get('ratelimit'), '"anonymous";r=2;t=60')
  await statuses(service, 2, {})

  const { response: denied, body: problem } = await service.ask()
  assert.equal(denied.status, 429)
  assert.match(denied.headers.get('content-type') ?? '', /^application\/json/)
  assert.match(denied.headers.get('ratelimit') ?? '', /^"anonymous";r=0;t=(60|5\d)$/)
  const seconds = Number(denied.headers.get('retry-after'))
  assert.ok(seconds > 30 && seconds <= 60)
  const { instance, error } = problem as { instance: string; error: { type: string } }
  assert.deepEqual([instance, error.type], ['/weather/Lisbon', 'rate_limit_error'])
})

test('users have the limits of their tier, and a daily quota', async () => {
  await using service = await start({})
  assert.deepEqual(await statuses(service, 6, { 'x-api-key': 'ada-key' }), [
    ...Array(5).fill(200),
    429,
  ])
  const { response } = await service.ask({ 'x-api-key': 'eve-key' })
  assert.equal(response.status, 200)
  assert.equal(
    response.headers.get('ratelimit-policy'),
    '"pro";q=6000;w=3600, "daily";q=1000;w=86400',
  )
})

test('the address is the one that the trusted proxy saw, in IPv6 the network', async () => {
  await using service = await start({ TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' })
  const from = (address: string) => ({ 'x-forwarded-for': address })
  assert.deepEqual(await statuses(service, 3, from('203.0.113.7')), [200, 200, 200])
  // What the client wrote itself, and what another trusted proxy added, change nothing.
  assert.deepEqual(await statuses(service, 1, from('198.51.100.1, 203.0.113.7, 10.1.2.3')), [429])
  assert.deepEqual(await statuses(service, 1, from('203.0.113.8')), [200])
  assert.deepEqual(await statuses(service, 3, from('2001:db8::1')), [200, 200, 200])
  assert.deepEqual(await statuses(service, 1, from('2001:db8:0:ff:1234::')), [429])
})

test('nobody else may speak for others', async () => {
  await using service = await start({})
  const answers = []
  for (const last of [1, 2, 3, 4]) {
    answers.push(...(await statuses(service, 1, { 'x-forwarded-for': `203.0.113.${last}` })))
  }
  assert.deepEqual(answers, [200, 200, 200, 429])
})

test('with Redis, a limit is one limit for all processes', async () => {
  await using redis = await startRedis()
  await using one = await start({ REDIS_URL: redis.url })
  await using other = await start({ REDIS_URL: redis.url })
  const key = { 'x-api-key': 'ada-key' }
  assert.deepEqual(await statuses(one, 3, key), [200, 200, 200])
  assert.deepEqual(await statuses(other, 3, key), [200, 200, 429])
  assert.deepEqual(await statuses(one, 1, key), [429])
})
