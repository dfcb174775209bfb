import { pollUntil, type RunningGateway, startProvider, startRedis } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { ask, limitedGateway } from './limited-gateway.ts'

const asked = {
  path: '/v1/chat/completions',
  as: 'eve',
  body: { model: 'tide', messages: [{ role: 'user', content: 'Hello' }], stream: true },
} as const

describe('the slots of a gateway that crashed', { timeout: 120_000 }, () => {
  it('come back when they lapse, while those of the others are kept', async () => {
    await using provider = await startProvider()
    await using redis = await startRedis({ own: true })
    const limited = {
      ...{ limits: {}, names: ['tier'], keys: { eve: 'narrow' }, redis: redis.url },
      tiers: { narrow: { concurrent: 2 } },
    }
    await using crashing = await limitedGateway(provider, limited)
    await using staying = await limitedGateway(provider, limited)
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 2 ? promise : undefined) })

    // A response that nobody holds is collected, and its stream cancelled.
    const streams: Response[] = []
    const begin = async (gateway: RunningGateway): Promise<number> => {
      const response = await ask(gateway, asked)
      streams.push(response)
      return response.status
    }
    expect([await begin(crashing), await begin(staying)]).toEqual([200, 200])
    crashing.signal('SIGKILL')
    await crashing.exit
    expect(await begin(staying)).toBe(429)
    const crashedAt = performance.now()
    await pollUntil(async () => (await begin(staying)) === 200, {
      ...{ timeoutMs: 60_000, intervalMs: 500 },
      describe: () => 'the slot never came back',
    })
    expect(performance.now() - crashedAt).toBeGreaterThan(15_000)
    // The one that lives on has renewed its own slot, and has just taken the other.
    expect(await begin(staying)).toBe(429)
    resolve()
  })
})
