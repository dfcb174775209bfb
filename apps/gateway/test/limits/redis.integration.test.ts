import {
  freePort,
  type Provider,
  pollUntil,
  type RedisServer,
  type RunningGateway,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, health, limitedGateway, statuses } from './limited-gateway.ts'

const limits = {
  few: { by: 'key', rate: '10/1h' },
  leased: { by: 'key', rate: '400/1h', precision: 'leased' },
  open: { by: 'key', rate: '1/1h', onStoreError: 'allow' },
  shut: { by: 'key', rate: '100/1h', onStoreError: 'deny' },
}
const keys = { ada: undefined, bob: undefined, eve: 'narrow' }
const tiers = { narrow: { concurrent: 3, tokens: '10k/1h' } }

let provider: Provider
let redis: RedisServer
const gateways: RunningGateway[] = []

/** Two gateways at one Redis, at `port` or where the server of these tests is. */
async function pair(names: readonly string[], url = redis.url): Promise<RunningGateway[]> {
  const used = Object.entries(limits).filter(([name]) => names.includes(name))
  // What is asked of Redis is for limits then.
  const more = { telemetry: { history: 'off' } }
  const limited = { limits: Object.fromEntries(used), names, keys, redis: url, more }
  const withTiers = names.includes('tier') ? { ...limited, tiers } : limited
  const started = await Promise.all(
    [1, 2].map(() => limitedGateway(provider, withoutTier(withTiers))),
  )
  gateways.push(...started)
  return started
}

function withoutTier<T extends { names: readonly string[] }>(limited: T): T {
  return limited.names.includes('tier')
    ? limited
    : { ...limited, keys: { ada: undefined, bob: undefined, eve: undefined } }
}

async function untilShared(gateway: RunningGateway | undefined, nodes = 2): Promise<void> {
  if (gateway === undefined) throw new Error('no gateway')
  await pollUntil(
    async () => {
      const seen = await health<{ nodes: number; shared: boolean }>(gateway, 'limits')
      return seen.shared && seen.nodes === nodes
    },
    { timeoutMs: 20_000, intervalMs: 100, describe: () => `never were ${nodes} gateways seen` },
  )
}

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(async () => {
  redis = await startRedis({ own: true })
})
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway[Symbol.asyncDispose]()))
  await redis[Symbol.asyncDispose]()
})
afterAll(async () => await provider?.[Symbol.asyncDispose]())

describe('two gateways at one Redis', () => {
  it('let through together what one would', async () => {
    const both = await pair(['few'])
    const answers = await Promise.all(
      [...Array(60).keys()].map((index) => ask(both[index % 2] as RunningGateway, { as: 'ada' })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(50)
    expect(await statuses(both[0] as RunningGateway, 1, { as: 'bob' })).toEqual([200])
  })

  it('let through no more with leases, at a fraction of the calls', async () => {
    const both = await pair(['leased'])
    const before = await commands()
    const admitted = await Promise.all(
      both.map(async (gateway) => {
        let passed = 0
        for (let turn = 0; turn < 60; turn += 1) {
          const batch = [...Array(10)].map(() => ask(gateway, { as: 'ada' }))
          for (const { status } of await Promise.all(batch)) passed += status === 200 ? 1 : 0
        }
        return passed
      }),
    )
    const total = admitted.reduce((sum, each) => sum + each, 0)
    expect(total).toBeLessThanOrEqual(400 + 1)
    expect(total).toBeGreaterThan(100)
    expect((await commands()) - before).toBeLessThan(600)
  })

  it('share the slots of streams', async () => {
    const [one, two] = (await pair(['tier'])) as [RunningGateway, RunningGateway]
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 2 ? promise : undefined) })
    const body = { model: 'tide', messages: [{ role: 'user', content: 'Hello' }], stream: true }
    const asked = { path: '/v1/chat/completions', as: 'eve', body }
    const streams = [await ask(one, asked), await ask(two, asked), await ask(two, asked)]
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await ask(one, asked)).status).toBe(429)
    resolve()
    provider.always({})
    await Promise.all(streams.map((stream) => stream.text()))
    expect((await ask(one, asked)).status).toBe(200)
  })

  it('tell of Redis, and of each other', async () => {
    const [one] = (await pair(['few'])) as [RunningGateway, RunningGateway]
    await untilShared(one)
    expect(await health(one, 'limits')).toMatchObject({
      ...{ status: 'healthy', store: 'redis', shared: true, nodes: 2 },
    })
    expect(await health(one, 'redis')).toMatchObject({
      ...{
        component: 'redis',
        status: 'healthy',
        where: `127.0.0.1:${redis.port}`,
        state: 'ready',
      },
      latency_ms: expect.any(Number),
    })
    await one.waitForLog(({ message }) => message === 'redis is connected')
  })
})

async function commands(): Promise<number> {
  const stats = String(await redis.command('INFO', 'stats'))
  return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1])
}

/** How long a request took, and what came of it. */
async function timed(gateway: RunningGateway, as: string): Promise<{ status: number; ms: number }> {
  const begun = performance.now()
  const { status } = await ask(gateway, { as })
  return { status, ms: performance.now() - begun }
}

