import { pollUntil, startProvider, startRedis } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { ask, faultIn, sharingGateway, ways } from './sharing-gateway.ts'

/** Longer than a gateway waits for its first connection to Redis. */
const LATE_MS = 7_000

describe('a gateway that starts before its Redis', () => {
  it('answers in every way, however late that is, and then shares', async () => {
    await using provider = await startProvider()
    await using redis = await startRedis({ own: true })
    await redis.stop()
    await using one = await sharingGateway(provider, { redis: redis.url })
    await using other = await sharingGateway(provider, { redis: redis.url })
    const until = performance.now() + LATE_MS
    for (let at = 0; performance.now() < until; at += 1) {
      for (const way of ways) {
        const asked = { way, model: `tide-${at}`, key: `key-${at}` }
        expect(await faultIn(ask(one, asked), asked)).toBe(undefined)
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await redis.start()
    let at = 0
    await pollUntil(
      async () => {
        at += 1
        const asked = { way: 'keyed', model: `late-${at}`, key: `late-key-${at}` } as const
        expect(await faultIn(ask(one, asked), asked)).toBe(undefined)
        const replay = await ask(other, asked)
        return replay.headers.get('idempotent-replayed') === 'true'
      },
      { timeoutMs: 30_000, intervalMs: 100, describe: () => 'nothing is ever shared' },
    )
  }, 60_000)
})
