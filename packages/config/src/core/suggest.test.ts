import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, suggest } from './suggest.ts'

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['timeout', 'timeuot', 1],
    ['kitten', 'sitting', 3],
    ['REDIS_URI', 'REDIS_URL', 1],
  ])('counts the edits from %j to %j', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance)
  })

  it('is symmetric, zero for equals only, and no longer than the longer text', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, (one, other) => {
        const distance = editDistance(one, other)
        expect(editDistance(other, one)).toBe(distance)
        expect(distance === 0).toBe(one === other)
        expect(distance).toBeLessThanOrEqual(Math.max(one.length, other.length))
      }),
    )
  })

  it('says no more than that a limit is passed', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, fc.nat(4), (one, other, limit) => {
        expect(editDistance(one, other, limit)).toBe(Math.min(editDistance(one, other), limit + 1))
      }),
    )
  })
})

describe('suggest', () => {
  it.each([
    ['timeotus', ['retry', 'timeouts'], 'timeouts'],
    ['INFO', ['debug', 'info'], 'info'],
    ['prod', ['development', 'production'], 'production'],
    ['rul', ['url', 'key'], 'url'],
    ['banana', ['url', 'key'], undefined],
    ['ab', ['cd', 'x'], undefined],
    ['x'.repeat(1000), ['x'.repeat(999)], undefined],
  ])('for %s out of %j is %j', (written, candidates, suggestion) => {
    expect(suggest(written, candidates)).toBe(suggestion)
  })
})
