import { pollUntil, startGateway, startProvider, startRedis } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { adminKey, clientKey, readiness, seen, statuses } from './asking.ts'
import { lateAnswersOf } from './late-answers.ts'

/** Less than a gateway waits for an answer of Redis. */
const slowMs = 60
/** More than that. */
const tooLateMs = 3_000

describe('a gateway whose Redis answers late', () => {
  it('waits while that is bearable, decides alone while it is not, and shares again', async () => {
    await using redis = await startRedis({ own: true })
    await using way = await lateAnswersOf(redis.port)
    await using provider = await startProvider()
    const upstream = { protocol: 'openai', endpoints: [{ url: `${provider.url}/v1` }] }
    await using gateway = await startGateway({
      config: {
        version: 1,
        admin: { key: adminKey },
        redis: { url: `redis://127.0.0.1:${way.port}` },
        upstreams: { openai: upstream },
        limits: { many: { by: 'key', rate: '10000/1h' } },
        routes: [{ match: '/v1/**', upstreams: ['openai'], limits: ['many'] }],
        auth: { keys: [{ id: 'ada', key: clientKey }] },
      },
    })
    const becomes = (shared: boolean) =>
      pollUntil(
        async () => {
          expect(await statuses(gateway, 1)).toEqual([200])
          const limits = await seen<{ shared: boolean }>(gateway, '/health/limits')
          return limits.shared === shared
        },
        { timeoutMs: 25_000, intervalMs: 100, describe: () => `shared never was ${shared}` },
      )
    await becomes(true)

    way.late(slowMs)
    const begun = performance.now()
    expect(await statuses(gateway, 3)).toEqual([200, 200, 200])
    expect(performance.now() - begun).toBeGreaterThan(3 * slowMs)
    await becomes(true)
    expect(await readiness(gateway)).toEqual({ code: 200, status: 'ready' })

    way.late(tooLateMs)
    await becomes(false)
    expect(await readiness(gateway)).toMatchObject({ code: 200, status: 'ready' })

    way.late(0)
    await becomes(true)
    expect(await readiness(gateway)).toEqual({ code: 200, status: 'ready' })
  })
})
