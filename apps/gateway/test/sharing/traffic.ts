import { pollUntil, type RunningGateway } from '@tidegate/testkit'
import { type Asked, ask, faultIn, ways } from './sharing-gateway.ts'

/** How many models are asked for again and again, beside those that are asked for once. */
const POPULAR = 12

const MOST_TOLD = 10

/** Clients that ask gateways without a pause, in every way that answers are shared. */
export class Traffic {
  readonly faults: string[] = []
  answered = 0
  readonly #gateways: readonly RunningGateway[]
  readonly #clients: Promise<void>[]
  #stopped = false
  #asked = 0

  constructor(gateways: readonly RunningGateway[], clients = 12) {
    this.#gateways = gateways
    this.#clients = [...Array(clients).keys()].map((number) => this.#client(number + 1))
  }

  /** Waits until so many more requests have been answered. */
  async more(count: number): Promise<void> {
    const until = this.answered + count
    await pollUntil(async () => this.answered >= until, {
      timeoutMs: 60_000,
      describe: () => `only ${this.answered} of ${until} were answered`,
    })
  }

  /** Ends it, once what is under way has been answered, and tells what went wrong. */
  async stop(): Promise<readonly string[]> {
    this.#stopped = true
    await Promise.all(this.#clients)
    return this.faults
  }

  async #client(seed: number): Promise<void> {
    const random = randomFrom(seed)
    while (!this.#stopped) {
      const asked = this.#draw(random)
      const gateway = this.#gateways[Math.floor(random() * this.#gateways.length)]
      if (gateway === undefined) throw new Error('no gateway')
      const fault = await faultIn(ask(gateway, asked), asked)
      this.answered += 1
      // The first say enough.
      if (fault !== undefined && this.faults.length < MOST_TOLD) {
        this.faults.push(`${asked.way} ${asked.model}: ${fault}`)
      }
    }
  }

  #draw(random: () => number): Asked {
    this.#asked += 1
    const way = ways[Math.floor(random() * ways.length)] ?? 'cached'
    const popular = random() < 0.6
    const model = popular ? `tide-${Math.floor(random() * POPULAR)}` : `tide-once-${this.#asked}`
    const stream = random() < 0.5
    const key = `key-of-${model}-${stream}`
    return { way, model, stream, ...(way === 'keyed' && { key }) }
  }
}

/** Numbers between 0 and 1, always the same ones for a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
