import {
  type Outage,
  type Provider,
  pollUntil,
  type RunningGateway,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, ask, goodAnswer, summaryOf, upstreamHealth } from './asking.ts'
import { adminKey, protocols } from './stage.ts'

const failures = 3
const silenceMs = 400

interface BreakerStage extends AsyncDisposable {
  readonly main: Provider
  readonly backup: Provider
  readonly gateway: RunningGateway
}

/** A gateway of its own for each test: breakers remember. */
async function startBreakerStage(openFor = '60s', retry: unknown = 'off'): Promise<BreakerStage> {
  await using stack = new AsyncDisposableStack()
  const main = stack.use(await startProvider({ answers: { model: 'main-model' } }))
  const backup = stack.use(await startProvider({ answers: { model: 'backup-model' } }))
  const upstream = (protocol: string, ...providers: readonly Provider[]) => ({
    protocol,
    endpoints: providers.map((provider) => ({ url: `${provider.url}/v1` })),
    timeouts: { connect: '500ms', firstByte: `${silenceMs}ms`, idle: `${silenceMs}ms` },
    retry,
    breaker: { failures, openFor },
  })
  const upstreams = Object.fromEntries(
    protocols.flatMap((protocol) => [
      [`${protocol}-main`, upstream(protocol, main)],
      [`${protocol}-backup`, upstream(protocol, backup)],
      [`${protocol}-pair`, upstream(protocol, main, backup)],
    ]),
  )
  const route = (way: string, path: string, protocol: string, names: readonly string[]) => ({
    match: `/${way}${path}`,
    upstreams: names.map((name) => `${protocol}-${name}`),
    stripPrefix: `/${way}`,
    auth: 'none',
  })
  const routes = Object.entries({ alone: ['main'], failover: ['main', 'backup'], pair: ['pair'] })
  const gateway = stack.use(
    await startGateway({
      config: {
        version: 1,
        admin: { key: adminKey },
        upstreams,
        routes: routes.flatMap(([way, names]) => [
          route(way, '/v1/messages', 'anthropic', names),
          route(way, '/**', 'openai', names),
        ]),
      },
    }),
  )
  const kept = stack.move()
  const dispose = async () => await kept.disposeAsync()
  return { main, backup, gateway, [Symbol.asyncDispose]: dispose }
}

async function breakerOf(stage: BreakerStage, upstream: string): Promise<unknown> {
  const { endpoints } = await upstreamHealth(stage, upstream)
  return (endpoints as ReadonlyArray<{ readonly breaker: string }>)[0]?.breaker
}

async function untilProbed(stage: BreakerStage, upstream: string): Promise<void> {
  await pollUntil(async () => (await breakerOf(stage, upstream)) === 'half-open', {
    describe: () => 'the breaker stayed open',
  })
}

async function askOften(count: number, call: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  while (answers.length < count) answers.push(await call())
  return answers
}

const outages: readonly Outage[] = ['refuse', 'reset', 'silent', 'unavailable']

