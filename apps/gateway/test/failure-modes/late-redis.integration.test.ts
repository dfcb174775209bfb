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
        limits: { few: { by: 'key', rate: '6/1h' } },
        routes: [{ match: '/v1/**', upstreams: ['openai'], limits: ['few'] }],
        auth: { keys: [{ id: 'ada', key: clientKey }] },
      },
    })
    const isShared = async () => (await seen<{ shared: boolean }>(gateway, '/health/limits')).shared
    const describe = () => 'limits were never shared'
    await pollUntil(isShared, { timeoutMs: 30_000, describe })

    way.late(slowMs)
    expect(await statuses(gateway, 3)).toEqual([200, 200, 200])
    expect(await isShared()).toBe(true)
    expect(await readiness(gateway)).toEqual({ code: 200, status: 'ready' })

    way.late(tooLateMs)
    // Three of the six are gone; alone, the gateway has a share of its own.
    expect(await statuses(gateway, 2)).toEqual([200, 200])
    expect(await readiness(gateway)).toMatchObject({ code: 200, status: 'ready' })
    expect(await isShared()).toBe(false)

    way.late(0)
    const isSharedWhenAsked = async () => {
      await statuses(gateway, 1)
      return await isShared()
    }
    await pollUntil(isSharedWhenAsked, { timeoutMs: 60_000, intervalMs: 200, describe })
    expect(await readiness(gateway)).toEqual({ code: 200, status: 'ready' })
  })
})
