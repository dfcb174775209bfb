import { type RedisServer, startRedis } from '@tidegate/testkit'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quotaLeaseTermsOf } from '../../core/quota-lease-terms.ts'
import { fixedWindow, type TokenBucketRule, tokenBucket } from '../../core/rules.ts'
import type { Limit } from '../../core/store.ts'
import type { RedisEvaluator } from '../evaluator.ts'
import { ScriptBackend } from '../script-backend.ts'
import { clocked, evaluatorOf } from '../scripted-redis.fixture.ts'
import { type Admitted, BucketModel, excessOf } from './leased-bucket.fixture.ts'

const START = 1_800_000_000_000

let server: RedisServer
let redis: RedisEvaluator
let client: Redis

beforeAll(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url)
  redis = evaluatorOf(client)
})

afterAll(async () => {
  client?.disconnect()
  await server?.[Symbol.asyncDispose]()
})

let subjects = 0

/** One policy of one subject, which several processes take from and lease. */
function asking(rule: Limit['rule'], through: (redis: RedisEvaluator) => RedisEvaluator) {
  const clock = { now: START }
  const limit = { policy: 'leased', rule }
  const backend = new ScriptBackend({ redis: through(clocked(redis, () => clock.now)) })
  subjects += 1
  const subject = `leases-${subjects}`
  const ask = async (amount: number, want: number, count = 1) => {
    const requests = [{ limit, action: 'take', amount } as const]
    const answer = await backend.decide([{ subject, requests, count, wants: [want] }])[0]
    const [verdict, lease] = [answer?.verdicts[0], answer?.leased[0]]
    if (answer === undefined || verdict === undefined || lease === undefined) throw new TypeError()
    return { admitted: answer.admitted, verdict, lease }
  }
  return { ask, clock }
}

const unaltered = (evaluator: RedisEvaluator) => evaluator

const leased = tokenBucket({ limit: 100, windowMs: 1_000, burst: 100, precision: 'leased' })

const rules = fc
  .record({
    limit: fc.integer({ min: 5, max: 60 }),
    windowMs: fc.integer({ min: 60, max: 400 }),
    burst: fc.integer({ min: 20, max: 80 }),
    precision: fc.constantFrom('leased' as const, { maxOvershoot: 0.5 }, { maxOvershoot: 1 }),
  })
  .map((options) => tokenBucket(options))
  .filter((rule) => quotaLeaseTermsOf(rule) !== undefined)

const steps = fc.array(
  fc.record({
    ms: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }), fc.integer({ max: 700, min: 1 })),
    amount: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ max: 80, min: 1 }),
    ),
    want: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 80 })),
  }),
  { minLength: 1, maxLength: 30, size: 'max' },
)

type Step = typeof steps extends fc.Arbitrary<readonly (infer One)[]> ? One : never

/** All that was let through, at worst: each lease at any time until its holder stops. */
async function run(rule: TokenBucketRule, history: readonly Step[], through = unaltered) {
  const { ask, clock } = asking(rule, through)
  const admitted: Admitted[] = []
  for (const { ms, amount, want } of history) {
    clock.now += ms
    const answer = await ask(amount, want)
    if (answer.admitted === 1) admitted.push({ from: clock.now, to: clock.now, amount })
    const { amount: leased, ttlMs } = answer.lease
    if (leased > 0) admitted.push({ from: clock.now, to: clock.now + ttlMs, amount: leased })
  }
  return admitted
}

/** Refills in one go, and lets leases lapse before it. */
const lazy = (evaluator: RedisEvaluator): RedisEvaluator => ({
  evaluate: ({ source, sha1 }, keys, args) => {
    const altered = source.replace(
      /debt = max\(0, debt - m\.elapsed \* perMs\)\n.*?m\.debt = debt\n *escrow_roll\(m\)/s,
      'end\n debt = debt - m.elapsed * perMs\n escrow_roll(m)\n m.debt = max(least(m), debt)',
    )
    expect(altered).not.toBe(source)
    return evaluator.evaluate({ source: altered, sha1: `${sha1.slice(0, -4)}lazy` }, keys, args)
  },
})

