import assert from 'node:assert/strict'
import { budget, concurrency, fixedWindow, slidingWindow, tokenBucket } from '../core/rules.ts'
import type { Limit } from '../core/store.ts'
import { conformanceCase, type Probe } from './harness.ts'

const windowMs = 100 * 86_400_000

/** What is decided together, and what has to stay apart. */
export const togetherCases = [
  conformanceCase('several policies: all are charged or none', async (probe) => {
    const limits = five(probe)
    const [scarce] = limits
    const takes = limits.map((limit) => ({ limit, action: 'take', amount: 2, id: 'x' }) as const)
    if (scarce !== undefined) await probe.take(scarce, 9)
    const denied = await probe.ask(takes)
    assert.deepEqual(
      denied.map(({ allowed, applied }) => [allowed, applied]),
      [[false, false], ...Array.from({ length: 4 }, () => [true, false])],
    )
    assert.deepEqual(await remaining(probe, limits), [1, 10, 10, 10, 10])
    if (scarce !== undefined) await probe.one(scarce, 'reset', 0)
    assert.ok((await probe.ask(takes)).every(({ applied }) => applied))
    assert.deepEqual(await remaining(probe, limits), [8, 8, 8, 8, 8])
  }),
  conformanceCase('shadow: reports, denies nobody, and takes only what fits', async (probe) => {
    const shadow = probe.limit(tokenBucket({ limit: 1, windowMs, shadow: true }), 'shadow')
    const real = probe.limit(tokenBucket({ limit: 5, windowMs }), 'real')
    const both = [shadow, real].map((limit) => ({ limit, action: 'take', amount: 1 }) as const)
    assert.ok((await probe.ask(both)).every(({ applied }) => applied))
    const [reported, admitted] = await probe.ask(both)
    assert.deepEqual(
      [reported?.allowed, reported?.applied, admitted?.applied],
      [false, false, true],
    )
    assert.equal((await probe.take(shadow, 2)).retryAfterMs, Number.POSITIVE_INFINITY)
  }),
  conformanceCase('a cost above the capacity is never allowed', async (probe) => {
    for (const limit of five(probe)) {
      const { allowed, retryAfterMs } = await probe.one(limit, 'peek', 11)
      assert.deepEqual([allowed, retryAfterMs], [false, Number.POSITIVE_INFINITY])
    }
  }),
  conformanceCase('callers at the same time get no more than the limit', async (probe) => {
    for (const limit of five(probe)) {
      const takes = Array.from({ length: 50 }, (_, at) => probe.take(limit, 1, `caller-${at}`))
      const admitted = (await Promise.all(takes)).filter(({ applied }) => applied)
      assert.equal(admitted.length, 10, limit.rule.kind)
    }
  }),
  conformanceCase('subjects and policies are apart', async (probe) => {
    const one = probe.limit(tokenBucket({ limit: 1, windowMs }), 'one')
    const two = probe.limit(tokenBucket({ limit: 1, windowMs }), 'two')
    const long = `${probe.subject}${'x'.repeat(5_000)}`
    const odd = [':one', '{a}', '{b}', ' ', '\n', '\0', 'ü', '__proto__'].map(
      (end) => `${probe.subject}${end}`,
    )
    for (const subject of [probe.subject, ...odd, long, `${long}y`]) {
      const takes = [one, two].map((limit) => ({ limit, action: 'take', amount: 1 }) as const)
      const verdicts = await probe.ask(takes, subject)
      assert.ok(verdicts.every(({ applied }) => applied))
      assert.equal((await probe.one(one, 'take', 1, {}, subject)).allowed, false)
    }
  }),
  conformanceCase('decideSync says the same, if it says anything', async (probe) => {
    const limit = probe.limit(tokenBucket({ limit: 2, windowMs }))
    const { store } = probe.harness
    const takes = [{ limit, action: 'take', amount: 1 }] as const
    const verdicts = store.decideSync?.(probe.subject, takes, probe.harness.now())
    const { remaining: left } = await probe.one(limit, 'peek', 1)
    assert.equal(left, verdicts === undefined ? 2 : 1)
  }),
]

function five(probe: Probe): readonly Limit[] {
  return [
    probe.limit(tokenBucket({ limit: 10, windowMs }), 'bucket'),
    probe.limit(slidingWindow({ limit: 10, windowMs }), 'sliding'),
    probe.limit(fixedWindow({ limit: 10, windowMs }), 'fixed'),
    probe.limit(concurrency({ limit: 10, ttlMs: windowMs }), 'slots'),
    probe.limit(budget({ limit: 10, windowMs }), 'budget'),
  ]
}

async function remaining(probe: Probe, limits: readonly Limit[]): Promise<number[]> {
  const peeks = limits.map((limit) => ({ limit, action: 'peek', amount: 1 }) as const)
  return (await probe.ask(peeks)).map((verdict) => verdict.remaining)
}
