import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logConformance } from '../testing/log-conformance.ts'
import { memoryLog } from './memory-log.ts'

describe('memoryLog conforms', () => {
  for (const { name, run } of logConformance) {
    it(name, () => run({ open: memoryLog }))
  }
})

describe('memoryLog', () => {
  it('makes ids of its clock, also when that steps back', async () => {
    let clock = 7_000
    const log = memoryLog({ now: () => clock })
    const ids = [await log.append('a'), await log.append('b')]
    clock = 6_000
    ids.push(await log.append('c'))
    clock = 8_000
    ids.push(await log.append('d'))
    expect(ids).toEqual(['7000-0', '7000-1', '7000-2', '8000-0'])
  })

  it('keeps no more bytes than it may', async () => {
    const log = memoryLog({ maxBytes: 100 })
    for (let at = 0; at < 50; at += 1) await log.append(new Uint8Array(30))
    expect((await log.read()).entries).toHaveLength(3)
    await expect(log.append(new Uint8Array(101))).rejects.toMatchObject({ code: 'too_large' })
    expect((await log.read()).entries).toHaveLength(3)
  })

  it('refuses what it cannot be made of', () => {
    for (const options of [{ maxEntries: 0 }, { maxBytes: 1.5 }, { maxEntries: Number.NaN }]) {
      expect(() => memoryLog(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
    }
  })

  it('gives every reader what is kept after its id, or tells of the gap', async () => {
    const step = fc.record({
      appends: fc.nat(600),
      read: fc.nat(20),
      limit: fc.integer({ min: 1, max: 50 }),
    })
    const options = fc.record({ maxEntries: fc.integer({ min: 1, max: 700 }) })
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(step, { maxLength: 12 }),
        async ({ maxEntries }, steps) => {
          const log = memoryLog({ maxEntries, now: () => 1 })
          const ids: string[] = []
          for (const { appends, read, limit } of steps) {
            for (let at = 0; at < appends; at += 1) ids.push(await log.append(''))
            const kept = Math.max(0, ids.length - maxEntries)
            const from = Math.max(0, Math.min(ids.length - 1, kept - 10 + read))
            const page = await log.read({ after: ids[from], limit })
            if (ids.length === 0) expect(page.entries).toEqual([])
            else {
              const there = ids.slice(Math.max(from + 1, kept))
              expect(page.entries.map(({ id }) => id)).toEqual(there.slice(0, limit))
              expect(page.gap).toBe(from + 1 < kept)
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
