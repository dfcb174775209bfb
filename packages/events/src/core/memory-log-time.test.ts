import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryLog } from './memory-log.ts'

describe('the time of memoryLog', () => {
  it('lets go of an entry once it is older than it may be, also when nothing is appended', async () => {
    let clock = 1_000
    const log = memoryLog({ maxAgeMs: 100, now: () => clock })
    const first = await log.append('a')
    clock = 1_050
    await log.append('b')
    clock = 1_100
    expect(await log.count()).toBe(2)
    clock = 1_101
    expect(await log.read({ after: '0-0' })).toMatchObject({ gap: true, entries: [{}] })
    expect(await log.read({ after: first })).toMatchObject({ gap: false, entries: [{}] })
    clock = 5_000
    expect(await log.read()).toEqual({ entries: [], gap: false })
    expect(await log.last()).toBe('1050-0')
  })

  it('does not step back with its source', async () => {
    let clock = 10_000
    const log = memoryLog({ maxAgeMs: 1_000, now: () => clock })
    await log.append('a')
    clock = 2_000
    await log.append('b')
    expect(await log.count()).toBe(2)
    expect(await log.count({ lastMs: 0 })).toBe(2)
    expect(await log.count({ lastMs: 5_000, to: 9_000 })).toBe(0)
  })

  it('gives what a list of all entries gives, for any window, and tells when it cannot', async () => {
    const time = fc.nat(60)
    const maybe = fc.option(time, { nil: undefined })
    const step = fc.oneof(
      fc.record({ pass: fc.nat(15), appends: fc.nat(20) }),
      fc.record({ from: maybe, to: maybe, lastMs: maybe, at: maybe, limit: fc.nat(30) }),
    )
    const bounds = fc.record({
      maxEntries: fc.integer({ min: 1, max: 60 }),
      maxAgeMs: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(bounds, fc.array(step, { maxLength: 25 }), async (bound, steps) => {
        let clock = 0
        const log = memoryLog({ ...bound, now: () => clock })
        const all: { readonly id: string; readonly at: number }[] = []
        let gone = 0
        const settle = () => {
          const { maxEntries, maxAgeMs = Number.POSITIVE_INFINITY } = bound
          const fits = (at: number) =>
            (all[at]?.at ?? 0) >= clock - maxAgeMs && all.length - at <= maxEntries
          while (gone < all.length && !fits(gone)) gone += 1
        }
        for (const each of steps) {
          if ('pass' in each) {
            clock += each.pass
            for (let n = 0; n < each.appends; n += 1) {
              all.push({ id: await log.append(''), at: clock })
              settle()
            }
            continue
          }
          const { limit, at, ...window } = each
          settle()
          const since = Math.max(
            window.from ?? 0,
            window.lastMs === undefined ? 0 : clock - window.lastMs,
          )
          const within = (entry: { readonly at: number }) =>
            entry.at >= since && entry.at < (window.to ?? Number.POSITIVE_INFINITY)
          const after = at === undefined ? undefined : all[at]
          const wanted = all.slice(at === undefined || after === undefined ? 0 : at + 1)
          const there = wanted.filter((entry) => within(entry) && all.indexOf(entry) >= gone)
          const page = await log.read({ ...window, after: after?.id, limit: limit + 1 })
          expect(page.entries.map(({ id }) => id)).toEqual(
            there.slice(0, limit + 1).map(({ id }) => id),
          )
          expect(await log.count(window)).toBe(all.slice(gone).filter(within).length)
          const isAsked = after !== undefined || (window.from ?? window.lastMs) !== undefined
          const lost = wanted.some((entry) => within(entry) && all.indexOf(entry) < gone)
          if (lost && isAsked && (there.length > 0 || after === undefined)) {
            expect(page.gap).toBe(true)
          }
          const mayLack = wanted.some((entry) => entry.at >= since && all.indexOf(entry) < gone)
          if (!mayLack) expect(page.gap).toBe(false)
        }
      }),
      { numRuns: 200 },
    )
  })
})
