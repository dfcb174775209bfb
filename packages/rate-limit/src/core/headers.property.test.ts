import fc from 'fast-check'
import { type Item, parseList } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import type { Decision, Outcome } from './decision.ts'
import { rateLimitHeaders } from './headers.ts'
import { createRateLimiter } from './rate-limiter.ts'
import { budget, capacityOf, fixedWindow, type Rule, slidingWindow, tokenBucket } from './rules.ts'

const windows = fc.record({
  limit: fc.integer({ min: 1, max: 50 }),
  windowMs: fc.integer({ min: 1, max: 20_000 }),
})
const buckets = fc
  .tuple(windows, fc.integer({ min: 1, max: 60 }))
  .map(([window, burst]) => ({ ...window, burst }))
const rules: fc.Arbitrary<Rule> = fc.oneof(
  buckets.map(tokenBucket),
  buckets.map(budget),
  windows.map(slidingWindow),
  windows.map(fixedWindow),
)
/** Lone surrogates among them. */
const codeUnits = fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code))
const calls = fc.array(
  fc.record({
    step: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 5_000 })),
    costs: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  }),
  { minLength: 1, maxLength: 20 },
)

/** What an independent parser reads of a header: names and numbers. */
function read(header: string | undefined) {
  expect(header).toMatch(/^[ -~]+$/)
  const list = parseList(header ?? '') as Item[]
  return list.map(([name, parameters]) => ({ name, ...Object.fromEntries(parameters) }) as Read)
}

interface Read {
  readonly name: string
  readonly [parameter: string]: unknown
}

function number(value: unknown): number {
  expect(Number.isInteger(value)).toBe(true)
  return value as number
}

function checkPolicies(headers: Readonly<Record<string, string>>, { decisions }: Outcome): void {
  const expected = decisions.map(({ policy, limit, rule }) => ({
    name: policy,
    q: limit,
    ...(rule.kind === 'budget' ? { 'tidegate-unit': 'tokens' } : {}),
    ...('windowMs' in rule ? { w: Math.ceil(rule.windowMs / 1000) } : {}),
  }))
  expect(read(headers['ratelimit-policy'])).toEqual(expected)
}

/** `t` is never too early; it is exact, but where a header's reader is told otherwise. */
function checkEffectiveWindow(t: number, decision: Decision, moreInMs: number): void {
  const { allowed, remaining, resetMs, retryAfterMs, rule } = decision
  expect(t * 1000).toBeGreaterThanOrEqual(moreInMs)
  if (!allowed && remaining === 0) expect(t).toBe(Math.ceil(retryAfterMs / 1000))
  else if (rule.kind === 'sliding-window') expect(t).toBeLessThanOrEqual(Math.ceil(resetMs / 1000))
  else expect(t).toBeLessThanOrEqual(Math.ceil((moreInMs + 1) / 1000))
}

describe('rateLimitHeaders', () => {
  it('gives an independent parser the numbers back, and times at which they are true', async () => {
    const scenario = fc.asyncProperty(rules, rules, calls, async (one, two, list) => {
      let clock = 1_800_000_000_000
      const limiter = createRateLimiter({ policies: { one, two }, now: () => clock })
      for (const { step, costs } of list) {
        clock += step
        const [first, second] = costs
        const requests = [
          { policy: 'one', cost: Math.min(first, capacityOf(one)) },
          { policy: 'two', cost: Math.min(second, capacityOf(two)) },
        ] as const
        const outcome = await limiter.checkAll('ada', requests)
        const headers = rateLimitHeaders(outcome)
        checkPolicies(headers, outcome)
        const limits = read(headers.ratelimit)
        expect(limits.map(({ name, r }) => [name, r])).toEqual(
          outcome.decisions.map(({ policy, remaining }) => [policy, remaining]),
        )
        for (const [at, decision] of outcome.decisions.entries()) {
          const { policy, remaining, rule } = decision
          const cost = remaining + 1
          if (cost > capacityOf(rule)) continue
          const { retryAfterMs } = await limiter.peek(policy, 'ada', { cost })
          checkEffectiveWindow(number(limits[at]?.t), decision, retryAfterMs)
        }
        await checkRetry(headers, outcome, async (ms) => {
          clock += ms
          const peeks = requests.map(({ policy, cost }) => limiter.peek(policy, 'ada', { cost }))
          return (await Promise.all(peeks)).every(({ allowed }) => allowed)
        })
      }
    })
    await fc.assert(scenario)
  })

  it('can be parsed whatever the names and numbers', () => {
    const decisions = fc.record({
      policy: fc.oneof(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: codeUnits })),
      limit: fc.maxSafeNat(),
      remaining: fc.maxSafeNat(),
      resetMs: fc.oneof(fc.maxSafeNat(), fc.constant(Number.POSITIVE_INFINITY)),
      retryAfterMs: fc.oneof(fc.maxSafeNat(), fc.constant(Number.POSITIVE_INFINITY)),
      allowed: fc.boolean(),
      shadow: fc.constant(false),
      source: fc.constant('elsewhere'),
      rule: rules,
    })
    fc.assert(
      fc.property(fc.array(decisions, { minLength: 1, maxLength: 4 }), (list) => {
        const headers = rateLimitHeaders(list)
        for (const name of ['ratelimit-policy', 'ratelimit']) {
          const parsed = read(headers[name])
          expect(parsed).toHaveLength(list.length)
          for (const { q = 0, r = 0, t = 0, w = 1 } of parsed) {
            for (const value of [q, r, t]) expect(number(value)).toBeGreaterThanOrEqual(0)
            expect(number(w)).toBeGreaterThanOrEqual(1)
          }
        }
        const waits = [headers['retry-after'] ?? '0', headers['retry-after-ms'] ?? '0']
        for (const wait of waits) expect(wait).toMatch(/^\d{1,15}$/)
      }),
    )
  })
})

async function checkRetry(
  headers: Readonly<Record<string, string>>,
  outcome: Outcome,
  allowedAfter: (ms: number) => Promise<boolean>,
): Promise<void> {
  const { 'retry-after': seconds, 'retry-after-ms': ms } = headers
  if (outcome.allowed) {
    expect([seconds, ms]).toEqual([undefined, undefined])
    return
  }
  expect(Number(ms)).toBe(outcome.retryAfterMs)
  expect(Number(seconds)).toBe(Math.ceil(outcome.retryAfterMs / 1000))
  expect(await allowedAfter(Number(ms) - 1)).toBe(false)
  expect(await allowedAfter(1)).toBe(true)
  const denying = outcome.decisions.filter(({ allowed }) => !allowed)
  const limits = read(headers.ratelimit)
  for (const { policy } of denying) {
    const t = number(limits.find(({ name }) => name === policy)?.t)
    expect(Number(seconds)).toBeGreaterThanOrEqual(t)
  }
}
