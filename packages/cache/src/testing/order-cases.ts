import assert from 'node:assert/strict'
import { driverCase, LONG, oddNames } from './harness.ts'

/** The order of invalidations, and what is known of tags. */
export const orderCases = [
  driverCase('numbers what happens, always higher', async ({ driver }) => {
    let last = 0
    for (let asked = 0; asked < 50; asked += 1) {
      const now = await driver.now()
      assert.ok(Number.isSafeInteger(now) && now > last, `${now} came after ${last}`)
      last = now
    }
    const numbers = await Promise.all(Array.from({ length: 100 }, () => driver.now()))
    assert.equal(new Set(numbers).size, 100)
    assert.ok(Math.min(...numbers) > last)
  }),
  driverCase(
    'an invalidation comes after what was before, and before what is after',
    async (probe) => {
      const before = await probe.driver.now()
      const epoch = await probe.invalidate('tag')
      assert.ok(Number.isSafeInteger(epoch) && epoch > before)
      assert.equal(await probe.epoch('tag'), epoch)
      assert.ok((await probe.driver.now()) >= epoch)
      const again = await probe.invalidate('tag')
      assert.ok(again > epoch)
      assert.equal(await probe.epoch('tag'), again)
    },
  ),
  driverCase('keeps the last of invalidations at the same time', async (probe) => {
    const epochs = await Promise.all(Array.from({ length: 50 }, () => probe.invalidate('tag')))
    assert.equal(new Set(epochs).size, 50)
    assert.equal(await probe.epoch('tag'), Math.max(...epochs))
  }),
  driverCase(
    'doesn’t know a tag until it is told of it, and then as of that point',
    async (probe) => {
      const seq = await probe.driver.now()
      assert.equal(await probe.epoch('tag'), undefined)
      await probe.know('tag', LONG, seq)
      assert.equal(await probe.epoch('tag'), seq)
      await probe.know('tag', LONG, seq + 5)
      await probe.know('tag', LONG, seq - 5)
      assert.equal(await probe.epoch('tag'), seq)
      const epoch = await probe.invalidate('tag')
      await probe.know('tag', LONG, seq)
      await probe.know('tag', LONG, await probe.driver.now())
      assert.equal(await probe.epoch('tag'), epoch)
    },
  ),
  driverCase('knows many tags at once, in their order, of any characters', async (probe) => {
    assert.deepEqual(await probe.driver.epochs([]), [])
    await probe.driver.know([], LONG, 1)
    const names = [...oddNames, ...Array.from({ length: 250 }, (_, at) => `tag-${at}`)]
    const known = names.filter((_, at) => at % 2 === 0)
    const seq = await probe.driver.now()
    await probe.driver.know(
      known.map((name) => probe.own(name)),
      LONG,
      seq,
    )
    const isKnown = new Set(known)
    const told = await probe.driver.epochs(names.map((name) => probe.own(name)))
    assert.deepEqual(
      told,
      names.map((name) => (isKnown.has(name) ? seq : undefined)),
    )
    const epoch = await probe.invalidate('[a]')
    assert.equal(await probe.epoch('[a]'), epoch)
    assert.notEqual(await probe.epoch('a'), epoch)
  }),
  driverCase(
    'knows a tag for as long as it was last told, and not less than before',
    async (probe) => {
      const begun = performance.now()
      const seq = await probe.driver.now()
      await probe.know('short', 200, seq)
      await probe.know('lengthened', 200, seq)
      await probe.know('lengthened', LONG, seq)
      await probe.know('long', LONG, seq)
      await probe.know('long', 200, seq)
      const invalidated = await probe.invalidate('invalidated', 200)
      const again = await probe.invalidate('long', 200)
      const names = ['short', 'lengthened', 'long', 'invalidated']
      const epochs = () => Promise.all(names.map((name) => probe.epoch(name)))
      await probe.before(200, begun, async () => {
        assert.deepEqual(await epochs(), [seq, seq, again, invalidated])
      })
      assert.deepEqual(await epochs(), [undefined, seq, again, undefined])
    },
  ),
  driverCase('goes on in its order when all is lost, and believes nothing older', async (probe) => {
    const { harness, driver } = probe
    if (harness.lose === undefined) return
    await probe.write('entry', 'value')
    await probe.know('tag', LONG, await driver.now())
    const epoch = await probe.invalidate('tag')
    const before = await driver.now()
    await harness.lose()
    assert.equal(await probe.text('entry'), undefined)
    assert.equal(await probe.epoch('tag'), undefined)
    await probe.know('tag', LONG, before)
    assert.ok(((await probe.epoch('tag')) ?? 0) > before, 'what was lost is believed again')
    assert.ok((await driver.now()) > before)
    assert.ok((await probe.invalidate('tag')) > epoch)
    await harness.lose()
    assert.ok((await driver.now()) > before)
  }),
]
