import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, failedRequests, goodAnswer, summaryOf } from './asking.ts'
import { longestWaitMs, protocols, type Stage, silenceMs, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
beforeEach(() => stage.reset())
afterAll(async () => await stage[Symbol.asyncDispose]())

/** Milliseconds between the first two requests that a provider got. */
function gapBetweenTries(): number {
  const [first, second] = stage.main.requests
  return (second?.receivedAtMs ?? Number.NaN) - (first?.receivedAtMs ?? Number.NaN)
}

describe.each(protocols)('%s: a rate limit', (protocol) => {
  it.each([false, true])('is waited out when it is short, streamed: %s', async (stream) => {
    stage.main.play('rate-limited')
    const answer = await ask(stage, protocol, 'failover', { stream })
    expect(summaryOf(answer)).toEqual(goodAnswer('main-model'))
    expect(answer).toMatchObject({ attempts: '2', upstream: `${protocol}-main`, shouldRetry: null })
    expect(gapBetweenTries()).toBeGreaterThanOrEqual(990)
    expect(stage.hits).toEqual([2, 0, 0])
  })

  it('is waited out to the millisecond where the provider is so exact', async () => {
    stage.main.next({ status: 429, headers: { 'retry-after': '1', 'retry-after-ms': '150' } })
    const answer = await ask(stage, protocol, 'alone')
    expect(answer).toMatchObject({ status: 200, attempts: '2' })
    expect(gapBetweenTries()).toBeGreaterThanOrEqual(149)
    expect(gapBetweenTries()).toBeLessThan(900)
  })

  it('goes elsewhere at once when it is long', async () => {
    stage.main.play('rate-limited-long')
    const answer = await ask(stage, protocol, 'failover')
    expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
    expect(answer).toMatchObject({ attempts: '2', upstream: `${protocol}-backup` })
    expect(stage.hits).toEqual([1, 1, 0])
  })

  it('is told as it is when it is long and there is nothing else', async () => {
    stage.main.play('rate-limited-long')
    const answer = await ask(stage, protocol, 'alone')
    expect(answer).toMatchObject({ status: 429, attempts: '1', shouldRetry: null })
    expect(answer.headers.get('retry-after')).toBe('120')
    expect(answer.text).toMatch(/rate limit/i)
    expect(stage.hits).toEqual([1, 0, 0])
  })
})

describe.each(protocols)('%s: a passing fault', (protocol) => {
  it.each([
    'server-error',
    'overloaded',
    'bad-gateway',
    'reset-before-headers',
    'reset-after-headers',
    'garbage',
    'half-json',
    'half-json-clean',
  ])('(%s) is repeated once on the same upstream', async (fault) => {
    stage.main.play(fault)
    const answer = await ask(stage, protocol, 'failover')
    expect(summaryOf(answer)).toEqual(goodAnswer('main-model'))
    expect(answer).toMatchObject({ attempts: '2', upstream: `${protocol}-main` })
    expect(stage.hits).toEqual([2, 0, 0])
  })

  it.each(['server-error', 'reset-before-headers', 'reset-after-headers', 'garbage'])(
    '(%s) in place of a stream is repeated as well',
    async (fault) => {
      stage.main.play(fault)
      const answer = await ask(stage, protocol, 'failover', { stream: true })
      expect(summaryOf(answer)).toEqual(goodAnswer('main-model'))
      expect(stage.hits).toEqual([2, 0, 0])
    },
  )

  it('is repeated with the very same request', async () => {
    stage.main.play('server-error:2')
    await ask(stage, protocol, 'alone')
    const [first, ...others] = stage.main.requests
    expect(others).toHaveLength(2)
    for (const request of others) {
      expect(request.sha256).toBe(first?.sha256)
      expect(request.target).toBe(first?.target)
      expect(request.header('x-request-id')).toBe(first?.header('x-request-id'))
      expect(request.rawHeaders).toEqual(first?.rawHeaders)
    }
  })
})

describe.each(protocols)('%s: a storm', (protocol) => {
  it('ends with its last answer, which tells clients not to add tries of their own', async () => {
    stage.main.play('storm')
    const answer = await ask(stage, protocol, 'alone')
    expect(answer).toMatchObject({ status: 503, attempts: '3', shouldRetry: 'false' })
    expect(answer.text).toMatch(/overloaded|unavailable/i)
    expect(stage.hits).toEqual([3, 0, 0])
    const [failed] = await failedRequests(stage)
    expect(failed).toMatchObject({ request_id: answer.id, attempts: 3 })
    const reasons = failed?.timeline.filter((entry) => entry.kind === 'failure')
    expect(reasons?.map((entry) => entry.reason)).toEqual(Array(3).fill('status_503'))
  })

  it('moves on to the next upstream', async () => {
    stage.main.play('storm')
    const answer = await ask(stage, protocol, 'failover')
    expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
    expect(answer).toMatchObject({ attempts: '4', upstream: `${protocol}-backup` })
    expect(stage.hits).toEqual([3, 1, 0])
  })

  it('on every upstream is met with six tries in all', async () => {
    for (const provider of [stage.main, stage.backup, stage.third]) provider.play('storm')
    const answer = await ask(stage, protocol, 'three')
    expect(answer).toMatchObject({ status: 503, attempts: '6', shouldRetry: 'false' })
    expect(stage.hits).toEqual([3, 3, 0])
  })

  it('is met at times of its own by each of many requests', async () => {
    stage.main.play('storm')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(stage, protocol, 'alone')),
    )
    expect(stage.main.hits).toBe(60)
    const mine = new Set(answers.map((answer) => answer.id))
    const failed = (await failedRequests(stage)).filter((one) => mine.has(one.request_id))
    const waits = failed.flatMap((one) => one.timeline.filter((entry) => entry.kind === 'wait'))
    expect(waits).toHaveLength(40)
    expect(new Set(waits.map((entry) => entry.ms)).size).toBeGreaterThan(20)
    expect(waits.every((entry) => Number(entry.ms) <= longestWaitMs)).toBe(true)
  })
})

