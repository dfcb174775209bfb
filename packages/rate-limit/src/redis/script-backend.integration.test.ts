import { type RedisServer, startRedis } from '@tidegate/testkit'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../core/memory-store.ts'
import {
  budget,
  concurrency,
  fixedWindow,
  type Rule,
  slidingWindow,
  tokenBucket,
} from '../core/rules.ts'
import type { Limit, Store, StoreAction, StoreRequest, Verdict } from '../core/store.ts'
import { storeConformance } from '../testing/conformance.ts'
import type { RedisEvaluator } from './evaluator.ts'
import { ScriptBackend } from './script-backend.ts'
import { clocked, evaluatorOf, storeOver } from './scripted-redis.fixture.ts'

let server: RedisServer
let client: Redis
let redis: RedisEvaluator

beforeAll(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url)
  redis = evaluatorOf(client)
})

afterAll(async () => {
  client?.disconnect()
  await server?.[Symbol.asyncDispose]()
})

const exactStore = (now: () => number): Store =>
  storeOver(new ScriptBackend({ redis: clocked(redis, now) }))

const testClock = () => {
  let clock = 1_800_000_000_123
  return {
    store: exactStore(() => clock),
    exact: true,
    now: () => clock,
    advance: (ms: number) => {
      clock += ms
    },
  }
}

describe('ScriptBackend conforms to the millisecond', () => {
  for (const { name, run } of storeConformance) it(name, () => run(testClock))
})

const limitsOf = (rules: Readonly<Record<string, Rule>>): readonly Limit[] =>
  Object.entries(rules).map(([policy, rule]) => ({ policy, rule }))

let subjects = 0
const freshSubject = () => {
  subjects += 1
  return `subject-${subjects}`
}

/** What memory says, as Redis would: whether a reset found something depends on who tidies up when. */
function comparable(verdicts: readonly Verdict[], requests: readonly StoreRequest[]) {
  return verdicts.map(({ source: _, stamp: __, applied, ...verdict }, at) => ({
    ...verdict,
    applied: requests[at]?.action === 'reset' || applied,
  }))
}

/** What was taken and not refunded yet, by policy: each store has its own stamps. */
class Taken {
  readonly #takes = new Map<string, (readonly [amount: number, there: number, here: number])[]>()

  /** The same requests for the two stores; a refund is of the last take of its policy. */
  refunding(requests: readonly StoreRequest[]): [there: StoreRequest[], here: StoreRequest[]] {
    const [there, here]: [StoreRequest[], StoreRequest[]] = [[], []]
    for (const request of requests) {
      const refunds = request.action === 'refund'
      const [amount, one, other] = (refunds && this.#takes.get(request.limit.policy)?.pop()) || []
      there.push(amount === undefined ? request : { ...request, amount, stamp: one })
      here.push(amount === undefined ? request : { ...request, amount, stamp: other })
    }
    return [there, here]
  }

  note(requests: readonly StoreRequest[], there: readonly Verdict[], here: readonly Verdict[]) {
    for (const [at, { action, amount, limit }] of requests.entries()) {
      const [one = -1, other = -1] = [there[at]?.stamp, here[at]?.stamp]
      expect(Math.sign(one)).toBe(Math.sign(other))
      if (action !== 'take' || one < 0) continue
      this.#takes.set(limit.policy, [
        ...(this.#takes.get(limit.policy) ?? []),
        [amount, one, other],
      ])
    }
  }
}

