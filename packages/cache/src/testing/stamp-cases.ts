import assert from 'node:assert/strict'
import type { Stamp } from '../core/driver.ts'
import { driverCase, LONG, type Probe } from './harness.ts'

const if_ = (stamp: Stamp) => ({ ifStamp: { stamp } })

async function stampOf(probe: Probe, name: string): Promise<string> {
  const { stamp } = await probe.read(name)
  assert.ok(typeof stamp === 'string' && stamp !== '', 'there is no stamp')
  return stamp
}

/** Writes that depend on what is there, and the marks of removals. */
export const stampCases = [
  driverCase('stores only where the stamp is the one that was read', async (probe) => {
    assert.equal(await probe.write('a', 'early', { ...if_('never'), stamp: 'x' }), false)
    assert.equal(await probe.text('a'), undefined)
    assert.equal(await probe.write('a', 'first', { ...if_(undefined), stamp: 'one' }), true)
    assert.equal(await probe.write('a', 'again', { ...if_(undefined), stamp: 'two' }), false)
    assert.equal(await probe.write('a', 'late', { ...if_('on'), stamp: 'three' }), false)
    assert.equal(await probe.write('a', 'late', { ...if_('one1'), stamp: 'three' }), false)
    assert.deepEqual([await stampOf(probe, 'a'), await probe.text('a')], ['one', 'first'])
    assert.equal(await probe.write('a', 'next', { ...if_('one'), stamp: 'four' }), true)
    assert.deepEqual([await stampOf(probe, 'a'), await probe.text('a')], ['four', 'next'])
  }),
  driverCase('stores whatever is there when no stamp is asked for', async (probe) => {
    for (const stamp of ['one', 'two', 'z'.repeat(64)]) {
      assert.equal(await probe.write('a', stamp, { stamp }), true)
      assert.deepEqual([await stampOf(probe, 'a'), await probe.text('a')], [stamp, stamp])
    }
    await probe.remove(['a'], LONG)
    assert.equal(await probe.write('a', 'after', { stamp: 'after' }), true)
    assert.equal(await probe.text('a'), 'after')
  }),
  driverCase('says of each write whether it was stored', async (probe) => {
    await probe.write('b', 'there', { stamp: 'b' })
    await probe.write('c', 'there', { stamp: 'c' })
    const write = (name: string, ifStamp?: { readonly stamp: Stamp }) => ({
      ...{ key: probe.own(name), bytes: Uint8Array.of(1), stamp: `new-${name}`, ttlMs: LONG },
      ...(ifStamp === undefined ? {} : { ifStamp }),
    })
    const writes = [
      write('a', { stamp: undefined }),
      write('b', { stamp: undefined }),
      write('c', { stamp: 'c' }),
      write('d', { stamp: 'd' }),
      write('e'),
    ]
    assert.deepEqual(await probe.driver.write(writes), [true, false, true, false, true])
  }),
  driverCase('a write that is refused changes nothing, nor how long it is kept', async (probe) => {
    const begun = performance.now()
    await probe.write('a', 'kept', { stamp: 'one', ttlMs: 200 })
    assert.equal(await probe.write('a', 'refused', if_('other')), false)
    await probe.before(200, begun, async () => {
      assert.deepEqual([await stampOf(probe, 'a'), await probe.text('a')], ['one', 'kept'])
    })
    assert.equal(await probe.text('a'), undefined)
    // What has expired is a change as well.
    assert.equal(await probe.write('a', 'late', if_('one')), false)
  }),
  driverCase('lets one of a hundred writers win who saw the same', async (probe) => {
    for (const seen of [undefined, 'seen']) {
      const name = `race-${seen}`
      if (seen !== undefined) await probe.write(name, 'old', { stamp: seen })
      const tries = Array.from({ length: 100 }, (_, at) =>
        probe.write(name, String(at), { ...if_(seen), stamp: `stamp-${at}` }),
      )
      const won = (await Promise.all(tries)).flatMap((stored, at) => (stored ? [at] : []))
      assert.equal(won.length, 1)
      assert.equal(await probe.text(name), String(won[0]))
      assert.equal(await stampOf(probe, name), `stamp-${won[0]}`)
    }
  }),
  driverCase(
    'a removal takes the entry, leaves a mark, and counts entries alone',
    async (probe) => {
      await probe.write('a', 'value', { stamp: 'a' })
      await probe.write('b', 'value', { stamp: 'b' })
      assert.equal(await probe.remove([], LONG), 0)
      assert.equal(await probe.remove(['a', 'b', 'c'], LONG), 2)
      const marks = [await probe.read('a'), await probe.read('b'), await probe.read('c')]
      assert.deepEqual(
        marks.map(({ bytes }) => bytes),
        [undefined, undefined, undefined],
      )
      const stamps = marks.map(({ stamp }) => stamp)
      assert.ok(stamps.every((stamp) => typeof stamp === 'string'))
      assert.equal(new Set([...stamps, 'a', 'b']).size, 5)
      assert.equal(await probe.remove(['a', 'b', 'c'], LONG), 0)
      assert.notEqual(await stampOf(probe, 'a'), stamps[0])
    },
  ),
  driverCase('a mark refuses what was begun before the removal', async (probe) => {
    await probe.write('a', 'old', { stamp: 'old' })
    await probe.remove(['a', 'empty'], LONG)
    assert.equal(await probe.write('a', 'late', if_('old')), false)
    assert.equal(await probe.write('a', 'late', if_(undefined)), false)
    assert.equal(await probe.write('empty', 'late', if_(undefined)), false)
    assert.equal(await probe.text('a'), undefined)
    const mark = await stampOf(probe, 'a')
    assert.equal(await probe.write('a', 'begun after', if_(mark)), true)
    assert.equal(await probe.text('a'), 'begun after')
  }),
  driverCase(
    'a mark is there for its time, and longer if an older one has longer',
    async (probe) => {
      const begun = performance.now()
      await probe.remove(['short'], 200)
      await probe.remove(['long'], LONG)
      await probe.remove(['long'], 200)
      await probe.write('entry', 'value')
      await probe.remove(['entry'], 200)
      await probe.before(200, begun, async () => {
        assert.notEqual((await probe.read('short')).stamp, undefined)
      })
      assert.equal(await probe.write('short', 'new', if_(undefined)), true)
      assert.equal(await probe.write('entry', 'new', if_(undefined)), true)
      assert.equal(await probe.write('long', 'late', if_(undefined)), false)
    },
  ),
  driverCase(
    'a removal without a mark leaves nothing but the marks that are there',
    async (probe) => {
      await probe.write('a', 'value')
      await probe.remove(['marked'], LONG)
      const mark = await stampOf(probe, 'marked')
      assert.equal(await probe.remove(['a', 'marked', 'nothing'], 0), 1)
      assert.equal((await probe.read('a')).stamp, undefined)
      assert.equal(await stampOf(probe, 'marked'), mark)
      assert.equal(await probe.write('a', 'new', if_(undefined)), true)
    },
  ),
  driverCase('counts an entry once, whoever removes it', async (probe) => {
    const names = Array.from({ length: 700 }, (_, at) => `key-${at}`)
    await Promise.all(names.map((name) => probe.write(name, 'value')))
    const removals = [LONG, 0, LONG].map((markMs) => probe.remove([...names, ...names], markMs))
    const counts = await Promise.all(removals)
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      names.length,
    )
  }),
]
