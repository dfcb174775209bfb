import assert from 'node:assert/strict'
import {
  budget,
  concurrency,
  fixedWindow,
  type Rule,
  slidingWindow,
  tokenBucket,
} from '../core/rules.ts'
import { conformanceCase } from './harness.ts'

const DAY = 86_400_000

const kinds: readonly (readonly [string, (limit: number, windowMs: number) => Rule])[] = [
  ['token bucket', (limit, windowMs) => tokenBucket({ limit, windowMs })],
  ['sliding window', (limit, windowMs) => slidingWindow({ limit, windowMs })],
  ['coarse sliding window', (limit, windowMs) => slidingWindow({ limit: limit * 10, windowMs })],
  ['fixed window', (limit, windowMs) => fixedWindow({ limit, windowMs })],
  ['budget', (limit, windowMs) => budget({ limit, windowMs })],
]

/** What is given back because it never took place. */
export const refundCases = [
  ...kinds.flatMap(([name, rule]) => [
    conformanceCase(`${name}: a refund gives back what was just taken`, async (probe) => {
      const limit = probe.limit(rule(10, 1_000 * DAY))
      const kept = await probe.take(limit, 3)
      const taken = await probe.take(limit, 5)
      const refunded = await probe.refund(limit, 5, taken)
      assert.deepEqual([refunded.applied, refunded.remaining], [true, kept.remaining])
    }),
    conformanceCase(
      `${name}: a refund of what no longer weighs gives nothing back`,
      async (probe) => {
        const limit = probe.limit(rule(10, 300))
        const old = await probe.take(limit, 5)
        await probe.harness.advance(300)
        const { remaining } = await probe.one(limit, 'penalty', 9)
        const refunded = await probe.refund(limit, 5, old)
        assert.equal(refunded.applied, false)
        if (probe.harness.exact) assert.equal(refunded.remaining, remaining)
      },
    ),
    conformanceCase(`${name}: what took nothing has nothing to give back`, async (probe) => {
      const limit = probe.limit(rule(10, 1_000 * DAY))
      const [unknown, peeked] = [await probe.take(limit, 2_000), await probe.one(limit, 'peek', 1)]
      const taken = await probe.one(limit, 'penalty', 8)
      for (const verdict of [unknown, peeked]) {
        assert.equal(verdict.stamp, -1)
        const refunded = await probe.refund(limit, 8, verdict)
        assert.deepEqual([refunded.applied, refunded.remaining], [false, taken.remaining])
      }
    }),
  ]),
  conformanceCase(
    'token bucket: a refund gives nothing twice that drained meanwhile',
    async (probe) => {
      const limit = probe.limit(tokenBucket({ limit: 100, windowMs: 1_000 }))
      const taken = await probe.take(limit, 50)
      await probe.take(limit, 50)
      await probe.harness.advance(200)
      const { remaining } = await probe.refund(limit, 50, taken)
      assert.ok(remaining <= 50 || !probe.harness.exact)
      if (probe.harness.exact) assert.equal(remaining, 50)
    },
  ),
  conformanceCase('budget: a settlement after a refund takes nothing away', async (probe) => {
    const limit = probe.limit(budget({ limit: 100, windowMs: 1_000 * DAY }))
    await probe.take(limit, 10, 'call')
    const taken = await probe.take(limit, 50)
    assert.equal((await probe.refund(limit, 50, taken)).remaining, 90)
    const settled = await probe.one(limit, 'settle', 5, { id: 'call', estimate: 10 })
    assert.deepEqual([settled.applied, settled.remaining], [true, 90])
  }),
  conformanceCase(
    'holds: the stamp tells what was taken from what was held already',
    async (probe) => {
      for (const rule of [
        concurrency({ limit: 3, ttlMs: DAY }),
        budget({ limit: 3, windowMs: DAY }),
      ]) {
        const limit = probe.limit(rule, rule.kind)
        const first = await probe.take(limit, 1, 'a')
        assert.ok(Number.isSafeInteger(first.stamp) && first.stamp >= 0)
        assert.equal((await probe.take(limit, 1, 'a')).stamp, -1)
        assert.ok((await probe.take(limit, 1, 'b')).stamp >= 0)
      }
    },
  ),
]
