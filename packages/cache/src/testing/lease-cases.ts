import assert from 'node:assert/strict'
import { driverCase, LONG } from './harness.ts'

/** Leases of keys. */
export const leaseCases = [
  driverCase('gives a lease to one of many, until that one gives it back', async (probe) => {
    const key = probe.own('key')
    const take = (token: string) => probe.driver.lock(key, token, LONG)
    const taken = await Promise.all(Array.from({ length: 50 }, (_, at) => take(String(at))))
    const holders = taken.flatMap((held, at) => (held ? [String(at)] : []))
    assert.equal(holders.length, 1)
    const [holder = ''] = holders
    await probe.driver.unlock(key, 'stranger')
    assert.equal(await take('next'), false)
    assert.equal(await take(holder), false)
    await probe.driver.unlock(key, holder)
    assert.equal(await take('next'), true)
    assert.equal(await probe.driver.lock(probe.own('other'), 'another', LONG), true)
  }),
  driverCase('lets a lease lapse, and then be another’s', async (probe) => {
    const key = probe.own('key')
    const begun = performance.now()
    assert.equal(await probe.driver.lock(key, 'first', 200), true)
    await probe.before(200, begun, async () => {
      assert.equal(await probe.driver.lock(key, 'too early', 1), false)
    })
    assert.equal(await probe.driver.lock(key, 'second', LONG), true)
    await probe.driver.unlock(key, 'first')
    assert.equal(await probe.driver.lock(key, 'third', LONG), false)
  }),
  driverCase('keeps leases and entries apart', async (probe) => {
    await probe.driver.lock(probe.own('key'), 'token', LONG)
    assert.deepEqual({ ...(await probe.read('key')) }, { stamp: undefined, bytes: undefined })
    await probe.write('key', 'value')
    assert.equal(await probe.remove(['key'], LONG), 1)
    assert.equal(await probe.driver.lock(probe.own('key'), 'other', LONG), false)
    await probe.driver.unlock(probe.own('key'), 'token')
    assert.notEqual((await probe.read('key')).stamp, undefined)
  }),
]
