import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapePattern, matcher } from './match.ts'

describe('matcher', () => {
  it.each([
    ['*', '', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a*c*e', 'abcde', true],
    ['a*c*e', 'abcd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['[a]', '[a]', true],
    ['a\nb*', 'a\nbc', true],
    ['', 'a', false],
  ])('%j on %j: %j', (pattern, key, matches) => {
    expect(matcher({ pattern })(key)).toBe(matches)
  })

  it('takes an escaped text for itself, and nothing else', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, other) => {
        const matches = matcher({ pattern: escapePattern(text) })
        expect(matches(text)).toBe(true)
        expect(matches(other)).toBe(other === text)
      }),
    )
  })

  it('isn’t slow on a hostile pattern', () => {
    const steps = matcher({ pattern: `${'*a'.repeat(200)}b` })
    expect(steps('a'.repeat(5_000))).toBe(false)
  })
})
