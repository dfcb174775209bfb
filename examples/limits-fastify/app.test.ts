import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startRedis } from '@tidegate/testkit'
import { createApp, type User } from './app.ts'
import { readConfig } from './config.ts'
import { createLimits } from './limits.ts'
import { demoModel, type Model } from './model.ts'

interface Question {
  readonly prompt?: string
  readonly max_tokens?: number
}

const adaId = `ada-${process.pid}-${Date.now()}`
const users = new Map<string, User>([['ada-key', { id: adaId, tier: 'free' }]])
const ada = { authorization: 'Bearer ada-key' }

async function start(env: Record<string, string>, model: Model = demoModel) {
  const { limiter, close } = createLimits(env)
  const app = createApp({ limiter, users, model, trustedProxies: readConfig(env).trustedProxies })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    /** What is left of the budget. */
    left: async () => (await limiter.peek('free-tokens', `user:${adaId}`)).remaining,
    async ask(question: Question, headers: Record<string, string> = ada, signal?: AbortSignal) {
      const response = await fetch(`${url}/answers?from=test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ prompt: 'Why is the sky blue?', ...question }),
        ...(signal === undefined ? {} : { signal }),
      })
      return { response, body: (await response.json()) as Record<string, unknown> }
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await close()
    },
  }
}

test('an estimate is reserved while the model works, and what it was is charged', async () => {
  const working = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<{ text: string; tokens: number }>()
  await using service = await start({}, () => {
    working.resolve()
    return answer.promise
  })
  const asked = service.ask({ max_tokens: 595 }) // 600, with the 5 of the prompt
  await working.promise
  const reserved = await service.left()
  assert.ok(reserved >= 400 && reserved < 500)
  answer.resolve({ text: 'Scattering.', tokens: 12 })

  const { response, body } = await asked
  assert.deepEqual([response.status, body], [200, { text: 'Scattering.', tokens: 12 }])
  assert.match(response.headers.get('ratelimit') ?? '', /"free-requests";r=4;.*"free-tokens";r=40/)
  assert.equal(response.headers.get('x-ratelimit-limit-tokens'), '10000')
  assert.ok((await service.left()) >= 988)
})

test('a budget that is used up denies, and what fits is still answered', async () => {
  await using service = await start({}, async () => ({ text: 'Long.', tokens: 900 }))
  assert.equal((await service.ask({ max_tokens: 895 })).response.status, 200)
  const { response, body } = await service.ask({ max_tokens: 695 })
  assert.equal(response.status, 429)
  assert.deepEqual(body['violated-policies'], ['free-tokens'])
  assert.equal(body.instance, '/answers')
  assert.ok(Number(response.headers.get('retry-after')) > 60)
  assert.ok(Number(response.headers.get('x-ratelimit-remaining-tokens')) >= 100)
  assert.equal((await service.ask({ max_tokens: 50 })).response.status, 200)
})

test('a question that the budget never holds is refused for good, and costs nothing', async () => {
  await using service = await start({})
  const { response, body } = await service.ask({ max_tokens: 5_000 })
  assert.deepEqual([response.status, response.headers.get('x-should-retry')], [429, 'false'])
  assert.equal(response.headers.has('retry-after'), false)
  assert.match(String(body.detail), /ever allows at once, which is 1000/)
  assert.equal(await service.left(), 1_000)
})

test('when the model fails, or the client leaves, all of it comes back', async () => {
  await using broken = await start({}, () => Promise.reject(new Error('overloaded')))
  const { response } = await broken.ask({ max_tokens: 595 })
  assert.equal(response.status, 500)
  assert.match(response.headers.get('ratelimit') ?? '', /"free-tokens";r=/)
  assert.equal(await broken.left(), 1_000)

  const working = Promise.withResolvers<void>()
  await using patient = await start({}, async (_prompt, { signal }) => {
    working.resolve()
    await once(signal, 'abort')
    throw signal.reason
  })
  const client = new AbortController()
  const asked = patient.ask({ max_tokens: 595 }, ada, client.signal)
  await working.promise
  client.abort()
  await assert.rejects(asked)
  const deadline = AbortSignal.timeout(20_000)
  while ((await patient.left()) < 1_000) await wait(5, undefined, { signal: deadline })
})

test('keys are guessed at the rate of an address, which a trusted proxy tells', async () => {
  await using service = await start({ TRUSTED_PROXIES: '127.0.0.1' })
  const guess = (address: string) =>
    service.ask({}, { authorization: 'Bearer guess', 'x-forwarded-for': `9.9.9.9, ${address}` })
  const guesses = await Promise.all(Array.from({ length: 25 }, () => guess('203.0.113.7')))
  const statuses = guesses.map(({ response }) => response.status).sort()
  assert.deepEqual(statuses.slice(0, 20), Array(20).fill(401))
  assert.equal(statuses.at(-1), 429)
  for (const { response } of guesses)
    assert.match(response.headers.get('ratelimit') ?? '', /^"addr/)
  assert.equal((await guess('203.0.113.8')).response.status, 401)
})

test('with Redis, a budget is one budget for all processes', async () => {
  await using redis = await startRedis()
  const model: Model = async () => ({ text: 'Short.', tokens: 600 })
  await using one = await start({ REDIS_URL: redis.url }, model)
  await using other = await start({ REDIS_URL: redis.url }, model)
  assert.equal((await one.ask({ max_tokens: 795 })).response.status, 200)
  assert.equal((await other.ask({ max_tokens: 695 })).response.status, 429)
  assert.equal((await other.ask({ max_tokens: 295 })).response.status, 200)
})
