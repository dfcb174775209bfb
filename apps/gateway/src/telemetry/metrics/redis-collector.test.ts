import { createMetrics, metricsJson } from '@tidegate/telemetry'
import { describe, expect, it } from 'vitest'
import { collectRedis } from './redis-collector.ts'

function setup() {
  const registry = createMetrics()
  const asked: PromiseWithResolvers<string>[] = []
  const state = { available: true, now: 0 }
  const call = (): Promise<string> => {
    const answer = Promise.withResolvers<string>()
    asked.push(answer)
    return answer.promise
  }
  const redis = {
    get available() {
      return state.available
    },
    connections: { commands: { call } },
  } as unknown as Parameters<typeof collectRedis>[1]
  collectRedis(registry, redis, () => state.now)
  const scrape = (): Record<string, unknown> =>
    Object.fromEntries(
      metricsJson(registry.snapshot())
        .filter(({ name }) => name.startsWith('tidegate_redis_'))
        .map(({ name, series }) => [
          name.replace('tidegate_redis_', ''),
          series.map((one) => 'value' in one && one.value)[0],
        ]),
    )
  return { scrape, asked, state }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('collectRedis', () => {
  it('tells what Redis said last, and asks again after ten seconds', async () => {
    const { scrape, asked, state } = setup()
    expect(scrape()).toEqual({ up: 1 })
    asked[0]?.resolve('# Memory\r\nused_memory:1024\r\nmaxmemory:4096\r\nused_memory_human:1K\r\n')
    await settled()
    expect(scrape()).toEqual({ up: 1, memory_used_bytes: 1024, memory_max_bytes: 4096 })
    state.now = 9_999
    scrape()
    expect(asked).toHaveLength(1)
    state.now = 10_000
    scrape()
    expect(asked).toHaveLength(2)
  })

  it('waits for no Redis that hangs, and asks it once', () => {
    const { scrape, asked, state } = setup()
    for (state.now = 0; state.now < 60_000; state.now += 5_000) expect(scrape()).toEqual({ up: 1 })
    expect(asked).toHaveLength(1)
  })

  it('forgets what it said when it fails or is away', async () => {
    const { scrape, asked, state } = setup()
    scrape()
    asked[0]?.resolve('used_memory:1024\nmaxmemory:0\n')
    await settled()
    expect(scrape()).toEqual({ up: 1, memory_used_bytes: 1024 })
    state.now = 20_000
    scrape()
    asked[1]?.reject(new Error('no'))
    await settled()
    expect(scrape()).toEqual({ up: 1 })
    state.available = false
    expect(scrape()).toEqual({ up: 0 })
  })
})
