import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startRedis } from '@tidegate/testkit'
import { createApp, type User } from './app.ts'
import { readConfig } from './config.ts'
import { createLimits } from './limits.ts'

const run = `${process.pid}-${Date.now()}`
const users = new Map<string, User>([
  ['ada-key', { id: `ada-${run}`, tier: 'free' }],
  ['eve-key', { id: `eve-${run}`, tier: 'pro' }],
])
const ada = { 'x-api-key': 'ada-key' }
const eve = { 'x-api-key': 'eve-key' }

/** A story that goes on when it is told to, and for nothing else. */
async function start(env: Record<string, string>) {
  const more = Promise.withResolvers<void>()
  async function* tell() {
    yield 'Once upon a time'
    await more.promise
    yield ' it ended.'
  }
  const { limiter, close } = createLimits(env)
  const { trustedProxies } = readConfig(env)
  const server = createApp({ limiter, users, trustedProxies, tell }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=t`
  return {
    goOn: more.resolve,
    /** Resolves with the headers: the story itself goes on. */
    listen: (headers: Record<string, string> = {}, signal: AbortSignal | null = null) =>
      fetch(url, { headers, signal }),
    async slotFree() {
      const deadline = AbortSignal.timeout(20_000)
      while ((await limiter.peek('free-streams', `user:ada-${run}`)).remaining === 0) {
        await wait(5, undefined, { signal: deadline })
      }
    },
    async [Symbol.asyncDispose]() {
      more.resolve()
      server.close()
      server.closeAllConnections()
      await close()
    },
  }
}

test('a stream holds its slot to its end', async () => {
  await using service = await start({})
  const first = await service.listen(ada)
  assert.equal(first.status, 200)
  assert.equal(
    first.headers.get('ratelimit-policy'),
    '"requests";q=60;w=3600, "free-streams";q=1;qu="concurrent-requests"',
  )
  assert.match(first.headers.get('ratelimit') ?? '', /^"requests";r=9;t=\d+, "free-streams";r=0$/)

  const second = await service.listen(ada)
  assert.equal(second.status, 429)
  const seconds = Number(second.headers.get('retry-after'))
  assert.ok(seconds >= 1 && seconds <= 30)
  const problem = (await second.json()) as Record<string, unknown>
  assert.deepEqual(problem['violated-policies'], ['free-streams'])
  assert.equal(problem.instance, '/')
  // The denial cost no request, as both policies are asked as one step.
  assert.match(second.headers.get('ratelimit') ?? '', /^"requests";r=9;/)

  service.goOn()
  assert.equal(await first.text(), 'Once upon a time it ended.')
  await service.slotFree()
  const third = await service.listen(ada)
  assert.equal(third.status, 200)
  await third.text()
})

test('a client that leaves frees its slot', async () => {
  await using service = await start({})
  const client = new AbortController()
  assert.equal((await service.listen(ada, client.signal)).status, 200)
  assert.equal((await service.listen(ada)).status, 429)
  client.abort()
  await service.slotFree()
  assert.equal((await service.listen(ada)).status, 200)
})

test('users have as many streams as their tier, everybody else one for each address', async () => {
  await using service = await start({ TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8,fd00::/8' })
  const statuses = async (headers: Record<string, string>[]) => {
    const answers = []
    for (const one of headers) answers.push((await service.listen(one)).status)
    return answers
  }
  assert.deepEqual(await statuses([eve, eve, eve, eve]), [200, 200, 200, 429])

  const from = (address: string) => ({ 'x-forwarded-for': address })
  const same = ['203.0.113.7', '198.51.100.1, 203.0.113.7', '203.0.113.7, fd00::1, 10.1.2.3']
  assert.deepEqual(await statuses(same.map(from)), [200, 429, 429])
  assert.deepEqual(await statuses(['203.0.113.8', '::ffff:203.0.113.8'].map(from)), [200, 429])
  const network = ['2001:db8::1', '2001:db8:0:ff::1', '2001:db8:0:100::1']
  assert.deepEqual(await statuses(network.map(from)), [200, 429, 200])
})

test('an address that nobody trusted tells is not believed', async () => {
  await using service = await start({})
  assert.equal((await service.listen({ 'x-forwarded-for': '203.0.113.7' })).status, 200)
  assert.equal((await service.listen({ 'x-forwarded-for': '203.0.113.8' })).status, 429)
})

test('with Redis, slots are those of all processes', async () => {
  await using redis = await startRedis()
  await using one = await start({ REDIS_URL: redis.url })
  await using other = await start({ REDIS_URL: redis.url })
  const story = await one.listen(ada)
  assert.equal(story.status, 200)
  assert.equal((await other.listen(ada)).status, 429)
  one.goOn()
  await story.text()
  await one.slotFree()
  other.goOn()
  const next = await one.listen(ada)
  assert.equal(next.status, 200)
  await next.text()
})
