import { freePort, type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  ask,
  codeOf,
  gatewayOf,
  healthOf,
  silenceMs,
  type UpstreamHealth,
  upstreamAt,
} from './gateway-of.ts'

let a: Provider
let b: Provider
let c: Provider
const gateways: RunningGateway[] = []

async function start(...given: Parameters<typeof gatewayOf>): Promise<RunningGateway> {
  const gateway = await gatewayOf(...given)
  gateways.push(gateway)
  return gateway
}

beforeAll(async () => {
  a = await startProvider()
  b = await startProvider()
  c = await startProvider()
})
afterEach(async () => {
  await Promise.all([a, b, c].map((provider) => provider.recover()))
  for (const provider of [a, b, c]) provider.always({}).reset()
  for (const gateway of gateways.splice(0)) await gateway[Symbol.asyncDispose]()
})
afterAll(async () => {
  for (const provider of [a, b, c]) await provider[Symbol.asyncDispose]()
})

const hits = (): number[] => [a, b, c].map((provider) => provider.hits)

describe('several endpoints of one upstream', () => {
  it('share its calls by weight', async () => {
    const gateway = await start({ up: upstreamAt([{ url: a.url, weight: 4 }, b]) })
    for (let i = 0; i < 300; i += 1) expect((await ask(gateway)).status).toBe(200)
    // Five standard deviations either way.
    expect(b.hits).toBeGreaterThan(25)
    expect(b.hits).toBeLessThan(95)
    expect(a.hits + b.hits).toBe(300)
  })

  it('are chosen by how busy they are', async () => {
    const release = Promise.withResolvers<void>()
    a.always({ beforeHeaders: () => release.promise })
    const gateway = await start({
      up: upstreamAt([a, b], { timeouts: { firstByte: '10s', idle: '10s' } }),
    })
    const held: Promise<unknown>[] = []
    // Sooner or later one goes to the one that does not answer; from then on none more does.
    while (a.hits === 0) {
      const asked = ask(gateway)
      await Promise.race([asked, a.waitForRequest()])
      if (a.hits > 0) held.push(asked)
    }
    const before = b.hits
    for (let i = 0; i < 30; i += 1) await ask(gateway)
    expect([a.hits, b.hits - before]).toEqual([1, 30])
    release.resolve()
    await Promise.all(held)
  })

  it('stand in for one that refuses connections, at once and unnoticed', async () => {
    const gateway = await start({ up: upstreamAt([a, b, c]) })
    await a.die('refuse')
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(gateway)))
    expect(answers.every(({ status, attempts }) => status === 200 && attempts <= 2)).toBe(true)
    expect(a.hits).toBe(0)
    expect(b.hits + c.hits).toBe(60)
    const { endpoints } = await healthOf<UpstreamHealth>(gateway, 'up')
    expect(endpoints.map(({ breaker }) => breaker)).toEqual(['open', 'closed', 'closed'])
  })

  it('stand in for one that is silent, which is not asked again by the same request', async () => {
    const gateway = await start({ up: upstreamAt([a, b], { breaker: 'off' }) })
    a.always({ fault: { kind: 'stall', at: 'before-headers' } })
    for (let i = 0; i < 6; i += 1) {
      const before = a.hits
      const startedAt = performance.now()
      const { status, attempts } = await ask(gateway)
      const asked = a.hits - before
      expect([status, attempts]).toEqual([200, asked + 1])
      expect(asked).toBeLessThanOrEqual(1)
      if (asked === 1) expect(performance.now() - startedAt).toBeGreaterThanOrEqual(silenceMs - 1)
    }
    expect(b.hits).toBe(6)
  })

  it('are each asked once when all are silent', async () => {
    for (const each of [a, b, c]) each.always({ fault: { kind: 'stall', at: 'before-headers' } })
    const gateway = await start({ up: upstreamAt([a, b, c]) })
    const answer = await ask(gateway)
    expect([answer.status, codeOf(answer), answer.attempts]).toEqual([504, 'upstream_timeout', 3])
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(hits()).toEqual([1, 1, 1])
  })

  it('are all tried before any is tried again', async () => {
    for (const each of [a, b, c]) each.always({ status: 503 })
    const gateway = await start({ up: upstreamAt([a, b, c]) })
    const answer = await ask(gateway)
    expect([answer.status, answer.attempts]).toEqual([503, 3])
    expect(hits()).toEqual([1, 1, 1])
  })

  it('get a connection that was closed under a request made anew', async () => {
    const gateway = await start({ up: upstreamAt([a]) })
    await ask(gateway)
    a.next({ fault: { kind: 'close', at: 'before-headers' } })
    expect(await ask(gateway)).toMatchObject({ status: 200, attempts: 2 })
    expect(a.hits).toBe(3)
  })

  it('answer 502 when none of them can be reached', async () => {
    const dead = await Promise.all([freePort(), freePort()])
    const urls = dead.map((port) => ({ url: `http://127.0.0.1:${port}` }))
    const gateway = await start({ up: upstreamAt(urls) })
    const answer = await ask(gateway)
    expect([answer.status, codeOf(answer)]).toEqual([502, 'upstream_unreachable'])
    expect(answer.text).toContain('Nothing was sent')
    expect(answer.attempts).toBe(3)
    expect(answer.headers.get('x-should-retry')).toBe('false')
  })

  it('hold no connection of a request that has ended', async () => {
    a.always({ status: 503 })
    const gateway = await start({ up: upstreamAt([a, b]) })
    for (let i = 0; i < 20; i += 1) await ask(gateway)
    const { pending, endpoints } = await healthOf<UpstreamHealth>(gateway, 'up')
    expect([pending, ...endpoints.map((each) => each.pending)]).toEqual([0, 0, 0])
    expect(a.openConnections).toBeLessThanOrEqual(1)
    expect(b.openConnections).toBeLessThanOrEqual(1)
  })
})
