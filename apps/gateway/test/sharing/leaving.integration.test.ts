import { type Provider, pollUntil, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Asked, ask, sharingGateway } from './sharing-gateway.ts'
import { randomFrom } from './traffic.ts'

const ROUNDS = 12
const CLIENTS = 10
const EVENTS = 12

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await sharingGateway(provider)
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

/** A client that reads a stream. */
class Reading {
  readonly #leaving = new AbortController()
  readonly text: Promise<string>
  /** Whether it has the beginning of it. */
  joined = false

  constructor(asked: Asked) {
    this.text = this.#read(asked)
  }

  get left(): boolean {
    return this.#leaving.signal.aborted
  }

  leave(): void {
    this.#leaving.abort()
  }

  async #read(asked: Asked): Promise<string> {
    try {
      const response = await ask(gateway, { ...asked, signal: this.#leaving.signal })
      this.joined = true
      return await response.text()
    } catch (error) {
      if (this.left) return 'left'
      throw error
    }
  }
}

/** One stream, whose clients come and go before each of its events by chance. */
async function round(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const asked: Asked = { way: 'coalesced', model: `tide-${seed}`, stream: true }
  const readings: Reading[] = []
  provider.reset()
  provider.always({
    events: EVENTS,
    eventDelayMs: 10,
    beforeEvent: async (index) => {
      const staying = readings.filter(({ joined, left }) => joined && !left)
      // The one that led is no other than the rest.
      const leaver = staying[Math.floor(random() * staying.length)]
      if (staying.length > 1 && random() < 0.5) leaver?.leave()
      if (index < EVENTS - 2 && readings.length < CLIENTS) readings.push(new Reading(asked))
      const isIn = async () => readings.every(({ joined, left }) => joined || left)
      if (index > 1) await pollUntil(isIn, { describe: () => 'somebody never got the beginning' })
    },
  })
  readings.push(new Reading(asked))
  await provider.waitForRequest()
  expect(await provider.lastRequest.closedEarly).toBeNull()
  const texts = await Promise.all(readings.map(({ text }) => text))
  const whole = texts.filter((text) => text !== 'left')
  expect(whole.length).toBeGreaterThan(0)
  expect(new Set(whole).size).toBe(1)
  expect(whole[0]?.endsWith('data: [DONE]\n\n')).toBe(true)
  expect(provider.hits).toBe(1)
}

describe('a stream that is shared', () => {
  it('comes whole and once to those who stay, whoever leaves', async () => {
    for (let seed = 1; seed <= ROUNDS; seed += 1) await round(seed)
  }, 60_000)

  it('is given up when the last has left, and begun anew by the next', async () => {
    provider.reset()
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 3 ? promise : undefined) })
    const asked: Asked = { way: 'coalesced', model: 'tide-left', stream: true }
    const readings = [1, 2, 3, 4].map(() => new Reading(asked))
    const request = await provider.waitForRequest()
    const begun = async () => readings.every(({ joined }) => joined)
    await pollUntil(begun, { describe: () => 'it did not begin for all' })
    for (const reading of readings) reading.leave()
    expect(await request.closedEarly).not.toBeNull()
    resolve()
    provider.always({})
    expect(await new Reading(asked).text).toContain('[DONE]')
    expect(provider.hits).toBe(2)
  })

  it('is not kept waiting by one who reads slowly', async () => {
    provider.reset()
    const { promise, resolve } = Promise.withResolvers<void>()
    const beforeEvent = (index: number) => (index === 2 ? promise : undefined)
    provider.always({ padFirstEvent: 7 * 1024 * 1024, beforeEvent })
    const asked: Asked = { way: 'coalesced', model: 'tide-slow', stream: true }
    const slow = await ask(gateway, asked)
    const others = [1, 2, 3].map(() => new Reading(asked))
    const begun = async () => others.every(({ joined }) => joined)
    await pollUntil(begun, { describe: () => 'it did not begin for all' })
    resolve()
    const texts = await Promise.all(others.map(({ text }) => text))
    expect(texts.every((text) => text.endsWith('data: [DONE]\n\n'))).toBe(true)
    expect(await slow.text()).toBe(texts[0])
    expect(provider.hits).toBe(1)
  })

  it('is one call for a thousand that ask at once', async () => {
    provider.reset()
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 2 ? promise : undefined) })
    const asked: Asked = { way: 'coalesced', model: 'tide-thousand', stream: true }
    const answers = await Promise.all([...Array(1000)].map(() => ask(gateway, asked)))
    resolve()
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]?.endsWith('data: [DONE]\n\n')).toBe(true)
    const told = answers.map(({ headers }) => headers.get('x-tidegate-cache'))
    expect(told.filter((each) => each === 'coalesced')).toHaveLength(999)
    expect(told.filter((each) => each === 'miss')).toHaveLength(1)
    expect(provider.hits).toBe(1)
  }, 60_000)
})