describe.each(protocols)('%s: a provider that dies', (protocol) => {
  const upstream = `${protocol}-main`

  it.each(outages)('(%s) is left alone after some failures', async (outage) => {
    await using stage = await startBreakerStage()
    await stage.main.die(outage)
    await askOften(failures, () => ask(stage, protocol, 'alone'))
    expect(await breakerOf(stage, upstream)).toBe('open')
    const before = stage.main.hits
    const answer = await ask(stage, protocol, 'alone')
    expect(answer).toMatchObject({ status: 503, attempts: '0' })
    expect(answer.text).toContain('has failed too often lately')
    if (protocol === 'openai') expect(answer.text).toContain('upstream_unavailable')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(30)
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect(stage.main.hits).toBe(before)
    expect(before).toBe(outage === 'refuse' ? 0 : failures)
    const elsewhere = await ask(stage, protocol, 'failover')
    expect(summaryOf(elsewhere)).toEqual(goodAnswer('backup-model'))
    expect(elsewhere).toMatchObject({ attempts: '1', upstream: `${protocol}-backup` })
    expect(stage.main.hits).toBe(before)
  })

  it('is probed by one request, and left alone again as long as that fails', async () => {
    await using stage = await startBreakerStage('1s')
    await stage.main.die('silent')
    await Promise.all(Array.from({ length: failures }, () => ask(stage, protocol, 'alone')))
    expect(stage.main.hits).toBe(failures)
    await untilProbed(stage, upstream)
    const calls = Array.from({ length: 10 }, () => ask(stage, protocol, 'alone'))
    const statuses = (await Promise.all(calls)).map((answer) => answer.status)
    expect(statuses.toSorted()).toEqual([...Array(9).fill(503), 504])
    expect(stage.main.hits).toBe(failures + 1)
    expect(await breakerOf(stage, upstream)).toBe('open')
  })

  it.each(['refuse', 'unavailable'] as const)(
    '(%s) and lives again is asked again',
    async (outage) => {
      await using stage = await startBreakerStage('300ms')
      await stage.main.die(outage)
      await askOften(failures, () => ask(stage, protocol, 'failover'))
      await stage.main.recover()
      await untilProbed(stage, upstream)
      const before = stage.main.hits
      const answers = await askOften(5, () => ask(stage, protocol, 'failover'))
      for (const answer of answers) expect(summaryOf(answer)).toEqual(goodAnswer('main-model'))
      expect(stage.main.hits).toBe(before + 5)
      expect(await breakerOf(stage, upstream)).toBe('closed')
    },
  )

  it('is not missed where another endpoint lives: no client sees an error', async () => {
    await using stage = await startBreakerStage('60s', { retries: 2, initial: '20ms' })
    await stage.main.die('refuse')
    const answers = await askOften(20, () => ask(stage, protocol, 'pair'))
    for (const answer of answers) expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
    expect(stage.backup.hits).toBe(20)
    const tried = answers.reduce((sum, answer) => sum + Number(answer.attempts) - 1, 0)
    expect(tried).toBe(failures)
  })
})

describe.each(protocols)('%s: a breaker', (protocol) => {
  let stage: BreakerStage
  beforeAll(async () => {
    stage = await startBreakerStage()
  })
  afterAll(async () => await stage[Symbol.asyncDispose]())

  it.each([400, 401, 404, 408, 409, 422, 429, 501])('does not mind a %d', async (status) => {
    stage.main.always({ status })
    await askOften(failures + 2, () => ask(stage, protocol, 'alone'))
    expect(stage.main.hits).toBe(failures + 2)
    expect(await breakerOf(stage, `${protocol}-main`)).toBe('closed')
    stage.main.reset()
  })

  it('does not mind clients that leave', async () => {
    stage.main.always({ fault: { kind: 'stall', at: 'before-headers' } })
    for (let index = 0; index < failures + 1; index += 1) {
      const leaving = new AbortController()
      const left = ask(stage, protocol, 'alone', { signal: leaving.signal })
      await stage.main.waitForRequest(index)
      leaving.abort()
      await expect(left).rejects.toThrow()
    }
    await Promise.all(stage.main.requests.map((request) => request.closedEarly))
    expect(await breakerOf(stage, `${protocol}-main`)).toBe('closed')
    stage.main.reset()
  })

  it('counts failures in a row only', async () => {
    stage.main.play(`storm:${failures - 1}`)
    await askOften(failures * 4, () => ask(stage, protocol, 'alone'))
    expect(stage.main.hits).toBe(failures * 4)
    stage.main.reset()
  })

  it.each(['truncated', 'cut', 'stall'])('minds streams that break (%s)', async (fault) => {
    await using own = await startBreakerStage()
    own.main.play(fault)
    await askOften(failures, () => ask(own, protocol, 'alone', { stream: true }))
    expect(await breakerOf(own, `${protocol}-main`)).toBe('open')
    expect(own.main.hits).toBe(failures)
  })
})

describe('a stream that only lacks [DONE]', () => {
  it('does not speak against its endpoint', async () => {
    await using stage = await startBreakerStage()
    stage.main.play('no-done')
    await askOften(failures + 1, () => ask(stage, 'openai', 'alone', { stream: true }))
    expect(await breakerOf(stage, 'openai-main')).toBe('closed')
  })
})
