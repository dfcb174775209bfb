import { type Provider, pollUntil, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, codeOf, gatewayOf, healthOf, type UpstreamHealth, upstreamAt } from './gateway-of.ts'

let provider: Provider
let other: Provider

beforeAll(async () => {
  provider = await startProvider()
  other = await startProvider()
})
afterEach(async () => {
  await provider.recover()
  for (const each of [provider, other]) each.always({}).reset()
})
afterAll(async () => {
  for (const each of [provider, other]) await each[Symbol.asyncDispose]()
})

const breaker = { failures: 3, openFor: '600ms' }

function guarded(more: Readonly<Record<string, unknown>> = {}): Promise<RunningGateway> {
  return gatewayOf({ up: upstreamAt([provider], { breaker, retry: 'off', ...more }) })
}

async function stateOf(gateway: RunningGateway): Promise<unknown> {
  return (await healthOf<UpstreamHealth>(gateway, 'up')).endpoints[0]?.breaker
}

async function waitForState(gateway: RunningGateway, state: string): Promise<void> {
  const check = async () => (await stateOf(gateway)) === state
  const describe = () => `the breaker never was ${state}`
  await pollUntil(check, { timeoutMs: 5_000, intervalMs: 20, describe })
}

describe('the breaker of an endpoint', () => {
  it.each([
    ['refuses connections', async () => await provider.die('refuse'), 502],
    ['resets them', async () => await provider.die('reset'), 502],
    ['is silent', async () => await provider.die('silent'), 504],
    ['answers 500', async () => void provider.always({ status: 500 }), 500],
  ])('opens when it %s, probes, and closes when it has recovered', async (_, die, status) => {
    await using gateway = await guarded()
    await die()
    for (let i = 0; i < 3; i += 1) expect((await ask(gateway)).status).toBe(status)
    const hits = provider.hits
    const refused = await ask(gateway)
    expect([refused.status, codeOf(refused)]).toEqual([503, 'upstream_unavailable'])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.attempts).toBe(0)
    expect(provider.hits).toBe(hits)
    await waitForState(gateway, 'half-open')
    expect((await ask(gateway)).status).toBe(status)
    expect(await stateOf(gateway)).toBe('open')
    await provider.recover()
    provider.always({})
    await waitForState(gateway, 'half-open')
    expect((await ask(gateway)).status).toBe(200)
    expect(await stateOf(gateway)).toBe('closed')
    const before = provider.hits
    await Promise.all(Array.from({ length: 5 }, () => ask(gateway)))
    expect(provider.hits).toBe(before + 5)
  })

  it('lets one probe through and refuses the rest at once', async () => {
    await using gateway = await guarded({ timeouts: { firstByte: '10s', idle: '10s' } })
    provider.always({ status: 503 })
    for (let i = 0; i < 3; i += 1) await ask(gateway)
    await waitForState(gateway, 'half-open')
    const gate = Promise.withResolvers<void>()
    provider.always({ beforeHeaders: () => gate.promise })
    const before = provider.hits
    const probe = ask(gateway)
    await provider.waitForRequest(before)
    const rest = await Promise.all(Array.from({ length: 10 }, () => ask(gateway)))
    expect(rest.map(({ status }) => status)).toEqual(rest.map(() => 503))
    for (const { headers } of rest) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(provider.hits).toBe(before + 1)
    gate.resolve()
    expect((await probe).status).toBe(200)
    expect(await stateOf(gateway)).toBe('closed')
  })

  it('takes a probe’s verdict when its stream has ended', async () => {
    await using gateway = await guarded({ timeouts: { firstByte: '10s', idle: '10s' } })
    provider.always({ status: 503 })
    for (let i = 0; i < 3; i += 1) await ask(gateway)
    await waitForState(gateway, 'half-open')
    const gate = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 3 ? gate.promise : undefined) })
    const before = provider.hits
    const probe = ask(gateway, { stream: true })
    await provider.waitForRequest(before)
    expect(await stateOf(gateway)).toBe('half-open')
    gate.resolve()
    expect((await probe).text).toContain('[DONE]')
    await waitForState(gateway, 'closed')
    expect((await ask(gateway)).status).toBe(200)
    expect(provider.hits).toBe(before + 2)
  })

  it('gets a probe’s place back from a client that leaves', async () => {
    await using gateway = await guarded({ timeouts: { firstByte: '10s', idle: '10s' } })
    provider.always({ status: 503 })
    for (let i = 0; i < 3; i += 1) await ask(gateway)
    await waitForState(gateway, 'half-open')
    provider.always({ beforeHeaders: () => new Promise<never>(() => undefined) })
    const before = provider.hits
    const leaving = new AbortController()
    const probe = ask(gateway, { signal: leaving.signal })
    await provider.waitForRequest(before)
    leaving.abort()
    await expect(probe).rejects.toThrow()
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    provider.always({})
    expect((await ask(gateway)).status).toBe(200)
    expect(await stateOf(gateway)).toBe('closed')
  })

  it('counts no answer that is the client’s doing, or a call for patience', async () => {
    await using gateway = await guarded()
    for (const status of [400, 401, 403, 404, 408, 409, 422, 429, 501]) {
      provider.always({ status })
      for (let i = 0; i < 4; i += 1) expect((await ask(gateway)).status).toBe(status)
      expect(await stateOf(gateway)).toBe('closed')
    }
    expect(provider.hits).toBe(36)
  })

  it('counts no client that leaves', async () => {
    await using gateway = await guarded({ timeouts: { firstByte: '10s', idle: '10s' } })
    provider.always({ beforeHeaders: () => new Promise<never>(() => undefined) })
    for (let i = 0; i < 5; i += 1) {
      const leaving = new AbortController()
      const asking = ask(gateway, { signal: leaving.signal })
      await provider.waitForRequest(i)
      leaving.abort()
      await expect(asking).rejects.toThrow()
    }
    expect(await stateOf(gateway)).toBe('closed')
  })

  it('counts answers that end before their end', async () => {
    await using gateway = await guarded()
    provider.always({ fault: { kind: 'stop', at: { events: 2 } } })
    for (let i = 0; i < 3; i += 1) {
      expect((await ask(gateway, { stream: true })).text).toContain('stream_truncated')
    }
    expect(await stateOf(gateway)).toBe('open')
  })

  it('is its own: the others take what comes meanwhile', async () => {
    await using gateway = await gatewayOf({
      up: upstreamAt([provider, other], { breaker: { failures: 3, openFor: '1m' } }),
    })
    await provider.die('reset')
    for (let i = 0; i < 30; i += 1) expect((await ask(gateway)).status).toBe(200)
    // Three failures, and then nothing more of thirty requests.
    expect(other.hits).toBe(30)
    const { endpoints } = await healthOf<UpstreamHealth>(gateway, 'up')
    expect(endpoints.map(({ breaker: state, attempts }) => [state, attempts])).toEqual([
      ['open', 3],
      ['closed', 30],
    ])
  })

  it('that is open sends requests to the next upstream without an attempt', async () => {
    await using gateway = await gatewayOf({
      up: upstreamAt([provider], { breaker: { failures: 3, openFor: '1m' } }),
      backup: upstreamAt([other]),
    })
    provider.always({ status: 503 })
    expect(await ask(gateway)).toMatchObject({ status: 200, upstream: 'backup', attempts: 4 })
    expect(await ask(gateway)).toMatchObject({ status: 200, upstream: 'backup', attempts: 1 })
    expect([provider.hits, other.hits]).toEqual([3, 2])
  })
})

