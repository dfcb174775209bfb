import { describe, expect, it } from 'vitest'
import type { RedisEvaluator } from '../redis/redis-store.ts'
import { redisSessionStore } from './redis-session-store.ts'

const touch = { handle: 'h'.repeat(22), client: 'phone', ttlMs: 1_000, limit: 5 }

function answering(reply: unknown) {
  const calls: Parameters<RedisEvaluator['evaluate']>[] = []
  const redis: RedisEvaluator = {
    evaluate: async (...call) => {
      calls.push(call)
      return reply
    },
  }
  return { calls, redis }
}

describe('redisSessionStore', () => {
  it('asks one key that tells nothing of the user', async () => {
    const { calls, redis } = answering(['opened', touch.handle, '1', '2', '3', ''])
    const answer = await redisSessionStore({ redis, prefix: 'app' }).touch('ada@example', touch, 0)
    expect(answer).toEqual({
      allowed: true,
      opened: true,
      session: {
        handle: touch.handle,
        createdAt: 1,
        lastSeenAt: 2,
        expiresAt: 3,
        client: undefined,
      },
    })
    const [[script, keys] = []] = calls
    expect(calls).toHaveLength(1)
    expect(script?.sha1).toMatch(/^[0-9a-f]{40}$/)
    expect(keys).toEqual([expect.stringMatching(/^app:\{[\w-]{22}\}$/)])
    expect(JSON.stringify(calls.map(([, ...asked]) => asked))).not.toContain('ada')
  })

  it.each([
    [null],
    ['OK'],
    [[]],
    [['opened']],
    [['opened', 'h', '1', '2', '3']],
    [['opened', 'h', 1, 2, 3, '']],
    [['other', 'h', '1', '2', '3', '']],
    [['limit', '5']],
    [['ended', 'x']],
  ])('refuses %j, which the script never answers', async (reply) => {
    const { redis } = answering(reply)
    await expect(redisSessionStore({ redis }).touch('ada', touch, 0)).rejects.toThrow(/evaluate/)
  })

  it('passes on what the evaluator rejects with', async () => {
    const lost = new Error('lost')
    const store = redisSessionStore({ redis: { evaluate: () => Promise.reject(lost) } })
    await expect(store.touch('ada', touch, 0)).rejects.toBe(lost)
    await expect(store.list('ada', 0)).rejects.toBe(lost)
    await expect(store.end('ada', undefined, 1_000, 0)).rejects.toBe(lost)
  })

  it('refuses a prefix that a Cluster would read', () => {
    const { redis } = answering([])
    expect(() => redisSessionStore({ redis, prefix: 'app:{x}' })).toThrow(/prefix/)
  })
})
