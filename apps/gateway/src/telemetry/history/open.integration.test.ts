import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createLogger } from '@tidegate/logger'
import { createMetrics } from '@tidegate/telemetry'
import { pollUntil, type RedisServer, startRedis } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { check, settingsOf } from '../../config/check.fixture.ts'
import { openRedis } from '../../redis.ts'
import { openHistory } from './open.ts'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis({ own: true })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const logger = createLogger({ level: 'silent' })

/** One gateway's history, on a clock that several share. */
async function gateway(url: string | undefined, clock: { now: number }, telemetry = {}) {
  const config = {
    ...{ version: 1, telemetry },
    ...(url !== undefined && { redis: { url } }),
    upstreams: { up: { protocol: 'http', endpoints: [{ url: 'http://127.0.0.1:9' }] } },
    routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
  }
  const settings = settingsOf(await check(JSON.stringify(config)))
  const redis = settings.redis && (await openRedis(settings.redis, logger))
  await redis?.connections.ready()
  const metrics = createMetrics()
  const requests = metrics.counter('tidegate_requests_total', {
    ...{ help: 'Requests.', labels: ['outcome'] },
  })
  const kept = openHistory({
    ...{ settings, metrics, redis, logger, now: () => clock.now, schedule: () => () => {} },
  })
  if (kept === undefined) throw new Error('no history')
  return {
    kept,
    serve: (amount: number, failed = 0) => {
      requests.series('success').add(amount)
      requests.series('server_error').add(failed)
      kept.sample()
    },
    rates: async (windowMs: number) => {
      const [series] = await kept.history.query({ metrics: ['requests.rate'], windowMs })
      return series?.points.map(([, value]) => value)
    },
    close: async () => {
      await kept.close()
      await redis?.close()
    },
  }
}

describe('openHistory with Redis', () => {
  it('adds gateways up, and a new one finds what was there before', async () => {
    const clock = { now: Math.floor(Date.now() / 1_000) * 1_000 }
    const one = await gateway(server.url, clock)
    const other = await gateway(server.url, clock)
    for (let second = 0; second < 3; second += 1) {
      one.serve(10)
      other.serve(5)
      clock.now += 1_000
    }
    await Promise.all([one.kept.history.flush(), other.kept.history.flush()])
    expect(await one.rates(3_000)).toEqual([15, 15, 15])
    expect(await other.rates(3_000)).toEqual([15, 15, 15])
    await Promise.all([one.close(), other.close()])

    clock.now += 2_000
    const fresh = await gateway(server.url, clock)
    expect(await fresh.rates(5_000)).toEqual([15, 15, 15, null, null])
    expect((await fresh.kept.history.names()).map(({ metric }) => metric)).toContain('memory.rss')
    await fresh.close()
  })
})

describe('openHistory with a webhook', () => {
  it('tells it of an anomaly', async () => {
    const bodies: string[] = []
    const server = createServer(async (request, response) => {
      bodies.push(await text(request))
      response.end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const webhook = { url, secret, allowPrivate: true }
    const clock = { now: Date.now() }
    const one = await gateway(undefined, clock, { anomalies: { webhook } })
    for (let second = 0; second < 1_260; second += 1) {
      one.serve(40, second < 1_200 ? 0 : 20)
      clock.now += 1_000
    }
    await pollUntil(async () => bodies.length > 0, { describe: () => 'nothing was posted' })
    expect(bodies.map((body) => JSON.parse(body))).toEqual([
      {
        type: 'anomaly.begun',
        timestamp: expect.any(String),
        data: expect.objectContaining({ metric: 'errors.ratio', until: null, value: 1 / 3 }),
      },
    ])
    await one.close()
    server.closeAllConnections()
    server.close()
  })
})
