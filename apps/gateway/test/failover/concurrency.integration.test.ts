import {
  freePort,
  type Provider,
  pollUntil,
  type RunningGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, codeOf, gatewayOf, healthOf, type UpstreamHealth, upstreamAt } from './gateway-of.ts'

let provider: Provider
let backup: Provider
/** Lets the answers go that the provider keeps back. */
let gates: (() => void)[] = []

beforeAll(async () => {
  provider = await startProvider()
  backup = await startProvider()
})
afterEach(() => {
  gates = []
  for (const each of [provider, backup]) each.always({}).reset()
})
afterAll(async () => {
  for (const each of [provider, backup]) await each[Symbol.asyncDispose]()
})

const timeouts = { connect: '500ms', firstByte: '10s', idle: '10s', total: '20s' }

function limited(max: number, queue: number, more = {}): Promise<RunningGateway> {
  const concurrency = { max, queue }
  return gatewayOf({ up: upstreamAt([provider], { timeouts, concurrency, ...more }) })
}

/** From now on every answer waits until its gate is opened. */
function holdAnswers(): void {
  provider.always(() => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gates.push(resolve)
    return { beforeHeaders: () => promise }
  })
}

async function waitFor(gateway: RunningGateway, pending: number, queued: number): Promise<void> {
  const check = async () => {
    const health = await healthOf<UpstreamHealth>(gateway, 'up')
    return health.pending === pending && health.queued === queued
  }
  const describe = () => `never ${pending} under way and ${queued} waiting`
  await pollUntil(check, { timeoutMs: 5_000, intervalMs: 5, describe })
}

/** Lets the longest waiting answer go, as soon as there is one. */
async function openGate(): Promise<void> {
  const describe = () => 'no answer waits to be let go'
  await pollUntil(async () => gates.length > 0, { timeoutMs: 5_000, intervalMs: 5, describe })
  gates.shift()?.()
}

const nameOf = (n: number) => ({ headers: { 'x-request-id': `place-${n}` } })
const order = (): unknown[] => provider.requests.map((each) => each.header('x-request-id'))

describe('an upstream’s places', () => {
  it('are all that is asked of it at a time; more is refused at once', async () => {
    await using gateway = await limited(2, 1)
    holdAnswers()
    const first = [ask(gateway), ask(gateway)]
    await waitFor(gateway, 2, 0)
    const third = ask(gateway)
    await waitFor(gateway, 2, 1)
    const refused = await ask(gateway)
    expect([refused.status, codeOf(refused)]).toEqual([503, 'upstream_overloaded'])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.attempts).toBe(0)
    expect(provider.hits).toBe(2)
    for (let n = 0; n < 3; n += 1) await openGate()
    await Promise.all(first)
    expect((await third).status).toBe(200)
    expect(provider.hits).toBe(3)
    await waitFor(gateway, 0, 0)
  })

  it('are given in the order in which they were asked for', async () => {
    await using gateway = await limited(1, 10)
    holdAnswers()
    const asked: Promise<unknown>[] = []
    for (let n = 0; n < 6; n += 1) {
      asked.push(ask(gateway, nameOf(n)))
      await waitFor(gateway, 1, n)
    }
    for (let n = 0; n < 6; n += 1) await openGate()
    await Promise.all(asked)
    expect(order()).toEqual([0, 1, 2, 3, 4, 5].map((n) => `place-${n}`))
  })

  it('go to the next in line when one who waits has left', async () => {
    await using gateway = await limited(1, 2)
    holdAnswers()
    const first = ask(gateway, nameOf(0))
    await waitFor(gateway, 1, 0)
    const leaving = new AbortController()
    const second = ask(gateway, { ...nameOf(1), signal: leaving.signal })
    second.catch(() => undefined)
    await waitFor(gateway, 1, 1)
    const third = ask(gateway, nameOf(2))
    await waitFor(gateway, 1, 2)
    leaving.abort()
    await waitFor(gateway, 1, 1)
    const fourth = ask(gateway, nameOf(3))
    await waitFor(gateway, 1, 2)
    for (let n = 0; n < 3; n += 1) await openGate()
    for (const each of [first, third, fourth]) expect((await each).status).toBe(200)
    expect(order()).toEqual(['place-0', 'place-2', 'place-3'])
    const line = await gateway.waitForLog(
      (each) => each.request_id === 'place-1' && each.message === 'request',
    )
    expect(line).toMatchObject({ status_code: 499, outcome: 'client_gone' })
  })

  it('are given back by a client that leaves in the middle of an answer', async () => {
    await using gateway = await limited(1, 1)
    holdAnswers()
    const leaving = new AbortController()
    const first = ask(gateway, { signal: leaving.signal })
    first.catch(() => undefined)
    await waitFor(gateway, 1, 0)
    const second = ask(gateway)
    await waitFor(gateway, 1, 1)
    leaving.abort()
    await openGate()
    await openGate()
    expect((await second).status).toBe(200)
    expect(provider.hits).toBe(2)
    await waitFor(gateway, 0, 0)
  })

  it('are held until the last byte of a stream', async () => {
    await using gateway = await limited(1, 0)
    const gate = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 3 ? gate.promise : undefined) })
    const streaming = ask(gateway, { stream: true })
    await waitFor(gateway, 1, 0)
    expect((await ask(gateway)).status).toBe(503)
    gate.resolve()
    expect((await streaming).text).toContain('[DONE]')
    expect((await ask(gateway)).status).toBe(200)
    expect(provider.hits).toBe(2)
  })

  it('are not held while a request waits to try again', async () => {
    await using gateway = await limited(1, 0, { retry: { initial: '300ms', max: '1s' } })
    provider.next({ status: 429, headers: { 'retry-after': '1', 'retry-after-ms': null } })
    const waiting = ask(gateway)
    await provider.waitForRequest(0)
    await waitFor(gateway, 0, 0)
    expect((await ask(gateway)).status).toBe(200)
    expect(await waiting).toMatchObject({ status: 200, attempts: 2 })
    expect(provider.hits).toBe(3)
  })

  it('that are all taken send a request to the next upstream', async () => {
    const concurrency = { max: 1, queue: 0 }
    await using gateway = await gatewayOf({
      up: upstreamAt([provider], { timeouts, concurrency }),
      backup: upstreamAt([backup], { timeouts }),
    })
    holdAnswers()
    const first = ask(gateway)
    await waitFor(gateway, 1, 0)
    expect(await ask(gateway)).toMatchObject({ status: 200, upstream: 'backup', attempts: 1 })
    await openGate()
    expect(await first).toMatchObject({ status: 200, upstream: 'up' })
    expect([provider.hits, backup.hits]).toEqual([1, 1])
  })

  it('are waited for no longer than the request may take', async () => {
    const port = await freePort()
    const brief = { timeouts: { ...timeouts, firstByte: '400ms', total: '500ms' }, retry: 'off' }
    await using gateway = await gatewayOf(
      {
        brief: upstreamAt([{ url: `http://127.0.0.1:${port}` }], brief),
        up: upstreamAt([provider], { timeouts, concurrency: { max: 1, queue: 5 } }),
      },
      { routes: [{ match: '/patient/**', upstreams: ['up'], stripPrefix: '/patient' }] },
    )
    holdAnswers()
    const first = ask(gateway, { path: '/patient/v1/chat/completions' })
    await waitFor(gateway, 1, 0)
    const second = await ask(gateway)
    expect([second.status, codeOf(second)]).toEqual([504, 'deadline_exceeded'])
    await waitFor(gateway, 1, 0)
    await openGate()
    expect((await first).status).toBe(200)
    expect(provider.hits).toBe(1)
  })
})
