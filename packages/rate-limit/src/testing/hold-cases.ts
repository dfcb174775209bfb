import assert from 'node:assert/strict'
import { budget, concurrency } from '../core/rules.ts'
import { conformanceCase } from './harness.ts'

const DAY = 86_400_000

/** What is held: slots and reservations. */
export const holdCases = [
  conformanceCase('concurrency: no more slots than the limit', async (probe) => {
    const limit = probe.limit(concurrency({ limit: 2, ttlMs: DAY }))
    assert.equal((await probe.take(limit, 1, 'a')).remaining, 1)
    assert.equal((await probe.take(limit, 1, 'b')).remaining, 0)
    assert.equal((await probe.take(limit, 1, 'c')).applied, false)
    assert.equal((await probe.one(limit, 'release', 0, { id: 'a' })).applied, true)
    assert.equal((await probe.one(limit, 'release', 0, { id: 'a' })).applied, false)
    assert.equal((await probe.take(limit, 1, 'c')).applied, true)
  }),
  conformanceCase('concurrency: who holds a slot already takes no other', async (probe) => {
    const limit = probe.limit(concurrency({ limit: 1, ttlMs: DAY }))
    await probe.take(limit, 1, 'a')
    const again = await probe.take(limit, 1, 'a')
    assert.deepEqual([again.allowed, again.applied, again.remaining], [true, true, 0])
    await probe.one(limit, 'release', 0, { id: 'a' })
    assert.equal((await probe.one(limit, 'peek', 1)).remaining, 1)
  }),
  conformanceCase('concurrency: a slot lapses unless it is renewed', async (probe) => {
    const limit = probe.limit(concurrency({ limit: 2, ttlMs: 1_000 }))
    await probe.take(limit, 1, 'renewed')
    await probe.take(limit, 1, 'forgotten')
    await probe.harness.advance(600)
    assert.equal((await probe.one(limit, 'renew', 0, { id: 'renewed' })).applied, true)
    const { retryAfterMs } = await probe.one(limit, 'peek', 1)
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 400)
    await probe.harness.advance(retryAfterMs)
    assert.equal((await probe.one(limit, 'renew', 0, { id: 'forgotten' })).applied, false)
    assert.equal((await probe.one(limit, 'peek', 1)).remaining, 1)
  }),
  conformanceCase('budget: what was reserved too much comes back', async (probe) => {
    const limit = probe.limit(budget({ limit: 100, windowMs: 100 * DAY }))
    assert.equal((await probe.take(limit, 80, 'call')).remaining, 20)
    assert.equal((await probe.take(limit, 30, 'other')).applied, false)
    const settled = await probe.one(limit, 'settle', 30, { id: 'call', estimate: 80 })
    assert.equal(settled.applied, true)
    assert.ok(settled.remaining === 70)
    assert.equal((await probe.one(limit, 'settle', 0, { id: 'call', estimate: 80 })).applied, false)
    assert.equal((await probe.one(limit, 'peek', 1)).remaining, 70)
  }),
  conformanceCase('budget: what was used beyond the estimate is owed', async (probe) => {
    const limit = probe.limit(budget({ limit: 100, windowMs: 100 * DAY }))
    await probe.take(limit, 90, 'call')
    const settled = await probe.one(limit, 'settle', 150, { id: 'call', estimate: 90 })
    assert.deepEqual([settled.allowed, settled.remaining], [false, 0])
    assert.ok(settled.retryAfterMs > 50 * DAY - 60_000)
  }),
  conformanceCase('budget: a reservation that lapsed stays charged', async (probe) => {
    const limit = probe.limit(budget({ limit: 100, windowMs: 100 * DAY, ttlMs: 200 }))
    await probe.take(limit, 60, 'call')
    await probe.harness.advance(200)
    assert.equal((await probe.one(limit, 'renew', 0, { id: 'call' })).applied, false)
    const less = await probe.one(limit, 'settle', 0, { id: 'call', estimate: 60 })
    assert.deepEqual([less.applied, less.remaining], [false, 40])
    const more = await probe.one(limit, 'settle', 70, { id: 'call', estimate: 60 })
    assert.deepEqual([more.applied, more.remaining], [false, 30])
  }),
  conformanceCase('budget: a released reservation stays charged', async (probe) => {
    const limit = probe.limit(budget({ limit: 100, windowMs: 100 * DAY }))
    await probe.take(limit, 60, 'call')
    assert.equal((await probe.one(limit, 'release', 0, { id: 'call' })).applied, true)
    assert.equal((await probe.one(limit, 'settle', 0, { id: 'call', estimate: 60 })).applied, false)
    assert.equal((await probe.one(limit, 'peek', 1)).remaining, 40)
  }),
  conformanceCase('budget: gives back nothing that has drained meanwhile', async (probe) => {
    const limit = probe.limit(budget({ limit: 100, windowMs: 500 }))
    await probe.take(limit, 50, 'call')
    await probe.harness.advance(500)
    const taken = await probe.take(limit, 100)
    const settled = await probe.one(limit, 'settle', 0, { id: 'call', estimate: 50 })
    assert.equal(taken.allowed, true)
    if (probe.harness.exact) assert.equal(settled.remaining, 0)
  }),
]
