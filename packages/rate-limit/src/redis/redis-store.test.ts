import { describe, expect, it } from 'vitest'
import { concurrency, tokenBucket } from '../core/rules.ts'
import { redisSessionStore } from '../sessions/redis-session-store.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { redisStore } from './redis-store.ts'

const bucket = { policy: 'bucket', rule: tokenBucket({ limit: 3, windowMs: 1_000 }) }
const slots = { policy: 'slots', rule: concurrency({ limit: 3 }) }
const take = { limit: bucket, action: 'take', amount: 1 } as const
const hold = { limit: slots, action: 'take', amount: 1, id: 'session-secret' } as const

function answering(reply: unknown) {
  const calls: Parameters<RedisEvaluator['evaluate']>[] = []
  const redis: RedisEvaluator = {
    evaluate: async (...call) => {
      const [, [key]] = call
      if (key?.endsWith(':nodes')) return 1
      calls.push(call)
      return reply
    },
  }
  return { calls, redis }
}

describe('redisStore', () => {
  it('refuses a client itself, which sends no scripts', () => {
    const client = { eval: () => undefined } as unknown as RedisEvaluator
    for (const make of [redisStore, redisSessionStore]) {
      expect(() => make({ redis: client })).toThrow(/redis must have a method evaluate/)
      expect(() => make({ redis: undefined as unknown as RedisEvaluator })).toThrow(/evaluate/)
    }
  })

  it('asks once for all requests, by keys of one slot that tell nothing of a user', async () => {
    const { calls, redis } = answering('1 1 2 0 334 7 0 0 -1 60000 -1')
    const verdicts = await redisStore({ redis, prefix: 'app' }).decide(
      'ada@example',
      [take, hold],
      0,
    )
    expect(verdicts).toEqual([
      {
        ...{ allowed: true, applied: true, remaining: 2 },
        ...{ retryAfterMs: 0, resetMs: 334, stamp: 7, source: 'redis' },
      },
      {
        ...{ allowed: false, applied: false, remaining: 0 },
        ...{ retryAfterMs: Number.POSITIVE_INFINITY, resetMs: 60_000, stamp: -1, source: 'redis' },
      },
    ])
    const [[script, keys, args] = []] = calls
    expect(calls).toHaveLength(1)
    expect(script?.sha1).toMatch(/^[0-9a-f]{40}$/)
    const tags = keys?.map((key) => /^app:(\{[\w-]{22}\}):(bucket|slots):/.exec(key)?.[1])
    expect(tags?.[0]).toBeDefined()
    expect(tags?.[1]).toBe(tags?.[0])
    expect(JSON.stringify([keys, args])).not.toMatch(/ada|secret/)
  })

  it('asks nothing about nothing', async () => {
    const { calls, redis } = answering([])
    expect(await redisStore({ redis }).decide('ada', [], 0)).toEqual([])
    expect(calls).toEqual([])
  })

  it.each([
    [null],
    ['OK'],
    [''],
    [['1 1 2 0 334 7']],
    ['1 1 2 0 334'],
    ['1 1 2 0 334 7 '],
    ['1 1 2 0 334 7 8'],
    ['1 1 2 0 1e+15 7'],
    ['1 1 - 0 334 7'],
    ['1 1 2 0 334 9007199254740992'],
  ])('refuses %j, which the script never answers', async (reply) => {
    const { redis } = answering(reply)
    await expect(redisStore({ redis }).decide('ada', [take], 0)).rejects.toThrow(/evaluate/)
  })

  it('passes on what the evaluator rejects with', async () => {
    const lost = new Error('lost')
    const store = redisStore({ redis: { evaluate: () => Promise.reject(lost) } })
    await expect(store.decide('ada', [take], 0)).rejects.toBe(lost)
  })

  it('refuses a prefix that a Cluster would read', () => {
    const { redis } = answering([])
    expect(() => redisStore({ redis, prefix: 'app:{x}' })).toThrow(/prefix/)
  })
})
