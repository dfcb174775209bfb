import { describe, expect, it } from 'vitest'
import type { CacheBus, CacheDriver } from '../driver.ts'
import type { Entry } from '../entry.ts'
import { memoryBus } from '../memory-bus.ts'
import { memoryDriver } from '../memory-driver.ts'
import { faulty } from './faulty-driver.fixture.ts'
import { entryOf, type Node, nodeOn } from './first-tier.fixture.ts'
import { Messages } from './messages.ts'
import type { SharedOptions } from './shared.ts'

const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 20))

async function started(
  driver: CacheDriver,
  bus?: CacheBus,
  more: Partial<SharedOptions> = {},
): Promise<Node> {
  const node = nodeOn(driver, bus, more)
  await settled()
  return node
}

async function set({ shared, tier }: Node, key: string, entry: Entry): Promise<void> {
  const [kept] = await shared.write([{ key, entry, capture: undefined }])
  if (kept !== undefined) tier.entries.set(key, kept)
}

async function look({ shared }: Node, key: string, tags?: readonly string[]): Promise<unknown> {
  const [found] = await shared.read([key], tags)
  return found?.entry?.value
}

describe('Shared', () => {
  it('gives one process what another one has set', async () => {
    const [driver, bus] = [memoryDriver(), memoryBus()]
    const [a, b] = [nodeOn(driver, bus), nodeOn(driver, bus)]
    await set(a, 'k', entryOf({ n: 1 }))
    expect(await look(b, 'k')).toEqual({ n: 1 })
    await a.shared.invalidate({ keys: ['k'] }, { sweep: true })
    expect(await look(b, 'k')).toBeUndefined()
    expect([...a.events, ...b.events]).toEqual([])
  })

  it.each([
    ['with', memoryBus()],
    ['without', undefined],
  ])(
    'refuses what was made before its key, its tag, its prefix or everything was invalidated, %s a bus',
    async (_, bus) => {
      const driver = memoryDriver()
      const [a, b] = [await started(driver, bus), await started(driver, bus)]
      const targets = [
        { keys: ['p:0:k'] },
        { tag: 't' },
        { match: { prefix: 'p:' } },
        { match: { pattern: '*:k' } },
        { match: { prefix: '' }, tag: '\u0000' },
      ]
      for (const [at, target] of targets.entries()) {
        const key = `p:${at}:k`
        const [before] = await a.shared.read([key], ['t'])
        await b.shared.invalidate(target, { sweep: true })
        const entry = entryOf('late', { tags: ['t'] })
        const [kept] = await a.shared.write([{ key, entry, capture: before?.capture }])
        expect(kept).toBeUndefined()
        expect(await look(b, key)).toBeUndefined()
      }
    },
  )

  it.each([{ tag: 't' }, { match: { prefix: 'k' } }, { match: { prefix: '' }, tag: '\u0000' }])(
    'asks for what it has missed while the bus was lost: %j',
    async (target) => {
      const driver = memoryDriver()
      const [heard, lost] = [memoryBus(), memoryBus()]
      const [a, b] = [await started(driver, lost), await started(driver, heard)]
      const entry = entryOf(1, { tags: ['t'] })
      await set(a, 'k', entry)
      const [stored] = await driver.read(['test:k'])
      expect(await look(a, 'k')).toBe(1)
      lost.lose()
      await b.shared.invalidate(target, { sweep: false })
      // As a write would leave it that came after the sweep.
      const bytes = stored?.bytes ?? Buffer.alloc(0)
      await driver.write([{ key: 'test:k', bytes, stamp: 'late', ttlMs: 60_000 }])
      expect(await look(a, 'k')).toBeUndefined()
      lost.restore()
      await settled()
      expect(await look(a, 'k')).toBeUndefined()
    },
  )

  it('never lets be kept what was read or written while word of a change came', async () => {
    const [driver, bus] = [faulty(memoryDriver()), memoryBus()]
    const [a, b] = [await started(driver, bus), await started(driver, bus)]
    await set(a, 'k', entryOf(1))
    await settled()
    // So that the number is new, and a write goes out at once.
    await Promise.all([look(a, 'k'), look(b, 'k')])
    driver.slowMs = 30
    const reading = a.shared.read(['k'])
    const writing = b.shared.write([{ key: 'k', entry: entryOf(2), capture: undefined }])
    const text = new Messages('test', 'elsewhere').encode({ type: 'keys', keys: [['k', 'x']] }, 0)
    await bus.publish(text)
    const [[found], [kept]] = await Promise.all([reading, writing])
    expect(found?.entry?.value).toBe(1)
    expect(found?.entry?.generation).not.toBe(a.shared.generation)
    expect(kept?.generation).not.toBe(b.shared.generation)
  })

  it('stores what a factory made with tags that nobody knew before', async () => {
    const a = await started(memoryDriver(), memoryBus())
    const [found] = await a.shared.read(['k'])
    const entry = entryOf('made', { tags: ['new'] })
    const [kept] = await a.shared.write([{ key: 'k', entry, capture: found?.capture }])
    expect(kept?.stamp).toBeTypeOf('string')
    expect(await look(a, 'k')).toBe('made')
    await a.shared.invalidate({ tag: 'new' }, { sweep: false })
    expect(kept && a.shared.holds(kept)).toBe(false)
    expect(await look(a, 'k')).toBeUndefined()
  })

  it('believes what was begun before it listened, also with tags that nobody knew before', async () => {
    const [driver, bus] = [memoryDriver(), memoryBus()]
    const [a, b] = [await started(driver, bus), await started(driver, bus)]
    bus.lose()
    const [found] = await a.shared.read(['k'])
    bus.restore()
    await settled()
    const entry = entryOf('made', { tags: ['new'] })
    await a.shared.write([{ key: 'k', entry, capture: found?.capture }])
    expect([await look(a, 'k'), await look(b, 'k')]).toEqual(['made', 'made'])
    await b.shared.invalidate({ tag: 'new' }, { sweep: false })
    await settled()
    expect([await look(a, 'k'), await look(b, 'k')]).toEqual([undefined, undefined])
  })

  it('reads in one round trip while it hears the bus', async () => {
    const [driver, bus] = [faulty(memoryDriver()), memoryBus()]
    const [a, b] = [await started(driver, bus), await started(driver, bus)]
    await set(a, 'k', entryOf(1, { tags: ['x', 'y'] }))
    expect(await look(b, 'k')).toBe(1)
    driver.trips.length = 0
    expect(await look(b, 'k')).toBe(1)
    expect(driver.trips).toHaveLength(1)
    expect(driver.trips[0]).not.toContain('epochs')
  })

  it('reads in one round trip without a bus when it is told the tags, else in two', async () => {
    const driver = faulty(memoryDriver())
    const [a, b] = [await started(driver), await started(driver)]
    await set(a, 'k', entryOf(1, { tags: ['x', 'y'] }))
    await look(b, 'k')
    driver.trips.length = 0
    expect(await look(b, 'k', ['x', 'y'])).toBe(1)
    expect(driver.trips).toHaveLength(1)
    driver.trips.length = 0
    expect(await look(b, 'k', ['x'])).toBe(1)
    expect(driver.trips).toHaveLength(2)
    expect(driver.trips[1]).toEqual(['epochs'])
  })

  it('grows in generation when messages may have been missed, and with each look while they are', async () => {
    const bus = memoryBus()
    const { shared, events } = await started(memoryDriver(), bus)
    const before = shared.generation
    expect(shared.generation).toBe(before)
    bus.lose()
    const [first, second] = [shared.generation, shared.generation]
    expect(first).toBeGreaterThan(before)
    expect(second).toBeGreaterThan(first)
    bus.restore()
    await settled()
    const after = shared.generation
    expect(after).toBeGreaterThan(second)
    expect(shared.generation).toBe(after)
    expect(events).toEqual([{ type: 'bus_lost' }, { type: 'bus_back' }])
  })

  it('drops what others have changed, and keeps what it has read of that already', async () => {
    const [driver, bus] = [memoryDriver(), memoryBus()]
    const [a, b] = [await started(driver, bus), await started(driver, bus)]
    await set(a, 'k', entryOf(1))
    await set(b, 'k', entryOf(2))
    await settled()
    expect(a.tier.entries.has('k')).toBe(false)
    expect(b.tier.entries.get('k')?.value).toBe(2)
  })

  it('keeps what is too large to be shared to the first tier, and ends what was there', async () => {
    const [driver, bus] = [memoryDriver(), memoryBus()]
    const small = { maxValueBytes: 10 }
    const [a, b] = [await started(driver, bus, small), await started(driver, bus, small)]
    await set(a, 'k', entryOf('old'))
    const [kept] = await a.shared.write([
      { key: 'k', entry: entryOf('x'.repeat(99)), capture: undefined },
    ])
    expect(kept?.value).toBe('x'.repeat(99))
    expect(a.events).toEqual([{ type: 'not_shared', key: 'k', reason: 'too_large' }])
    expect(await look(b, 'k')).toBeUndefined()
  })

  it('says of what is set that it can’t be serialised, once the rest is stored', async () => {
    const a = await started(memoryDriver(), memoryBus())
    const items = [
      { key: 'a', entry: entryOf(1n), capture: undefined },
      { key: 'b', entry: entryOf(2), capture: undefined },
    ]
    await expect(a.shared.write(items)).rejects.toMatchObject({ code: 'unserializable' })
    expect(await look(a, 'b')).toBe(2)
    const [found] = await a.shared.read(['c'])
    const entry = entryOf(3n)
    const [kept] = await a.shared.write([{ key: 'c', entry, capture: found?.capture }])
    expect(kept?.value).toBe(3n)
  })

  it('takes what it can’t read for a miss', async () => {
    const driver = memoryDriver()
    const a = await started(driver)
    await set(a, 'k', entryOf(1))
    await driver.write([{ key: 'test:k', bytes: Buffer.from('?'), stamp: 's', ttlMs: 1_000 }])
    expect(await look(a, 'k')).toBeUndefined()
    expect(a.events).toContainEqual({ type: 'unreadable', key: 'k' })
  })

  it('answers with what is stale here when the second tier is slower than the soft timeout', async () => {
    const driver = faulty(memoryDriver())
    const a = await started(driver, undefined, { softTimeoutMs: 5 })
    a.tier.entries.set('k', entryOf('stale', { freshUntil: 0 }))
    driver.slowMs = 50
    const [found] = await a.shared.read(['k'])
    expect(found?.entry?.value).toBe('stale')
    expect(found?.capture.shared).toBe(false)
    expect(a.shared.shared).toBe(true)
  })

  it.each(['refuses', 'hangs', 'loses answers'] as const)(
    'goes on alone when the second tier %s, and does what it owes before it believes it again',
    async (mode) => {
      const [memory, bus] = [memoryDriver(), memoryBus()]
      const driver = faulty(memory)
      const quick = { hardTimeoutMs: 30, random: () => 0 }
      const [a, b] = [await started(driver, bus, quick), await started(memory, bus)]
      for (const key of ['gone', 'set', 'tagged', 'pre:1', 'others']) {
        await set(b, key, entryOf('old', { tags: [key] }))
      }
      expect(await look(a, 'gone')).toBe('old')
      driver.mode = mode
      expect(await look(a, 'gone')).toBeUndefined()
      expect(a.shared.shared).toBe(false)
      await a.shared.invalidate({ keys: ['gone'] }, { sweep: true })
      await a.shared.invalidate({ tag: 'tagged' }, { sweep: true })
      await a.shared.invalidate({ match: { prefix: 'pre:' } }, { sweep: true })
      await set(a, 'set', entryOf('new', { createdAt: Date.now() + 1 }))
      await set(a, 'others', entryOf('older', { createdAt: 1 }))
      driver.mode = 'good'
      await expect.poll(() => a.shared.shared, { timeout: 5_000 }).toBe(true)
      for (const node of [a, b]) {
        expect(await look(node, 'gone')).toBeUndefined()
        expect(await look(node, 'tagged')).toBeUndefined()
        expect(await look(node, 'pre:1')).toBeUndefined()
        expect(await look(node, 'set')).toBe('new')
        expect(await look(node, 'others')).toBe('old')
      }
      expect(a.tier.entries.has('others')).toBe(false)
      expect(a.events.map(({ type }) => type)).toContain('recovered')
      await a.shared.close()
    },
  )

  it('lets one lead, and wakes the others when it is done', async () => {
    const [driver, bus] = [memoryDriver(), memoryBus()]
    const [a, b] = [await started(driver, bus), await started(driver, bus)]
    const lease = await a.shared.lead('k', 10_000)
    expect(await b.shared.lead('k', 10_000)).toBeUndefined()
    let woken = false
    const waiting = b.shared.awaitLeader('k', 60_000).then(() => {
      woken = true
    })
    await settled()
    expect(woken).toBe(false)
    await lease?.release()
    await waiting
    expect(await b.shared.lead('k', 10_000)).toBeDefined()
  })
})
