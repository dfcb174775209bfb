import assert from 'node:assert/strict'
import { fixedWindow, type Rule, slidingWindow, tokenBucket } from '../core/rules.ts'
import type { Limit } from '../core/store.ts'
import { conformanceCase, type Probe } from './harness.ts'

const HOUR = 3_600_000

const flows: readonly (readonly [string, (limit: number, windowMs: number) => Rule])[] = [
  ['token bucket', (limit, windowMs) => tokenBucket({ limit, windowMs })],
  ['sliding window', (limit, windowMs) => slidingWindow({ limit, windowMs })],
  ['fixed window', (limit, windowMs) => fixedWindow({ limit, windowMs })],
]

/** What goes through, over time. */
export const flowCases = flows.flatMap(([name, rule]) => [
  conformanceCase(`${name}: admits up to the limit, then denies`, async (probe) => {
    const limit = probe.limit(rule(10, 240 * HOUR))
    const first = await probe.take(limit, 4)
    assert.deepEqual([first.allowed, first.applied, first.remaining], [true, true, 6])
    assert.equal(first.retryAfterMs, 0)
    assert.ok(first.resetMs > 0)
    assert.equal((await probe.take(limit, 6)).remaining, 0)
    const denied = await probe.take(limit)
    assert.deepEqual([denied.allowed, denied.applied, denied.remaining], [false, false, 0])
    assert.ok(Number.isSafeInteger(denied.retryAfterMs) && denied.retryAfterMs > 0)
  }),
  conformanceCase(`${name}: a denied cost takes nothing`, async (probe) => {
    const limit = probe.limit(rule(10, 240 * HOUR))
    await probe.take(limit, 8)
    for (let tries = 0; tries < 20; tries += 1)
      assert.equal((await probe.take(limit, 3)).allowed, false)
    assert.equal((await probe.take(limit, 2)).allowed, true)
  }),
  conformanceCase(`${name}: allows after retryAfterMs and not before`, async (probe) => {
    const limit = probe.limit(rule(3, 600))
    await spend(probe, limit)
    const { retryAfterMs } = await probe.one(limit, 'peek', 2)
    assert.ok(retryAfterMs <= 600)
    if (probe.harness.exact) {
      await probe.harness.advance(retryAfterMs - 1)
      assert.equal((await probe.take(limit, 2)).allowed, false)
      await probe.harness.advance(1)
    } else await probe.harness.advance(retryAfterMs)
    assert.equal((await probe.take(limit, 2)).allowed, true)
  }),
  conformanceCase(`${name}: is as new after resetMs`, async (probe) => {
    const limit = probe.limit(rule(5, 500))
    await spend(probe, limit)
    await probe.harness.advance((await probe.one(limit, 'peek', 1)).resetMs)
    const fresh = await probe.one(limit, 'peek', 5)
    assert.deepEqual([fresh.allowed, fresh.remaining, fresh.resetMs], [true, 5, 0])
  }),
  conformanceCase(`${name}: a peek takes nothing`, async (probe) => {
    const limit = probe.limit(rule(2, 240 * HOUR))
    for (let peeks = 0; peeks < 5; peeks += 1) {
      const { allowed, applied, remaining } = await probe.one(limit, 'peek', 2)
      assert.deepEqual([allowed, applied, remaining], [true, false, 2])
    }
  }),
  conformanceCase(`${name}: a penalty takes more than fits`, async (probe) => {
    const limit = probe.limit(rule(5, 240 * HOUR))
    await probe.one(limit, 'penalty', 8)
    const denied = await probe.take(limit)
    assert.deepEqual([denied.allowed, denied.remaining], [false, 0])
  }),
  conformanceCase(`${name}: a reset forgets use and block`, async (probe) => {
    const limit = probe.limit(rule(2, 240 * HOUR))
    await probe.take(limit, 2)
    await probe.one(limit, 'block', HOUR)
    const reset = await probe.one(limit, 'reset', 0)
    assert.deepEqual([reset.applied, reset.remaining, reset.resetMs], [true, 2, 0])
    assert.equal((await probe.take(limit, 2)).allowed, true)
  }),
  conformanceCase(`${name}: a block denies until it ends`, async (probe) => {
    const limit = probe.limit(rule(1_000, 1_000))
    await probe.one(limit, 'block', 400)
    await probe.one(limit, 'block', 1)
    const blocked = await probe.take(limit)
    assert.deepEqual([blocked.allowed, blocked.remaining], [false, 0])
    assert.ok(blocked.retryAfterMs > 0 && blocked.retryAfterMs <= 400)
    await probe.harness.advance(blocked.retryAfterMs)
    assert.equal((await probe.take(limit)).allowed, true)
  }),
])

/** Takes all there is, also if a window ends meanwhile. */
async function spend(probe: Probe, limit: Limit): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (!(await probe.take(limit)).allowed) return
  }
  assert.fail('Nothing was denied in a thousand tries.')
}
