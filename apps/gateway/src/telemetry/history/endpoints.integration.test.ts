import { pollUntil, startRedis } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminKey, type ObservedGateway, observedGateway } from '../observed-gateway.fixture.ts'

const config = {
  upstreams: {
    up: {
      ...{ protocol: 'http', endpoints: [{ url: 'http://127.0.0.1:9' }] },
      ...{ retry: 'off', breaker: 'off' },
    },
  },
  routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
}

let gateway: ObservedGateway

beforeAll(async () => {
  gateway = await observedGateway(config)
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
})

async function get(path: string, init: RequestInit = {}, key = adminKey, from = gateway) {
  const answer = await fetch(from.url + path, { headers: { 'x-admin-key': key }, ...init })
  const body = (await answer.json()) as Record<string, unknown>
  return { status: answer.status, body }
}

/** The series of an answer: by metric, what is known of it. */
function known(body: Record<string, unknown>): Record<string, readonly number[]> {
  const series = body.series as readonly { metric: string; points: [number, number | null][] }[]
  return Object.fromEntries(
    series.map(({ metric, points }) => [
      metric,
      points.map(([, value]) => value).filter((value) => value !== null),
    ]),
  )
}

const sum = (values: readonly number[] = []) => values.reduce((total, value) => total + value, 0)

describe('GET /metrics/history', () => {
  it('tells each second what requests there were, and how many failed', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => (await fetch(`${gateway.url}/x`)).status),
    )
    expect(statuses.every((status) => status >= 500)).toBe(true)
    const path =
      '/metrics/history?metric=requests.rate,errors.rate,upstream.up.errors,nobody.knows&window=60s&step=1s'
    let last: Record<string, unknown> = {}
    await pollUntil(
      async () => {
        last = (await get(path)).body
        return sum(known(last)['requests.rate']) === 8
      },
      { describe: () => JSON.stringify(last).slice(0, 500) },
    )
    expect(last).toMatchObject({ window_seconds: 60, step_seconds: 1 })
    const series = known(last)
    expect(Object.keys(series)).toEqual(['requests.rate', 'errors.rate', 'upstream.up.errors'])
    expect([sum(series['errors.rate']), sum(series['upstream.up.errors'])]).toEqual([8, 8])
  })

  it('names what there is when asked for nothing', async () => {
    let names: readonly string[] = []
    await pollUntil(
      async () => {
        const { body } = await get('/metrics/history')
        names = (body.metrics as { metric: string }[]).map(({ metric }) => metric)
        return names.includes('cpu.ratio')
      },
      { describe: () => names.join() },
    )
  })

  it.each(['?metric=a&window=yesterday', '?metric=a&window=0', '?metric=a&step=-1s'])(
    'refuses %s',
    async (query) => {
      expect((await get(`/metrics/history${query}`)).status).toBe(400)
    },
  )

  it('is for operators, and only to be read', async () => {
    for (const path of ['/metrics/history', '/metrics/anomalies', '/metrics/unknown']) {
      expect((await get(path, {}, 'wrong')).status).toBe(401)
    }
    expect((await get('/metrics/history', { method: 'DELETE' })).status).toBe(405)
    expect((await get('/metrics/unknown')).status).toBe(404)
  })
})

describe('GET /metrics/history with Redis', () => {
  it('tells what all gateways had together, also when all of them have begun anew', async () => {
    await using redis = await startRedis({ own: true })
    const shared = { ...config, redis: { url: redis.url } }
    const rates = async (from: ObservedGateway) => {
      const path = '/metrics/history?metric=requests.rate,requests.active&window=60s&step=1s'
      return sum(known((await get(path, {}, adminKey, from)).body)['requests.rate'])
    }
    {
      await using one = await observedGateway(shared)
      await using other = await observedGateway(shared)
      const asked = [one, one, one, other, other].map(({ url }) => fetch(`${url}/x`))
      for (const answer of await Promise.all(asked)) await answer.text()
      let last = 0
      for (const from of [one, other]) {
        await pollUntil(
          async () => {
            last = await rates(from)
            return last === 5
          },
          { describe: () => `${last} requests` },
        )
      }
    }
    await using fresh = await observedGateway(shared)
    expect(await rates(fresh)).toBe(5)
  })
})

describe('GET /metrics/anomalies', () => {
  it('tells none where nothing is unusual', async () => {
    expect((await get('/metrics/anomalies')).body).toEqual({ active: [], recent: [] })
  })
})
