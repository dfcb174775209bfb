import {
  freePort,
  pollUntil,
  startDeafListener,
  startGateway,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { adminKey, ask, clientKey, figure, readiness, statuses } from './asking.ts'

const away = '/away/v1/chat/completions'

interface Others {
  readonly living: string
  readonly redis: string
  readonly refusing: string
  readonly deaf: string
}

function configOf({ living, redis, refusing, deaf }: Others) {
  const upstream = (url: string) => ({
    ...{ protocol: 'openai', retry: 'off', breaker: { failures: 2, openFor: '10m' } },
    endpoints: [{ url: `${url}/v1` }],
  })
  return {
    version: 1,
    admin: { key: adminKey },
    redis: { url: redis },
    health: { interval: '1s', checks: { elsewhere: { url: refusing } } },
    telemetry: {
      tracing: { endpoint: deaf, sample: '100%' },
      anomalies: {
        webhook: {
          url: refusing,
          secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
          allowPrivate: true,
        },
      },
    },
    upstreams: { living: upstream(living), away: upstream(refusing) },
    limits: { many: { by: 'key', rate: '1000/1h' } },
    routes: [
      { match: '/away/v1/**', stripPrefix: '/away', upstreams: ['away'] },
      { match: '/v1/**', upstreams: ['living'], limits: ['many'], cache: '1m' },
    ],
    auth: { keys: [{ id: 'ada', key: clientKey }] },
  }
}

describe('a gateway from which everything is away at once', () => {
  it('answers what it can, stays ready, tells what is missing, and ends in good order', async () => {
    await using provider = await startProvider()
    await using redis = await startRedis({ own: true })
    await using deaf = await startDeafListener()
    const refusing = `http://127.0.0.1:${await freePort()}`
    await using gateway = await startGateway({
      config: configOf({ living: provider.url, redis: redis.url, refusing, deaf: deaf.url }),
    })
    const becomes = async (series: string, value: number) => {
      const describe = () => `${series} never was ${value}`
      const is = async () => (await figure(gateway, series)) === value
      await pollUntil(is, { timeoutMs: 30_000, intervalMs: 200, describe })
    }
    await becomes('tidegate_redis_up', 1)
    redis.pause()
    expect(await statuses(gateway, 5)).toEqual(Array(5).fill(200))
    expect(await statuses(gateway, 3, away)).toEqual([502, 502, 503])
    await becomes('tidegate_redis_up', 0)
    await becomes('tidegate_health_status{component="elsewhere",status="unhealthy"}', 1)
    await becomes('tidegate_health_status{component="away",status="unhealthy"}', 1)
    expect(await readiness(gateway)).toEqual({
      ...{ code: 200, status: 'ready' },
      degraded: ['redis', 'limits', 'checks'],
    })
    expect(await ask(gateway)).toBe(200)
    gateway.signal('SIGTERM')
    expect(await gateway.exit).toMatchObject({ code: 0 })
  })
})
