import { type Provider, startProvider } from '@tidegate/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, Turnstile } from './client.fixture.ts'
import { type SharingGateway, sharingGateway } from './sharing-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const PATH = '/v1/chat/completions'
const EVENTS = 12

let provider: Provider
let gateway: SharingGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await sharingGateway([provider.url])
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

/** What happens next: somebody comes, one of those who are there leaves or reads no more for now, events come. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'join', value: 0 } as const) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), value: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), value: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('events' as const), value: fc.nat(4) }) },
)

interface Step {
  readonly kind: 'join' | 'leave' | 'pause' | 'events'
  readonly value: number
}

/** One run against the gateway, and beside it what has to come of it. */
class Run {
  readonly #body: object
  #gate = new Turnstile()
  /** Those on the call that is under way. */
  #present: Client[] = []
  #calls = 0
  /** Events that the call under way may send. */
  #sent = 0

  constructor(body: object) {
    this.#body = body
  }

  async take({ kind, value }: Step): Promise<void> {
    const one = this.#present[value % Math.max(1, this.#present.length)]
    if (kind === 'join') await this.#join()
    else if (kind === 'events') this.#send(value)
    else if (kind === 'leave' && one !== undefined) await this.#leave(one)
    else if (kind === 'pause') void one?.head.then((head) => head.pause()).catch(() => undefined)
  }

  /** What those who stayed got, and how many calls were made. */
  async finish(): Promise<{ texts: string[]; calls: number }> {
    this.#gate.let(1000)
    for (const { head } of this.#present) (await head).resume()
    const answers = await Promise.all(this.#present.map((client) => client.whole()))
    expect(answers.map(({ end }) => end)).toEqual(answers.map(() => 'whole'))
    return { texts: answers.map(({ text }) => text), calls: this.#calls }
  }

  /** Never to the end: that is for those who stay. */
  #send(count: number): void {
    const more = Math.min(count, EVENTS - this.#sent)
    this.#sent += more
    if (this.#present.length > 0) this.#gate.let(more)
  }

  async #join(): Promise<void> {
    if (this.#present.length === 0) this.#begin()
    const client = new Client(gateway.url + PATH, this.#body)
    this.#present.push(client)
    await gateway.readers(this.#present.length)
    await provider.waitForRequest(this.#calls - 1)
  }

  #begin(): void {
    this.#gate = new Turnstile()
    this.#sent = 0
    this.#calls += 1
    provider.next({ events: EVENTS, beforeEvent: this.#gate.pass })
  }

  async #leave(client: Client): Promise<void> {
    client.leave()
    this.#present = this.#present.filter((each) => each !== client)
    await gateway.readers(this.#present.length)
    // The provider hears of it when the last has left, and not before.
    const { closedEarly } = provider.lastRequest
    if (this.#present.length === 0) expect(await closedEarly).not.toBeNull()
  }
}

describe('clients who come, leave and stop reading at random', () => {
  it('get the same bytes if they stay, from one call for as long as one of them does', async () => {
    let run = 0
    const runs = fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 40 }),
      async (steps) => {
        run += 1
        const body = { ...CHAT, stream: true, seed: run }
        provider.reset()
        provider.next({ events: EVENTS })
        const expected = await new Client(provider.url + PATH, body).whole()
        provider.reset()
        const under = new Run(body)
        for (const each of steps) await under.take(each)
        const { texts, calls } = await under.finish()
        expect(new Set(texts)).toEqual(new Set(texts.length === 0 ? [] : [expected.text]))
        expect(provider.hits).toBe(calls)
        await gateway.readers(0)
        expect(gateway.recordings.stats()).toEqual({ open: 0, kept: 0, readers: 0, bytes: 0 })
      },
    )
    await fc.assert(runs, { numRuns: 60, seed: 20261121 })
  })
})