describe('ScriptBackend beside memoryStore', () => {
  const isHeld = ({ rule }: Limit) => rule.kind === 'concurrency' || rule.kind === 'budget'
  const takes = ['take', 'take', 'take', 'refund'] as const
  const flowActions: readonly StoreAction[] = [...takes, 'peek', 'penalty', 'block', 'reset']
  const heldActions = [...flowActions, 'take', 'renew', 'release', 'settle', 'settle'] as const

  const window = fc.record({
    limit: fc.integer({ min: 1, max: 32 }),
    windowMs: fc.integer({ min: 1, max: 2_000 }),
  })
  const ruleset = fc
    .record({
      window,
      burst: fc.integer({ min: 1, max: 60 }),
      ttlMs: fc.integer({ min: 1, max: 1_000 }),
    })
    .map(({ window: options, burst, ttlMs }) =>
      limitsOf({
        bucket: tokenBucket({ ...options, burst }),
        shadow: tokenBucket({ ...options, burst: 2, shadow: true }),
        sliding: slidingWindow(options),
        fixed: fixedWindow(options),
        slots: concurrency({ limit: options.limit, ttlMs }),
        budget: budget({ ...options, burst, ttlMs }),
      }),
    )

  const stepsOf = (
    limits: readonly Limit[],
    leastMs: number,
    ofHeld: readonly StoreAction[],
    atOnce: number,
  ) => {
    // What a clock that stepped back makes of the stamps of forgotten meters is each store's own affair.
    const steady = (action: StoreAction) => leastMs === 0 || action !== 'refund'
    const request = fc.constantFrom(...limits).chain((limit) =>
      fc.record({
        limit: fc.constant(limit),
        action: fc.constantFrom(...(isHeld(limit) ? ofHeld : flowActions).filter(steady)),
        amount: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
        id: isHeld(limit) ? fc.constantFrom('a', 'b', 'c', 'd') : fc.constant(undefined),
        estimate: fc.constantFrom(1, 20),
      }),
    )
    return fc.array(
      fc.record({
        ms: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 30 }) },
          { weight: 3, arbitrary: fc.integer({ min: 0, max: 900 }) },
          { weight: 1, arbitrary: fc.integer({ min: leastMs, max: 0 }) },
        ),
        requests: fc.uniqueArray(request, {
          minLength: 1,
          maxLength: Math.min(atOnce, limits.length),
          selector: ({ limit }) => limit.policy,
        }),
      }),
      { maxLength: 40, size: 'max' },
    )
  }

  const differsNever = (
    rules: fc.Arbitrary<readonly Limit[]>,
    leastMs: number,
    ofHeld: readonly StoreAction[] = heldActions,
    atOnce = 6,
  ) =>
    fc.assert(
      fc.asyncProperty(
        rules.chain((limits) =>
          fc.tuple(fc.constant(limits), stepsOf(limits, leastMs, ofHeld, atOnce)),
        ),
        async ([limits, steps]) => {
          let clock = 1_800_000_000_000
          const memory = memoryStore()
          const store = exactStore(() => clock)
          const subject = freshSubject()
          const taken = new Taken()
          const ask = async (requests: readonly StoreRequest[]) => {
            const [there, here] = taken.refunding(requests)
            const told = await store.decide(subject, there, 0)
            const expected = memory.decide(subject, here, clock)
            expect(comparable(told, requests)).toEqual(comparable(expected, requests))
            taken.note(requests, told, expected)
          }
          const nothing = limits.map((limit) => ({ limit, action: 'penalty', amount: 0 }) as const)
          for (const { ms, requests } of steps) {
            // Redis remembers no time that only denials and looks have seen; taking nothing tells it.
            if (ms < 0) await ask(nothing)
            clock += ms
            await ask(requests)
          }
        },
      ),
      { numRuns: 150 },
    )

  it('says the same of every history, also when the clock steps back', async () => {
    await differsNever(ruleset, -1_500)
  })

  it('says the same of what is taken and refunded', async () => {
    await differsNever(ruleset, 0)
  })

  it('says the same when one policy is asked at a time', async () => {
    await differsNever(ruleset, -1_500, heldActions, 1)
    await differsNever(ruleset, 0, heldActions, 1)
  })

  it('says the same of sliding windows that keep admissions in groups', async () => {
    const options = fc.record({
      limit: fc.integer({ min: 33, max: 80 }),
      windowMs: fc.integer({ min: 100, max: 3_000 }),
    })
    await differsNever(
      options.map((window) => limitsOf({ sliding: slidingWindow(window) })),
      0,
    )
  })

  it('says the same of budgets with several reservations at once', async () => {
    const options = fc.record({
      limit: fc.integer({ min: 1, max: 60 }),
      burst: fc.integer({ min: 60, max: 400 }),
      windowMs: fc.integer({ min: 500, max: 5_000 }),
      ttlMs: fc.integer({ min: 500, max: 5_000 }),
    })
    const rules = options.map((numbers) => limitsOf({ budget: budget(numbers) }))
    const settles = ['take', 'take', 'settle', 'settle'] as const
    const actions: readonly StoreAction[] = [...settles, 'renew', 'release', 'peek', 'refund']
    await differsNever(rules, -100, actions)
    await differsNever(rules, 0, actions)
  })

  it('says the same of numbers as large as any rule takes', async () => {
    const most = Number.MAX_SAFE_INTEGER
    const limits = limitsOf({
      bucket: tokenBucket({ limit: 1, windowMs: 2 ** 42, burst: 256 }),
      sliding: slidingWindow({ limit: most, windowMs: 2 ** 42 }),
      fixed: fixedWindow({ limit: most, windowMs: 2 ** 42 }),
      slots: concurrency({ limit: most, ttlMs: 2 ** 42 }),
      budget: budget({ limit: 2 ** 50, windowMs: 1, burst: 2 ** 50, ttlMs: 2 ** 42 }),
    })
    const clock = 1_800_000_000_123
    const memory = memoryStore()
    const store = exactStore(() => clock)
    const subject = freshSubject()
    const rounds: readonly (readonly [StoreAction, number])[] = [
      ['take', 200],
      ['take', 2 ** 49 - 1],
      ['take', most - 1_000],
      ['peek', most],
      ['penalty', 2 ** 32],
      ['settle', most],
      ['block', 2 ** 42],
      ['peek', 1],
    ]
    for (const [round, [action, amount]] of rounds.entries()) {
      for (const limit of limits) {
        const id = `id-${round}`
        const requests = [{ limit, action, amount, id, estimate: 1 }]
        const told = await store.decide(subject, requests, 0)
        const expected = memory.decide(subject, requests, clock)
        expect(comparable(told, requests)).toEqual(comparable(expected, requests))
      }
    }
  })

  it('has more holders than are read at a time', async () => {
    let clock = 1_800_000_000_000
    const memory = memoryStore()
    const store = exactStore(() => clock)
    const [limit] = limitsOf({ slots: concurrency({ limit: 500, ttlMs: 10_000 }) })
    if (limit === undefined) throw new TypeError('no limit')
    const subject = freshSubject()
    const ask = async (action: StoreAction, amount: number, id?: string) => {
      const requests = [{ limit, action, amount, id }]
      const told = comparable(await store.decide(subject, requests, 0), requests)
      expect(told).toEqual(comparable(memory.decide(subject, requests, clock), requests))
      return told[0]
    }
    for (let holder = 0; holder < 260; holder += 1) {
      clock += 3
      await ask('take', holder % 50 === 0 ? 3 : 1, `holder-${holder}`)
    }
    expect(await ask('peek', 500)).toMatchObject({ allowed: false })
    clock += 9_500
    expect(await ask('peek', 500)).toMatchObject({ allowed: false })
    clock += 10_000
    expect(await ask('peek', 500)).toMatchObject({ allowed: true, remaining: 500, resetMs: 0 })
  })
})
