import { startProvider, startRedis } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { ask, faultIn, sharingGateway, ways } from './sharing-gateway.ts'

const ROUNDS = 40

describe('two gateways whose connections to Redis break again and again', () => {
  it('carry each keyed request out once, fail none, and leave nothing without an end', async () => {
    await using provider = await startProvider()
    await using redis = await startRedis({ own: true })
    const sharing = { redis: redis.url, cluster: true }
    await using one = await sharingGateway(provider, sharing)
    await using other = await sharingGateway(provider, sharing)
    const faults: unknown[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const asked = ways.flatMap((way) =>
        [true, false].map((stream) => {
          const model = `tide-${round}-${stream}`
          return { way, model, stream, key: `${way}-${model}` }
        }),
      )
      const answers = asked.flatMap((each) =>
        [one, other, one].map((gateway) => faultIn(ask(gateway, each), each)),
      )
      for (const type of round % 2 === 0 ? ['normal', 'pubsub'] : []) {
        await redis.command('CLIENT', 'KILL', 'TYPE', type).catch(() => undefined)
      }
      faults.push(...(await Promise.all(answers)).filter((fault) => fault !== undefined))
    }
    expect(faults).toEqual([])
    const keys = provider.requests.map(({ headers }) => String(headers['idempotency-key']))
    const keyed = keys.filter((key) => key.startsWith('keyed-'))
    expect(new Set(keyed).size).toBe(2 * ROUNDS)
    expect(keyed).toHaveLength(2 * ROUNDS)
    const left = (await redis.command('KEYS', '*')) as readonly string[]
    expect(left.length).toBeGreaterThan(ROUNDS)
    const ends = await Promise.all(left.map((key) => redis.command('PTTL', key)))
    const endless = left.filter((_, at) => Number(ends[at]) === -1)
    // The order of invalidations must not begin anew: one key for all.
    expect(endless.filter((key) => !key.endsWith(':clock'))).toEqual([])
    expect(endless.length).toBeLessThanOrEqual(1)
  }, 120_000)
})
