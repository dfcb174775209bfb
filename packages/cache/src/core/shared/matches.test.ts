import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matcher } from '../match.ts'
import { Matches } from './matches.ts'

const stored = (bytes: Uint8Array, stamp = 's') => ({ stamp, bytes })

describe('Matches', () => {
  it('refuses what was begun before its key was invalidated by its form', () => {
    const matches = new Matches(() => 0)
    matches.add({ match: { prefix: 'a:' }, seq: 10, until: 100 })
    matches.add({ match: { pattern: '*:z' }, seq: 20, until: 100 })
    expect(matches.holds('a:1', 9)).toBe(false)
    expect(matches.holds('a:1', 10)).toBe(true)
    expect(matches.holds('b:z', 19)).toBe(false)
    expect(matches.holds('b:y', 0)).toBe(true)
  })

  it('reads what another one has written, and forgets what nobody can be making any more', () => {
    let now = 0
    const [one, other] = [new Matches(() => now), new Matches(() => now)]
    one.add({ match: { prefix: 'a' }, seq: 10, until: 100 })
    other.learn(stored(one.encode()))
    expect(other.holds('a', 9)).toBe(false)
    now = 100
    other.add({ match: { prefix: 'b' }, seq: 11, until: 200 })
    expect(other.holds('a', 9)).toBe(true)
    expect(JSON.parse(Buffer.from(other.encode()).toString()).records).toHaveLength(1)
  })

  it('refuses more rather than less when there are too many', () => {
    const prefixes = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }), {
      minLength: 200,
      maxLength: 400,
    })
    fc.assert(
      fc.property(prefixes, fc.string({ unit: fc.constantFrom('a', 'b') }), (all, key) => {
        const matches = new Matches(() => 0)
        const records = all.map((prefix, seq) => ({ match: { prefix }, seq, until: 1 }))
        for (const record of records) matches.add(record)
        const parsed: { records: unknown[] } = JSON.parse(Buffer.from(matches.encode()).toString())
        expect(parsed.records.length).toBeLessThanOrEqual(129)
        for (const { match, seq } of records) {
          if (matcher(match)(key)) expect(matches.holds(key, seq - 1)).toBe(false)
        }
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    'nothing',
    '{"v":2,"records":[{"prefix":"","seq":9,"until":9}]}',
    '{"v":1,"records":[{"prefix":7,"seq":9,"until":9},null,{"pattern":"","until":9}]}',
    '[]',
  ])('takes %s for nothing', (text) => {
    const matches = new Matches(() => 0)
    matches.learn(stored(Buffer.from(text)))
    expect(matches.holds('', 0)).toBe(true)
  })
})
