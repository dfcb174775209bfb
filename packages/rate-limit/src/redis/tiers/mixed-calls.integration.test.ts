import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quotaLeaseTermsOf } from '../../core/quota-lease-terms.ts'
import { createRateLimiter, type RateLimiter } from '../../core/rate-limiter.ts'
import { type Precision, slidingWindow, tokenBucket } from '../../core/rules.ts'
import { type Admitted, type Loss, tightestInterval } from '../../testing/promise.ts'
import type { RedisEvaluator } from '../evaluator.ts'
import { redisStore } from '../redis-store.ts'
import { clocked, evaluatorOf } from '../scripted-redis.fixture.ts'
import { randomOf } from './simulation.fixture.ts'

const START = 1_800_000_000_000
const LASTS_MS = 2_500

let server: RedisServer
let client: Redis

beforeAll(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url)
})

afterAll(async () => {
  client.disconnect()
  await server[Symbol.asyncDispose]()
})

type Names = 'leased' | 'exact'

/** Time that passes from one event to the next; what an event asks of Redis is waited for. */
class Course {
  time = 0
  readonly #events: { readonly at: number; readonly run: () => unknown }[] = []

  at(time: number, run: () => unknown): void {
    const event = { at: Math.max(time, this.time), run }
    const before = this.#events.findIndex(({ at }) => at <= event.at)
    this.#events.splice(before < 0 ? this.#events.length : before, 0, event)
  }

  async run(): Promise<void> {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      this.time = event.at
      await event.run()
      for (let turn = 0; turn < 3; turn += 1) await new Promise((done) => setImmediate(done))
    }
  }
}

/** Calls of every kind, of several processes, in each of which anything may come in between. */
class Scenario {
  readonly admitted: Admitted[] = []
  readonly losses: Loss[] = []
  readonly terms: { limit: number; windowMs: number; burst: number; leaseMs: number }
  readonly #random: () => number
  readonly #course = new Course()
  readonly #limiters: readonly RateLimiter<Names>[]
  /** When and how far the clock of Redis was set forward, which counts as time that passed. */
  readonly #steps: { readonly at: number; readonly ms: number }[] = []
  #backMs = 0

  constructor(seed: number, precisions: readonly Precision[]) {
    this.#random = randomOf(seed)
    const numbers = {
      limit: this.#pick(20, 600),
      windowMs: this.#pick(1, 8) * 250,
      burst: this.#pick(40, 400),
    }
    const rules = precisions.map((precision) => tokenBucket({ ...numbers, precision }))
    const lasting = rules.map((rule) => quotaLeaseTermsOf(rule)?.epochMs ?? 0)
    this.terms = { ...numbers, leaseMs: Math.max(...lasting) }
    const delayMs = [0.3, 3, 40][this.#pick(0, 2)] ?? 0
    const redis = this.#delayed(
      clocked(evaluatorOf(client), () => this.#redisTime()),
      delayMs,
    )
    const time = () => this.#course.time
    const exact = slidingWindow({ limit: Math.ceil(numbers.limit / 3), windowMs: numbers.windowMs })
    this.#limiters = rules.map((leased) =>
      createRateLimiter({
        policies: { leased, exact },
        store: redisStore({ redis, prefix: `seed-${seed}`, monotonic: time, wall: time }),
        storeTimeoutMs: 60_000,
      }),
    )
  }

  async run(): Promise<void> {
    const { limit, windowMs } = this.terms
    const perMs = (limit / windowMs) * ([0.5, 2, 5][this.#pick(0, 2)] ?? 1)
    for (let at = 0; at < LASTS_MS; at += -Math.log(1 - this.#random()) / perMs) {
      this.#course.at(at, () => void this.#call())
    }
    for (let steps = this.#pick(0, 6); steps > 0; steps -= 1) {
      const ms = this.#pick(1, 400)
      const isForward = this.#random() < 0.5
      this.#course.at(this.#random() * LASTS_MS, () => {
        if (isForward) this.#steps.push({ at: this.#course.time, ms })
        else this.#backMs += ms
      })
    }
    await this.#course.run()
    const closed = Promise.all(this.#limiters.map((limiter) => limiter.close()))
    await new Promise((done) => setImmediate(done))
    await this.#course.run()
    await closed
  }

  /** On the clock that goes by what counts as time that passed, but for steps of late. */
  #now(lateMs = -1): number {
    const { time } = this.#course
    const steps = this.#steps.filter(({ at }) => at < time - lateMs)
    return steps.reduce((sum, { ms }) => sum + ms, time)
  }

  #redisTime(): number {
    return START + Math.floor(this.#now() - this.#backMs)
  }

  #pick(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1))
  }

  #delayed(redis: RedisEvaluator, delayMs: number): RedisEvaluator {
    return {
      evaluate: (...call) =>
        new Promise((resolve, reject) => {
          this.#course.at(this.#course.time + this.#random() * delayMs, async () => {
            const reply = await redis.evaluate(...call).catch(reject)
            this.#course.at(this.#course.time + this.#random() * delayMs, () => resolve(reply))
          })
        }),
    }
  }

  async #call(): Promise<void> {
    const limiter = this.#limiters[this.#pick(0, this.#limiters.length - 1)]
    const cost = this.#random() < 0.8 ? 1 : this.#pick(1, 12)
    // A step counts for as long after it as what was leased before it.
    const askedAt = this.#now(this.terms.leaseMs)
    const kind = this.#random()
    const leased = { policy: 'leased', cost } as const
    if (limiter === undefined) return
    if (kind < 0.01) {
      await limiter.reset('leased', 'ada')
      this.losses.push({ from: askedAt, to: this.#now() })
    } else if (kind < 0.03) await limiter.penalty('leased', 'ada', cost)
    else if (kind < 0.06) await limiter.peek('leased', 'ada')
    else if (await this.#asked(limiter, leased, kind)) {
      this.admitted.push({ askedAt, answeredAt: this.#now(), cost })
    }
  }

  async #asked(
    limiter: RateLimiter<Names>,
    leased: { readonly policy: 'leased'; readonly cost: number },
    kind: number,
  ): Promise<boolean> {
    if (kind < 0.6) return (await limiter.check('leased', 'ada', leased)).allowed
    if (kind < 0.8) return (await limiter.checkAll('ada', ['exact', leased])).allowed
    const asks = [
      { subject: 'ada', requests: leased },
      { subject: 'bob', requests: 'exact' },
    ] as const
    return (await limiter.acquireAll(asks)).allowed
  }
}

describe('processes that ask in every way', () => {
  const seeds = Array.from({ length: 6 }, (_, seed) => seed)

  it.each([
    ['leased', ['leased', 'leased', 'leased'], 0],
    ['leased and exact', ['leased', 'exact', 'leased'], 0],
    ['loose', [{ maxOvershoot: 0.25 }, { maxOvershoot: 0.25 }], 0.25],
  ] as const)('keep the promise between resets and steps of the clock: %s', async (...given) => {
    const [name, precisions, maxOvershoot] = given
    for (const seed of seeds) {
      const scenario = new Scenario(seed, precisions)
      await scenario.run()
      const { terms, admitted, losses } = scenario
      const overshoot = maxOvershoot * terms.burst
      const found = tightestInterval({ ...terms, overshoot }, admitted, losses)
      const excess = (found?.admitted ?? 0) - (found?.allowed ?? 0)
      expect(excess, `${name}, seed ${seed}`).toBeLessThanOrEqual(1e-6)
      expect(admitted.length).toBeGreaterThan(10)
    }
  })
})
