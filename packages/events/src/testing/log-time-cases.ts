import assert from 'node:assert/strict'
import type { EventLog } from '../core/log.ts'
import { type LogConformanceCase, logCase, texts, until } from './log-case.ts'

const timeOf = (id: string) => Number(id.split('-')[0])

/** Appends until entries are of so many times. */
async function spread(log: EventLog, times: number): Promise<readonly string[]> {
  const ids: string[] = []
  await until(async () => {
    ids.push(await log.append(`${ids.length}`), await log.append(`${ids.length + 1}`))
    return new Set(ids.map(timeOf)).size >= times
  }, 'ids do not tell the time')
  return ids
}

/** Appends until what is new is seen before it is too old. */
async function appended(log: EventLog, isSeen: () => Promise<boolean>): Promise<void> {
  await until(async () => {
    await log.append('new')
    return await isSeen()
  }, 'what is new is never seen')
}

const aged = (log: EventLog) =>
  until(async () => (await log.count()) === 0, 'what is too old is still there')

const windows: readonly LogConformanceCase[] = [
  logCase('a window has the entries of its time, and counts them', async (log) => {
    const ids = await spread(log, 4)
    const times = [...new Set(ids.map(timeOf))]
    const points = [0, ...times, (times.at(-1) ?? 0) + 1]
    for (const from of points) {
      for (const to of points) {
        const within = ids.filter((id) => timeOf(id) >= from && timeOf(id) < to)
        const page = await log.read({ from, to })
        assert.deepEqual(
          page.entries.map(({ id }) => id),
          within,
        )
        assert.equal(page.gap, false, 'nothing is gone')
        assert.equal(await log.count({ from, to }), within.length)
      }
      const since = ids.filter((id) => timeOf(id) >= from)
      assert.equal((await log.read({ from })).entries.length, since.length)
      assert.equal(await log.count({ from }), since.length)
      assert.equal(await log.count({ to: from }), ids.length - since.length)
    }
    assert.equal(await log.count(), ids.length)
  }),
  logCase('a window is read in pages', async (log) => {
    const ids = await spread(log, 4)
    const [from = 0, to = 0] = [ids[2], ids.at(-1)].map((id) => timeOf(id ?? ''))
    const seen: string[] = []
    let after: string | undefined
    for (;;) {
      const { entries, gap } = await log.read({ after, from, to, limit: 2 })
      assert.equal(gap, false)
      if (entries.length === 0) break
      assert.ok(entries.length <= 2)
      seen.push(...entries.map(({ id }) => id))
      after = entries.at(-1)?.id
    }
    assert.deepEqual(
      seen,
      ids.filter((id) => timeOf(id) >= from && timeOf(id) < to),
    )
    assert.deepEqual((await log.read({ after: ids.at(-1), from })).entries, [])
  }),
  logCase('a window that goes back from now moves on', async (log) => {
    const [id = ''] = await spread(log, 2)
    const all = await log.count()
    assert.equal(await log.count({ lastMs: 3_600_000 }), all)
    assert.equal((await log.read({ lastMs: 3_600_000, limit: 1 })).entries[0]?.id, id)
    await until(async () => (await log.count({ lastMs: 20 })) === 0, 'it does not move on')
    const { entries, gap } = await log.read({ lastMs: 20 })
    assert.deepEqual([entries, gap], [[], false])
    const from = timeOf(id) + 1
    const later = await log.count({ from })
    assert.equal(await log.count({ from, lastMs: 3_600_000 }), later)
    assert.equal(await log.count({ lastMs: Date.now() * 2 }), all)
  }),
  logCase('an empty log has nothing in any window', async (log) => {
    for (const window of [{}, { from: 0 }, { to: 5 }, { lastMs: 1_000 }, { from: 5, to: 1 }]) {
      assert.equal(await log.count(window), 0)
      assert.deepEqual(await log.read(window), { entries: [], gap: false })
    }
  }),
  logCase(
    'a window of which entries are gone says so',
    async (log) => {
      const ids = await spread(log, 6)
      const [first = '', third = ''] = [ids[0], ids.at(-2)]
      const [from, kept] = [timeOf(first), timeOf(third) + 1]
      assert.deepEqual((await log.read({ from })).entries.length, 3)
      assert.equal((await log.read({ from })).gap, true)
      assert.equal((await log.read({ from: 0 })).gap, true)
      assert.equal((await log.read({ from, to: from + 1 })).gap, true, 'all of it is gone')
      assert.deepEqual((await log.read({ from, to: from + 1 })).entries, [])
      assert.equal((await log.read({ from: kept })).gap, false)
      assert.equal((await log.read({ from, after: ids.at(-2) })).gap, false, 'it was had')
      assert.equal((await log.read()).gap, false)
      assert.equal(await log.count({ from }), 3)
    },
    { maxEntries: 3 },
  ),
  logCase('what is no window is refused', async (log) => {
    for (const window of [{ from: -1 }, { to: 1.5 }, { lastMs: Number.NaN }, { from: Infinity }]) {
      await assert.rejects(log.read(window), { code: 'invalid_option' })
      await assert.rejects(log.count(window), { code: 'invalid_option' })
    }
  }),
]

const retention: readonly LogConformanceCase[] = [
  logCase(
    'what is too old is gone, and who missed some is told',
    async (log) => {
      const [missed, had] = [await log.append('missed'), await log.append('had')]
      await aged(log)
      assert.deepEqual(await log.read(), { entries: [], gap: false })
      assert.equal((await log.read({ from: timeOf(missed) })).gap, true)
      assert.equal((await log.read({ from: timeOf(had) + 1 })).gap, false)
      assert.equal(await log.count({ from: 0 }), 0)
      assert.equal(await log.last(), had, 'the newest id is known')
      await appended(log, async () => {
        const { entries, gap } = await log.read({ after: missed })
        if (entries.length > 0) assert.equal(gap, true)
        return entries.length > 0
      })
    },
    { maxAgeMs: 150 },
  ),
  logCase(
    'who has had everything has no gap, however long nothing came',
    async (log) => {
      let had = await log.append('had')
      await aged(log)
      await until(async () => {
        const id = await log.append('next')
        const { entries, gap } = await log.read({ after: had })
        had = id
        if (entries.length === 0) return false
        assert.deepEqual([entries.length, entries[0]?.id, gap], [1, id, false])
        return true
      }, 'what is new is never seen')
    },
    { maxAgeMs: 150 },
  ),
  logCase(
    'a slow tail is told of what has grown too old',
    async (log, signal) => {
      const pages = log.tail({ after: 'start', signal })[Symbol.asyncIterator]()
      const first = pages.next()
      await appended(log, () => Promise.race([first.then(() => true), settled()]))
      await log.append('missed')
      await aged(log)
      const next = pages.next()
      await appended(log, () => Promise.race([next.then(() => true), settled()]))
      const { value, done } = await next
      assert.ok(!done && value.gap, 'it is not told')
      assert.ok(!texts(value).includes('missed'))
    },
    { maxAgeMs: 150 },
  ),
]

/** Says no, once what is ready has had its turn. */
async function settled(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, 20)
  await promise
  return false
}

/** What every log has to do with time. */
export const logTimeCases: readonly LogConformanceCase[] = [...windows, ...retention]