describe('leases of a token bucket', () => {
  it('are granted, drained and waited for as the rules say, millisecond by millisecond', async () => {
    await fc.assert(
      fc.asyncProperty(rules, steps, async (rule, history) => {
        const terms = quotaLeaseTermsOf(rule)
        if (terms === undefined) return
        const model = new BucketModel(rule, terms)
        const { ask, clock } = asking(rule, unaltered)
        for (const { ms, amount, want } of history) {
          clock.now += ms
          model.pass(ms)
          const { admitted, verdict, lease } = await ask(amount, want)
          const waits = model.until((later) => amount > rule.burst || amount <= later.room)
          const taken = model.take(amount)
          expect({ admitted, ...verdict }).toMatchObject({
            admitted: taken ? 1 : 0,
            allowed: taken,
            remaining: Math.max(0, model.room),
            retryAfterMs: amount > rule.burst ? Number.POSITIVE_INFINITY : waits,
            resetMs: model.until((later) => later.debt === 0 && later.out === 0),
          })
          const granted = taken ? model.grant(want) : 0
          expect(lease).toEqual({ amount: granted, ttlMs: terms.epochMs * Math.sign(granted) })
          if (!terms.strict) continue
          expect(model.room + model.out).toBeLessThanOrEqual(rule.burst)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('never let more through than the bound, however late they are spent', async () => {
    await fc.assert(
      fc.asyncProperty(rules, steps, async (rule, history) => {
        const terms = quotaLeaseTermsOf(rule)
        const overshoot = terms === undefined || terms.strict ? 0 : terms.escrow
        expect(excessOf(await run(rule, history), rule)).toBeLessThanOrEqual(overshoot)
      }),
      { numRuns: 300 },
    )
  })

  it('would let more through if a pause were refilled in one go', async () => {
    // The epoch of all 50 ends at 250, and they count until 500: until then the bucket refills to 50 only.
    const history = [
      { ms: 0, amount: 0, want: 1 },
      { ms: 249, amount: 0, want: 100 },
      { ms: 251, amount: 75, want: 0 },
    ]
    expect(excessOf(await run(leased, history), leased)).toBe(0)
    expect(excessOf(await run(leased, history, lazy), leased)).toBeGreaterThan(20)
  })
})

describe('leases of a fixed window', () => {
  const windows = fc
    .record({
      limit: fc.integer({ min: 20, max: 80 }),
      windowMs: fc.integer({ min: 160, max: 999 }),
    })
    .map((options) => fixedWindow({ ...options, precision: 'leased' }))

  it('are charged to their window, and end with it at the latest', async () => {
    await fc.assert(
      fc.asyncProperty(windows, steps, async (rule, history) => {
        const terms = quotaLeaseTermsOf(rule)
        if (terms === undefined) throw new TypeError('no terms')
        const { ask, clock } = asking(rule, unaltered)
        const charged = new Map<number, number>()
        let out: { readonly amount: number; readonly until: number }[] = []
        for (const { ms, amount, want } of history) {
          clock.now += ms
          const window = Math.floor(clock.now / rule.windowMs)
          const { admitted, verdict, lease } = await ask(amount, want)
          const used = (charged.get(window) ?? 0) + admitted * amount
          expect(verdict.remaining).toBe(rule.limit - used)
          charged.set(window, used + lease.amount)
          expect(charged.get(window)).toBeLessThanOrEqual(rule.limit)
          const until = clock.now + lease.ttlMs
          expect(until).toBeLessThanOrEqual((window + 1) * rule.windowMs)
          expect(lease.ttlMs).toBeLessThanOrEqual(terms.epochMs)
          out = [...out, { amount: lease.amount, until }].filter((one) => one.until > clock.now)
          const held = out.reduce((sum, one) => sum + one.amount, 0)
          expect(held).toBeLessThanOrEqual(terms.escrow)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('leases', () => {
  it('come after all that were admitted, of what they left, and to nobody denied', async () => {
    const { ask } = asking(leased, unaltered)
    expect(await ask(10, 100, 4)).toMatchObject({ admitted: 4, lease: { amount: 30, ttlMs: 250 } })
    expect(await ask(10, 100, 4)).toMatchObject({ admitted: 3, lease: { amount: 0 } })
  })

  it('are refused while those of other terms are out, and to who decides exactly', async () => {
    const { ask, clock } = asking(leased, unaltered)
    subjects -= 1
    const other = asking({ ...leased, precision: { maxOvershoot: 1 } }, unaltered)
    subjects -= 1
    const exact = asking({ ...leased, precision: 'exact' }, unaltered)
    expect((await ask(0, 10)).lease.amount).toBe(10)
    expect((await other.ask(0, 10)).lease.amount).toBe(0)
    expect((await exact.ask(0, 10)).lease.amount).toBe(0)
    // Ten are out, so the bucket that all three share refills to 90.
    clock.now += 249
    exact.clock.now = clock.now
    expect((await exact.ask(1, 0)).verdict.remaining).toBe(89)
    clock.now += 251
    other.clock.now = clock.now
    expect((await other.ask(0, 10)).lease.amount).toBe(10)
    expect((await ask(0, 10)).lease.amount).toBe(0)
  })

  it('are forgotten with everything else by a reset', async () => {
    const limit = { policy: 'leased', rule: leased }
    const backend = new ScriptBackend({ redis })
    const decide = async (action: 'take' | 'reset', want: number) => {
      const requests = [{ limit, action, amount: 0 } as const]
      const asks = [{ subject: 'forgotten', requests, count: 1, wants: [want] }]
      return await backend.decide(asks)[0]
    }
    expect((await decide('take', 50))?.leased).toEqual([{ amount: 50, ttlMs: 250 }])
    expect((await decide('reset', 0))?.verdicts).toMatchObject([{ remaining: 100, resetMs: 0 }])
    expect((await decide('take', 50))?.leased).toEqual([{ amount: 50, ttlMs: 250 }])
  })
})