describe('while Redis hangs', () => {
  it('a request waits for it once, and then each gateway has its share', async () => {
    const [one] = (await pair(['few'])) as [RunningGateway, RunningGateway]
    await untilShared(one)
    expect(await statuses(one, 1, { as: 'ada' })).toEqual([200])
    redis.pause()
    const first = await timed(one, 'ada')
    expect(first.status).toBe(200)
    expect(first.ms).toBeGreaterThan(400)
    const next = [await timed(one, 'ada'), await timed(one, 'ada'), await timed(one, 'ada')]
    expect(Math.min(...next.map(({ ms }) => ms))).toBeLessThan(400)
    // Ten for two gateways are five for each.
    const answers = await statuses(one, 6, { as: 'bob' })
    expect(answers.filter((status) => status === 200)).toHaveLength(5)
    const ready = await fetch(`${one.url}/readyz`)
    expect(ready.status).toBe(200)
    await one.waitForLog(({ message }) => String(message).startsWith('limits are decided by this'))
    expect(await health(one, 'limits')).toMatchObject({ status: 'degraded', shared: false })
    redis.resume()
    await untilAnswered(one)
    await one.waitForLog(({ message }) => message === 'limits are shared again')
  })

  it('a limit may let everything pass, or nothing', async () => {
    const [open] = (await pair(['open'])) as [RunningGateway, RunningGateway]
    const [shut] = (await pair(['shut'])) as [RunningGateway, RunningGateway]
    expect(await statuses(open, 2, { as: 'ada' })).toEqual([200, 429])
    expect(await statuses(shut, 1, { as: 'ada' })).toEqual([200])
    redis.pause()
    expect(await statuses(open, 3, { as: 'bob' })).toEqual([200, 200, 200])
    expect(await statuses(shut, 3, { as: 'bob' })).toEqual([429, 429, 429])
    redis.resume()
  })
})

/** Until a gateway asks Redis again, which it finds out by being asked. */
async function untilAnswered(gateway: RunningGateway): Promise<void> {
  await pollUntil(
    async () => {
      await statuses(gateway, 1, { as: 'bob' })
      return (await health<{ shared: boolean }>(gateway, 'limits')).shared
    },
    { timeoutMs: 30_000, intervalMs: 200, describe: () => 'limits were never shared again' },
  )
}

describe('when Redis crashes and comes back', () => {
  it('the gateway serves on, says so, and shares again', async () => {
    const [one] = (await pair(['few'])) as [RunningGateway, RunningGateway]
    await untilShared(one)
    await redis.kill()
    expect(await statuses(one, 2, { as: 'ada' })).toEqual([200, 200])
    await one.waitForLog(({ message }) => String(message).startsWith('redis is away'))
    expect(await (await fetch(`${one.url}/readyz`)).json()).toEqual({
      status: 'ready',
      degraded: ['redis', 'limits'],
    })
    expect(await (await fetch(`${one.url}/health`)).json()).toMatchObject({ status: 'degraded' })
    expect(await health(one, 'redis')).toMatchObject({ status: 'unhealthy' })
    await redis.start()
    await untilAnswered(one)
    expect(await health(one, 'redis')).toMatchObject({ status: 'healthy' })
    expect(await (await fetch(`${one.url}/readyz`)).json()).toEqual({ status: 'ready' })
  })
})

describe('when Redis is there and answers no limit', () => {
  it('the gateway says that limits are not shared, to whoever asks how it is', async () => {
    await redis.command('ACL', 'SETUSER', 'half', 'on', '>CANARY', '~*', '+@all', '-evalsha')
    const url = `redis://half:CANARY@127.0.0.1:${redis.port}`
    const [one] = (await pair(['few'], url)) as [RunningGateway]
    expect(await statuses(one, 2, { as: 'ada' })).toEqual([200, 200])
    const lost = await one.waitForLog(({ message }) => /decided by this/.test(String(message)))
    expect(JSON.stringify(lost.err)).toContain('NOPERM')
    expect(await (await fetch(`${one.url}/readyz`)).json()).toEqual({
      status: 'ready',
      degraded: ['limits'],
    })
    expect(await (await fetch(`${one.url}/health`)).json()).toMatchObject({ status: 'degraded' })
    expect(await health(one, 'redis')).toMatchObject({ status: 'healthy' })
    expect(one.stdout).not.toContain('CANARY')
  })
})

describe('when Redis is away at the start', () => {
  it('the gateway starts, serves by its own share, and says so', async () => {
    const port = await freePort()
    const [one] = (await pair(['few'], `redis://127.0.0.1:${port}`)) as [RunningGateway]
    expect(await statuses(one, 11, { as: 'ada' })).toEqual([...Array(10).fill(200), 429])
    const lost = await one.waitForLog(({ message }) => String(message).startsWith('redis is away'))
    expect(lost).toMatchObject({ level: 'warn', redis: `127.0.0.1:${port}` })
    expect(await health(one, 'limits')).toMatchObject({ status: 'degraded', store: 'redis' })
  })

  it('a wrong password is told, and not shown', async () => {
    await using guarded = await startRedis({ password: 'right', own: true })
    const url = `redis://:CANARY@127.0.0.1:${guarded.port}`
    const [one] = (await pair(['few'], url)) as [RunningGateway]
    expect(await statuses(one, 1, { as: 'ada' })).toEqual([200])
    await one.waitForLog(({ message }) => String(message).startsWith('redis is away'))
    expect(await health(one, 'redis')).toMatchObject({ status: 'unhealthy', error: 'auth_failed' })
    expect(one.stdout + one.stderr).not.toContain('CANARY')
  })
})