describe('a retry budget', () => {
  const always503 = { status: 503 } as const

  it('bounds what is tried again in an outage', async () => {
    const retry = { retries: 2, budget: '10%', budgetFloor: 1 }
    await using gateway = await guarded({ breaker: 'off', retry })
    provider.always(always503)
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(gateway)))
    expect(answers.every(({ status }) => status === 503)).toBe(true)
    // One for each second of ten, and a tenth of the calls.
    expect(provider.hits).toBeGreaterThan(60 + 5)
    expect(provider.hits).toBeLessThanOrEqual(60 + 10 + 6)
    const { retry_budget } = await healthOf<UpstreamHealth>(gateway, 'up')
    expect(retry_budget).toBe(0)
  })

  it('that is used up lets the next upstream answer', async () => {
    const none = { retries: 2, budget: '0%', budgetFloor: 0 }
    await using gateway = await gatewayOf({
      up: upstreamAt([provider], { breaker: 'off', retry: none }),
      backup: upstreamAt([other], { retry: none }),
    })
    provider.always(always503)
    for (let i = 0; i < 5; i += 1) {
      expect(await ask(gateway)).toMatchObject({ status: 200, upstream: 'backup', attempts: 2 })
    }
    expect([provider.hits, other.hits]).toEqual([5, 5])
  })
})
