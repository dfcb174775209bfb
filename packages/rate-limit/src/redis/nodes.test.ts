import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RedisEvaluator } from './evaluator.ts'
import { Nodes } from './nodes.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** Answers what it is told to, or never while that is `undefined`. */
function redisThat() {
  const calls: string[] = []
  let answer: (() => Promise<unknown>) | undefined
  const redis: RedisEvaluator = {
    evaluate: ({ source }) => {
      calls.push(source.includes("'ZREM'") ? 'leave' : 'beat')
      return answer?.() ?? new Promise(() => undefined)
    },
  }
  return {
    ...{ calls, redis },
    answers: (how: typeof answer) => {
      answer = how
    },
  }
}

describe('Nodes', () => {
  it('says at once and then every five seconds that it is there', async () => {
    const { calls, redis, answers } = redisThat()
    answers(async () => 3)
    const nodes = new Nodes({ redis, key: 'k' })
    expect(nodes.count).toBe(1)
    await vi.advanceTimersByTimeAsync(0)
    expect(nodes.count).toBe(3)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toEqual(['beat', 'beat', 'beat'])
    await nodes.close()
  })

  it('keeps what it knew while Redis fails or says what is no count', async () => {
    const { redis, answers } = redisThat()
    answers(async () => 4)
    const nodes = new Nodes({ redis, key: 'k' })
    await vi.advanceTimersByTimeAsync(0)
    answers(() => Promise.reject(new Error('away')))
    await vi.advanceTimersByTimeAsync(5_000)
    answers(async () => 'QUEUED')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(nodes.count).toBe(4)
    answers(async () => 0)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(nodes.count).toBe(1)
    await nodes.close()
  })

  it('has one beat on its way at a time', async () => {
    const { calls, redis } = redisThat()
    new Nodes({ redis, key: 'k' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(calls).toEqual(['beat'])
  })

  it('leaves once, after its last beat, and is silent then', async () => {
    const { calls, redis, answers } = redisThat()
    let arrive = (_: unknown) => {}
    answers(() => new Promise((resolve) => (arrive = resolve)))
    const nodes = new Nodes({ redis, key: 'k' })
    const closed = nodes.close()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls).toEqual(['beat'])
    answers(() => Promise.reject(new Error('away')))
    arrive(2)
    await closed
    await nodes.close()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls).toEqual(['beat', 'leave'])
  })

  it('closes without waiting for a Redis that hangs', async () => {
    const { calls, redis } = redisThat()
    const closed = new Nodes({ redis, key: 'k' }).close()
    await vi.advanceTimersByTimeAsync(500)
    await closed
    expect(calls).toEqual(['beat'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
