import { type Provider, pollUntil, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type Asking,
  ask,
  gatewayOf,
  healthOf,
  type UpstreamHealth,
  upstreamAt,
} from './gateway-of.ts'

let main: Provider
let backup: Provider

beforeAll(async () => {
  main = await startProvider()
  backup = await startProvider()
})
afterEach(() => {
  for (const provider of [main, backup]) provider.always({}).reset()
})
afterAll(async () => {
  for (const provider of [main, backup]) await provider[Symbol.asyncDispose]()
})

const hits = (): number[] => [main.hits, backup.hits]
const patience = { status: 429, headers: { 'retry-after': '1', 'retry-after-ms': null } } as const
const timeouts = { connect: '500ms', firstByte: '10s', idle: '10s' }

/** Asks, and leaves when `when` has come. */
async function leave(gateway: RunningGateway, when: Promise<unknown>, more: Asking = {}) {
  const leaving = new AbortController()
  const headers = { 'x-request-id': 'left-early' }
  const asking = ask(gateway, { headers, signal: leaving.signal, ...more })
  asking.catch(() => undefined)
  await when
  leaving.abort()
  // Without an answer, or with one of which the head had come and the body never ends.
  const answer = await asking.catch(() => undefined)
  expect(answer?.broken ?? true).toBe(true)
  const line = await gateway.waitForLog(
    ({ request_id: id, message }) => id === 'left-early' && message === 'request',
  )
  expect(line).toMatchObject({ status_code: 499, outcome: 'client_gone' })
}

describe('a client that leaves', () => {
  it('in the wait before another try sends nothing further', async () => {
    await using gateway = await gatewayOf({
      main: upstreamAt([main], { timeouts }),
      backup: upstreamAt([backup], { timeouts }),
    })
    main.always(patience)
    await leave(gateway, answered(main))
    // What it would have waited for has come by then.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(hits()).toEqual([1, 0])
    expect((await healthOf<UpstreamHealth>(gateway, 'main')).pending).toBe(0)
  })

  it('while a second attempt is under way takes that one along', async () => {
    await using gateway = await gatewayOf({
      main: upstreamAt([main], { timeouts, retry: 'off' }),
      backup: upstreamAt([backup], { timeouts }),
    })
    main.always({ status: 503 })
    backup.always({ fault: { kind: 'stall', at: 'before-headers' } })
    await leave(gateway, backup.waitForRequest())
    expect(await backup.lastRequest.closedEarly).not.toBeNull()
    expect(hits()).toEqual([1, 1])
    for (const name of ['main', 'backup']) {
      const { pending, endpoints } = await healthOf<UpstreamHealth>(gateway, name)
      expect([pending, endpoints[0]?.pending, endpoints[0]?.breaker]).toEqual([0, 0, 'closed'])
    }
  })

  it('between two events of a stream sends nothing further', async () => {
    await using gateway = await gatewayOf({
      main: upstreamAt([main], { timeouts }),
      backup: upstreamAt([backup], { timeouts }),
    })
    main.always({ fault: { kind: 'stall', at: { events: 3 } } })
    await leave(gateway, answered(main), { stream: true })
    expect(await main.lastRequest.closedEarly).not.toBeNull()
    expect(hits()).toEqual([1, 0])
  })

  it('is no failed request to operators', async () => {
    await using gateway = await gatewayOf({ main: upstreamAt([main], { timeouts }) })
    main.always({ fault: { kind: 'stall', at: 'before-headers' } })
    await leave(gateway, main.waitForRequest())
    expect(await healthOf(gateway, 'failures')).toEqual({ failures: [] })
  })
})

/** Settles when the provider has given its first answer. */
async function answered(provider: Provider): Promise<void> {
  await provider.waitForRequest()
  const describe = () => 'the provider has not answered'
  await pollUntil(async () => provider.lastRequest.status !== undefined, {
    ...{ timeoutMs: 5_000, intervalMs: 5, describe },
  })
}

describe('a gateway that is told to stop', () => {
  it('brings retries under way to their end first', async () => {
    await using gateway = await gatewayOf(
      { main: upstreamAt([main], { timeouts }), backup: upstreamAt([backup], { timeouts }) },
      { server: { drain: { delay: '0s', timeout: '10s' } } },
    )
    main.next(patience)
    const waiting = ask(gateway)
    await answered(main)
    gateway.signal('SIGTERM')
    const draining = gateway.waitForLog(({ message }) => message === 'draining')
    expect(await waiting).toMatchObject({ status: 200, upstream: 'main', attempts: 2 })
    expect(hits()).toEqual([2, 0])
    await draining
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
  })

  it('lets those who wait for a place have their turn', async () => {
    const concurrency = { max: 1, queue: 5 }
    await using gateway = await gatewayOf(
      { main: upstreamAt([main], { timeouts, concurrency }) },
      { server: { drain: { delay: '0s', timeout: '10s' } } },
    )
    main.always({ delayMs: 150 })
    const asking = [ask(gateway), ask(gateway), ask(gateway)]
    const describe = () => 'never two waiting'
    const check = async () => (await healthOf<UpstreamHealth>(gateway, 'main')).queued === 2
    await pollUntil(check, { timeoutMs: 5_000, intervalMs: 5, describe })
    gateway.signal('SIGTERM')
    const answers = await Promise.all(asking)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(hits()).toEqual([3, 0])
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
  })

  it('cuts off what outlasts its patience, and sends nothing further', async () => {
    await using gateway = await gatewayOf(
      { main: upstreamAt([main], { timeouts, retry: { max: '30s' } }) },
      { server: { drain: { delay: '0s', timeout: '300ms' } } },
    )
    main.always({ status: 429, headers: { 'retry-after': '20', 'retry-after-ms': null } })
    const waiting = ask(gateway)
    waiting.catch(() => undefined)
    await answered(main)
    gateway.signal('SIGTERM')
    await expect(waiting).rejects.toThrow()
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
    expect(hits()).toEqual([1, 0])
  })
})
