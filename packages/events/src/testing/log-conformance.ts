import assert from 'node:assert/strict'
import type { LogPage } from '../core/log.ts'
import { fill, type LogConformanceCase, logCase, texts } from './log-case.ts'
import { logTimeCases } from './log-time-cases.ts'

/** Follows until so many entries have come. */
async function take(pages: AsyncIterable<LogPage>, count: number): Promise<readonly string[]> {
  const taken: string[] = []
  for await (const page of pages) {
    assert.ok(page.entries.length > 0, 'a page of a tail is empty')
    assert.equal(page.gap, false, 'a tail that keeps up is told of a gap')
    taken.push(...texts(page))
    if (taken.length >= count) break
  }
  return taken
}

const isInvalid = { code: 'invalid_id' }

/**
 * What every log has to do, as cases for any test runner:
 * `for (const { name, run } of logConformance) it(name, () => run({ open }))`. A case opens one log, closes it,
 * and rejects with an `AssertionError` that says what is wrong.
 */
export const logConformance: readonly LogConformanceCase[] = [
  logCase('an empty log has nothing', async (log) => {
    assert.equal(await log.last(), undefined)
    assert.deepEqual(await log.read(), { entries: [], gap: false })
    assert.deepEqual(await log.read({ after: '5-5' }), { entries: [], gap: false })
  }),
  logCase('ids grow, and name entries in the order of their appends', async (log) => {
    const ids = await Promise.all(Array.from({ length: 50 }, (_, at) => log.append(`${at}`)))
    for (const id of ids) assert.match(id, /^\d+-\d+$/)
    const { entries, gap } = await log.read()
    assert.equal(gap, false)
    assert.deepEqual(
      entries.map(({ id }) => id),
      ids,
    )
    assert.deepEqual(
      texts({ entries, gap }),
      ids.map((_, at) => `${at}`),
    )
    const places = ids.map((id) => id.split('-').map(Number))
    for (const [at, [ms = 0, number = 0]] of places.entries()) {
      const [lastMs = 0, lastNumber = -1] = places[at - 1] ?? []
      assert.ok(ms > lastMs || (ms === lastMs && number > lastNumber), 'an id is not greater')
    }
    assert.equal(await log.last(), ids.at(-1))
  }),
  logCase('bytes of every value come back as they were', async (log) => {
    const all = Uint8Array.from({ length: 256 }, (_, at) => at)
    const large = new Uint8Array(300_000).fill(0xff)
    for (const data of [all, new Uint8Array(), large]) await log.append(data)
    await log.append('ünï ☃')
    const { entries } = await log.read()
    const [one, two, three, four] = entries.map(({ data }) => Buffer.from(data))
    assert.ok(one?.equals(all) && two?.length === 0 && three?.equals(large))
    assert.equal(four?.toString(), 'ünï ☃')
  }),
  logCase('a reader goes on after an id, in pages of its size', async (log) => {
    const ids = await fill(log, 10)
    const seen: string[] = []
    let after: string | undefined
    for (;;) {
      const page = await log.read({ after, limit: 3 })
      assert.equal(page.gap, false)
      assert.ok(page.entries.length <= 3)
      if (page.entries.length === 0) break
      seen.push(...page.entries.map(({ id }) => id))
      after = page.entries.at(-1)?.id
    }
    assert.deepEqual(seen, ids)
  }),
  logCase(
    'who comes with an id of another log is told that it may have missed some',
    async (log) => {
      const [after, later] = ['5-5', '99999999999999-0']
      for (const each of [after, later]) {
        assert.deepEqual(await log.read({ after: each }), { entries: [], gap: false })
      }
      await fill(log, 3)
      for (const each of [after, later]) {
        const page = await log.read({ after: each })
        assert.deepEqual(texts(page), ['0', '1', '2'])
        assert.equal(page.gap, true, `the gap after ${each}`)
      }
      assert.equal((await log.read({ after: '0-0' })).gap, false, 'nothing was before the first')
    },
  ),
  logCase('a tail beyond the newest entry goes on, and is told', async (log, signal) => {
    const pages = log.tail({ after: '99999999999999-0', signal })[Symbol.asyncIterator]()
    await fill(log, 1)
    const { value, done } = await pages.next()
    assert.ok(!done && value.gap)
    assert.deepEqual(texts(value), ['0'])
    const next = pages.next()
    await log.append('more')
    const second = await next
    assert.ok(!second.done && !second.value.gap)
    assert.deepEqual(texts(second.value), ['more'])
  }),
  logCase('what is no id, or no limit, is refused', async (log) => {
    for (const after of ['', '5', '-1-0', '1-2-3', '$', 'x-1', '18446744073709551616-0']) {
      await assert.rejects(log.read({ after }), isInvalid)
      assert.throws(() => log.tail({ after }), isInvalid)
    }
    await assert.rejects(log.read({ limit: 0 }), { code: 'invalid_option' })
  }),
  logCase(
    'no more entries are kept than were wanted, and who missed some is told',
    async (log) => {
      const ids = await fill(log, 9)
      const kept = await log.read()
      assert.deepEqual(
        kept.entries.map(({ id }) => id),
        ids.slice(5),
      )
      assert.equal(kept.gap, false, 'who reads from the oldest has missed nothing')
      for (const [at, after] of ids.entries()) {
        const page = await log.read({ after })
        assert.deepEqual(
          page.entries.map(({ id }) => id),
          ids.slice(Math.max(at + 1, 5)),
        )
        assert.equal(page.gap, at < 4, `the gap after entry ${at} of 9 with 4 kept`)
      }
      assert.equal((await log.read({ after: '0-0' })).gap, true)
    },
    { maxEntries: 4 },
  ),
  logCase('a tail has what comes, from the end unless told otherwise', async (log, signal) => {
    const ids = await fill(log, 3)
    const [ended, started, resumed] = [
      take(log.tail({ signal }), 2),
      take(log.tail({ after: 'start', signal }), 5),
      take(log.tail({ after: ids[1], signal }), 3),
    ]
    // A log over a network may take until now to learn where its end is.
    await log.read()
    await log.append('new')
    await log.append('newer')
    assert.deepEqual(await ended, ['new', 'newer'])
    assert.deepEqual(await started, ['0', '1', '2', 'new', 'newer'])
    assert.deepEqual(await resumed, ['2', 'new', 'newer'])
  }),
  logCase('a tail ends with its signal, without an error', async (log) => {
    const over = new AbortController()
    const taken = take(log.tail({ after: 'start', signal: over.signal }), 2)
    await log.append('only')
    setImmediate(() => over.abort())
    assert.ok((await taken).length <= 1)
    for await (const _ of log.tail({ after: 'start', signal: over.signal })) assert.fail('a page')
  }),
  logCase('several tails have everything, also while others append', async (log, signal) => {
    const tails = Array.from({ length: 5 }, () => take(log.tail({ after: 'start', signal }), 200))
    const ids = await Promise.all(
      Array.from({ length: 4 }, async (_, who) => {
        for (let at = 0; at < 50; at += 1) await log.append(`${who}:${at}`)
      }),
    )
    assert.equal(ids.length, 4)
    const [first, ...others] = await Promise.all(tails)
    assert.equal(new Set(first).size, 200)
    for (const other of others) assert.deepEqual(other, first)
    for (let who = 0; who < 4; who += 1) {
      const own = first?.filter((text) => text.startsWith(`${who}:`))
      assert.deepEqual(
        own,
        Array.from({ length: 50 }, (_, at) => `${who}:${at}`),
      )
    }
  }),
  logCase(
    'a slow tail is told of what it missed, and goes on',
    async (log, signal) => {
      const pages = log.tail({ after: 'start', signal })[Symbol.asyncIterator]()
      await log.append('first')
      const first = await pages.next()
      assert.deepEqual(first.done ? [] : texts(first.value), ['first'])
      await fill(log, 20)
      const second = await pages.next()
      assert.ok(!second.done && second.value.gap)
      assert.deepEqual(texts(second.value), ['16', '17', '18', '19'])
      await log.append('last')
      const third = await pages.next()
      assert.ok(!third.done && !third.value.gap)
      assert.deepEqual(texts(third.value), ['last'])
    },
    { maxEntries: 4 },
  ),
  logCase('closing ends what follows, and refuses what comes later', async (log) => {
    const taken = take(log.tail(), 1)
    await log.read()
    await log.close()
    assert.deepEqual(await taken, [])
    await assert.rejects(log.append('late'), { code: 'closed' })
    await assert.rejects(log.read(), { code: 'closed' })
    await assert.rejects(log.count(), { code: 'closed' })
  }),
  ...logTimeCases,
]
