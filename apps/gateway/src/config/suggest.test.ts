import { describe, expect, it } from 'vitest'
import { suggest } from './suggest.ts'

describe('suggest', () => {
  it.each([
    ['opnai', ['openai', 'anthropic'], 'openai'],
    ['OPENAI', ['openai'], 'openai'],
    ['antropic', ['openai', 'anthropic'], 'anthropic'],
    ['xyz', ['openai', 'abc'], undefined],
    ['a', ['b'], undefined],
    ['x'.repeat(200), ['x'], undefined],
    ['x', [], undefined],
  ])('for %s of %j says %s', (written, candidates, expected) => {
    expect(suggest(written, candidates)).toBe(expected)
  })
})
