import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRateLimiter } from '../core/rate-limiter.ts'
import { type Precision, tokenBucket } from '../core/rules.ts'
import { type Admitted, tightestInterval } from '../testing/promise.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { redisStore } from './redis-store.ts'
import { evaluatorOf } from './scripted-redis.fixture.ts'

const STORES = 4
const CALLERS = 8
const MS = 1_200

let server: RedisServer
const clients: Redis[] = []

beforeAll(async () => {
  server = await startRedis({ own: true })
  for (let at = 0; at < STORES; at += 1) clients.push(new Redis(server.url))
})

afterAll(async () => {
  for (const client of clients) client.disconnect()
  await server?.[Symbol.asyncDispose]()
})

function counting(client: Redis) {
  let commands = 0
  const evaluator = evaluatorOf(client)
  const redis: RedisEvaluator = {
    async evaluate(...call) {
      commands += 1
      return await evaluator.evaluate(...call)
    },
  }
  return { redis, commands: () => commands }
}

/** One subject, asked about by many callers of several stores without a pause. */
async function run(precision: Precision, limit: number) {
  const rule = tokenBucket({ limit, windowMs: 1_000, burst: limit, precision })
  const admitted: Admitted[] = []
  let decisions = 0
  const wires = clients.map((client) => counting(client))
  const limiters = wires.map(({ redis }) =>
    createRateLimiter({
      policies: { api: rule },
      store: redisStore({
        redis,
        prefix: `run-${JSON.stringify(precision)}`.replaceAll(/[{}]/g, ''),
      }),
    }),
  )
  const end = performance.now() + MS
  const caller = async (limiter: (typeof limiters)[number]) => {
    for (let calls = 1; ; calls += 1) {
      const askedAt = performance.now()
      if (askedAt >= end) return
      const { allowed } = await limiter.check('api', 'hot')
      decisions += 1
      if (allowed) admitted.push({ askedAt, answeredAt: performance.now(), cost: 1 })
      // What needs no answer of Redis would keep all others waiting.
      if (calls % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(
    limiters.flatMap((limiter) => Array.from({ length: CALLERS }, () => caller(limiter))),
  )
  const commands = wires.reduce((sum, wire) => sum + wire.commands(), 0)
  const overshoot = typeof precision === 'object' ? precision.maxOvershoot * limit : 0
  const tightest = tightestInterval({ limit, windowMs: 1_000, burst: limit, overshoot }, admitted)
  return { admitted: admitted.length, decisions, commands, tightest }
}

describe('several stores that share one Redis', () => {
  it.each<[Precision]>([['exact'], ['leased'], [{ maxOvershoot: 0.2 }]])(
    'admit no more than was promised of any interval, and nearly all of it: %j',
    async (precision) => {
      const limit = 500
      const { tightest, admitted } = await run(precision, limit)
      expect(tightest?.admitted).toBeLessThanOrEqual(tightest?.allowed ?? 0)
      expect(admitted).toBeGreaterThan(0.9 * limit * (MS / 1_000))
    },
  )

  it('ask Redis once for more than fifty decisions where tokens are leased', async () => {
    const { decisions, admitted, commands } = await run('leased', 1_000_000)
    expect(admitted).toBe(decisions)
    expect(commands).toBeLessThan(decisions / 50)
  })
})
