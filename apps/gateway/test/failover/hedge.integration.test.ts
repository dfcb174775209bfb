import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, gatewayOf, healthOf, type UpstreamHealth, upstreamAt } from './gateway-of.ts'

let a: Provider
let b: Provider

beforeAll(async () => {
  a = await startProvider()
  b = await startProvider()
})
afterEach(() => {
  for (const provider of [a, b]) provider.always({}).reset()
})
afterAll(async () => {
  for (const provider of [a, b]) await provider[Symbol.asyncDispose]()
})

const timeouts = { connect: '500ms', firstByte: '10s', idle: '10s' }

function hedging(hedge: Readonly<Record<string, unknown>>, more = {}): Promise<RunningGateway> {
  return gatewayOf({ up: upstreamAt([a, b], { timeouts, hedge, breaker: 'off', ...more }) })
}

const never = new Promise<never>(() => undefined)

/** One of the two does not answer: which of them a request meets first is left to chance. */
function stall(provider: Provider): void {
  provider.always({ beforeHeaders: () => never })
}

const answersBusy = { status: 503 } as const

describe('a hedge', () => {
  it('answers in place of a slow endpoint, whose attempt is called off', async () => {
    await using gateway = await hedging({ after: '50ms', budget: '100%' })
    stall(a)
    for (let i = 0; i < 8; i += 1) expect((await ask(gateway)).status).toBe(200)
    expect(b.hits).toBe(8)
    expect(a.hits).toBeGreaterThan(0)
    for (const request of a.requests) expect(await request.closedEarly).not.toBeNull()
    const { pending, endpoints } = await healthOf<UpstreamHealth>(gateway, 'up')
    expect([pending, ...endpoints.map((each) => each.pending)]).toEqual([0, 0, 0])
  })

  it('counts as an attempt of the answer that it brought', async () => {
    await using gateway = await hedging({ after: '50ms', budget: '100%' })
    stall(a)
    const attempts: number[] = []
    while (a.hits === 0) attempts.push((await ask(gateway)).attempts)
    expect(attempts.at(-1)).toBe(2)
    expect(attempts.slice(0, -1)).toEqual(attempts.slice(0, -1).map(() => 1))
  })

  it('is not sent to an endpoint that answers in time', async () => {
    await using gateway = await hedging({ after: '2s', budget: '100%' })
    for (let i = 0; i < 10; i += 1) expect((await ask(gateway)).attempts).toBe(1)
    expect(a.hits + b.hits).toBe(10)
  })

  it('leaves a stream alone that has begun', async () => {
    await using gateway = await hedging({ after: '50ms', budget: '100%' })
    for (const each of [a, b]) each.always({ eventDelayMs: 30 })
    const { status, attempts, text } = await ask(gateway, { stream: true })
    expect([status, attempts]).toEqual([200, 1])
    expect(text.match(/\[DONE\]/g)).toHaveLength(1)
    expect(a.hits + b.hits).toBe(1)
  })

  it('stays within its budget', async () => {
    await using gateway = await hedging({ after: '30ms', budget: '10%' })
    for (const each of [a, b]) each.always({ delayMs: 120 })
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(gateway)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(a.hits + b.hits).toBeGreaterThan(40)
    expect(a.hits + b.hits).toBeLessThanOrEqual(44)
  })

  it('takes no place that others wait for', async () => {
    const concurrency = { max: 1, queue: 10 }
    await using gateway = await hedging({ after: '30ms', budget: '100%' }, { concurrency })
    for (const each of [a, b]) each.always({ delayMs: 100 })
    const answers = await Promise.all([ask(gateway), ask(gateway), ask(gateway)])
    expect(answers.map(({ status, attempts }) => [status, attempts])).toEqual([
      [200, 1],
      [200, 1],
      [200, 1],
    ])
    expect(a.hits + b.hits).toBe(3)
  })

  it('goes on when the first attempt fails meanwhile', async () => {
    await using gateway = await hedging({ after: '30ms', budget: '100%' })
    const asked = Promise.withResolvers<void>()
    const behaviour = (other: Provider) => () => ({
      beforeHeaders: async () => {
        if (other.hits === 0) {
          // The first one waits for the hedge to arrive, and fails then.
          await asked.promise
          return
        }
        asked.resolve()
        await new Promise((resolve) => setTimeout(resolve, 100))
      },
    })
    a.always((request) => ({ ...behaviour(b)(), ...(isFirst(request, b) && answersBusy) }))
    b.always((request) => ({ ...behaviour(a)(), ...(isFirst(request, a) && answersBusy) }))
    const answer = await ask(gateway)
    expect([answer.status, answer.attempts]).toEqual([200, 2])
    expect([a.hits, b.hits]).toEqual([1, 1])
  })

  it('is called off with the rest when the client leaves', async () => {
    await using gateway = await hedging({ after: '30ms', budget: '100%' })
    stall(a)
    stall(b)
    const leaving = new AbortController()
    const asking = ask(gateway, { signal: leaving.signal })
    await Promise.all([a.waitForRequest(), b.waitForRequest()])
    leaving.abort()
    await expect(asking).rejects.toThrow()
    for (const each of [a, b]) expect(await each.lastRequest.closedEarly).not.toBeNull()
    const { pending } = await healthOf<UpstreamHealth>(gateway, 'up')
    expect([pending, a.hits, b.hits]).toEqual([0, 1, 1])
  })

  it('waits for the 95th percentile of what was measured', async () => {
    await using gateway = await hedging({ after: 'p95', budget: '100%' })
    // From the twentieth on one in twenty is slower than that, and hedged.
    for (let i = 0; i < 20; i += 1) expect((await ask(gateway)).attempts).toBe(1)
    for (let i = 0; i < 5; i += 1) await ask(gateway)
    stall(a)
    const before = a.hits
    for (let i = 0; i < 20 && a.hits === before; i += 1) {
      expect((await ask(gateway)).status).toBe(200)
    }
    expect(a.hits).toBe(before + 1)
  })

  it('is not sent for what may not be repeated', async () => {
    await using gateway = await hedging({ after: '30ms', budget: '100%' }, { protocol: 'http' })
    for (const each of [a, b]) each.always({ delayMs: 120, echo: true })
    await ask(gateway, { path: '/echo/x' })
    expect(a.hits + b.hits).toBe(1)
    await ask(gateway, { path: '/echo/x', method: 'GET' })
    expect(a.hits + b.hits).toBe(3)
  })
})

function isFirst(_request: unknown, other: Provider): boolean {
  return other.hits === 0
}