describe.each(protocols)('%s: silence', (protocol) => {
  it.each([
    ['silence', false],
    ['silence', true],
    ['slow-first-token', false],
    ['slow-first-token', true],
  ])(
    '(%s, streamed: %s) is left for the next upstream after one time limit',
    async (fault, stream) => {
      stage.main.play(fault)
      const startedAt = performance.now()
      const answer = await ask(stage, protocol, 'failover', { stream })
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(silenceMs - 10)
      expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
      expect(answer).toMatchObject({ attempts: '2', upstream: `${protocol}-backup` })
      expect(stage.hits).toEqual([1, 1, 0])
      expect(await stage.main.lastRequest.closedEarly).not.toBeNull()
    },
  )

  it('with nothing else to ask is a 504 that names the upstream, and is asked once', async () => {
    stage.main.play('silence')
    const answer = await ask(stage, protocol, 'alone')
    expect(answer).toMatchObject({ status: 504, attempts: '1', upstream: `${protocol}-main` })
    expect(answer.text).toContain(`${protocol}-main`)
    expect(stage.hits).toEqual([1, 0, 0])
  })

  it('of one endpoint is met with the other, once for each request', async () => {
    stage.main.play('silence')
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(stage, protocol, 'pair')))
    for (const answer of answers) expect(summaryOf(answer)).toEqual(goodAnswer('backup-model'))
    expect(stage.backup.hits).toBe(8)
    const ids = stage.main.requests.map((request) => request.header('x-request-id'))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('of both endpoints ends with one try at each', async () => {
    stage.main.play('silence')
    stage.backup.play('silence')
    expect(await ask(stage, protocol, 'pair')).toMatchObject({ status: 504, attempts: '2' })
    expect(stage.hits).toEqual([1, 1, 0])
  })

  it('that ends in time is just a slow answer', async () => {
    stage.main.next({ bodyDelayMs: silenceMs / 2 }, { delayMs: silenceMs / 2 })
    for (const stream of [true, false]) {
      const answer = await ask(stage, protocol, 'failover', { stream })
      expect(summaryOf(answer)).toEqual(goodAnswer('main-model'))
      expect(answer.attempts).toBe('1')
    }
    expect(stage.hits).toEqual([2, 0, 0])
  })
})

describe.each(protocols)('%s: a client that leaves', (protocol) => {
  /** Takes longer than whatever an earlier request waits for. */
  const waitedOut = async (way: 'alone' | 'failover') => {
    stage.main.next({ status: 429, headers: { 'retry-after': null, 'retry-after-ms': '700' } })
    return await ask(stage, protocol, way)
  }

  it('during a wait sends nothing more', async () => {
    const leaving = new AbortController()
    stage.main.next({ status: 429, headers: { 'retry-after': null, 'retry-after-ms': '500' } })
    const left = ask(stage, protocol, 'failover', { signal: leaving.signal })
    await stage.main.waitForRequest()
    await stage.main.lastRequest.closedEarly
    leaving.abort()
    await expect(left).rejects.toThrow()
    await waitedOut('failover')
    expect(stage.hits).toEqual([3, 0, 0])
  })

  it('while an upstream is silent is seen by it, and sends nothing more', async () => {
    const leaving = new AbortController()
    stage.main.next({ fault: { kind: 'stall', at: 'before-headers' } })
    const left = ask(stage, protocol, 'failover', { signal: leaving.signal })
    const request = await stage.main.waitForRequest()
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect(await request.closedEarly).not.toBeNull()
    await waitedOut('failover')
    expect(stage.hits).toEqual([3, 0, 0])
  })

  it('in mid-stream is seen by the upstream', async () => {
    stage.main.play('client-abort')
    const leaving = new AbortController()
    const { signal } = leaving
    const onText = () => leaving.abort()
    const left = await ask(stage, protocol, 'failover', { stream: true, signal, onText })
    expect(left.broken).toBe(true)
    const request = stage.main.lastRequest
    expect(await request.closedEarly).not.toBeNull()
    expect(stage.hits).toEqual([1, 0, 0])
  })
})
