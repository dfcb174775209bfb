import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkScopes, hasScope, isScope } from './scopes.ts'

const word = fc.constantFrom('a', 'b', 'ab', 'configs')

/** Any UTF-16, lone surrogates and NUL among it. */
const utf16 = (maxLength: number) =>
  fc.array(fc.nat(0xffff), { maxLength }).map((codes) => String.fromCharCode(...codes))
const plain = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(':'))
const scope = fc.oneof(
  plain,
  plain.map((text) => `${text}:*`),
  fc.constant('*'),
)

describe('hasScope', () => {
  it.each([
    ['configs:read', 'configs:read'],
    ['configs:*', 'configs:read'],
    ['configs:*', 'configs:eu:read'],
    ['configs:eu:*', 'configs:eu:read'],
    ['*', 'configs:read'],
    ['*', 'admin'],
    ['configs:*', 'configs:*'],
    ['configs:*', 'configs:eu:*'],
    ['*', '*'],
  ])('%s covers %s', (granted, wanted) => {
    expect(hasScope([granted], wanted)).toBe(true)
  })

  it.each([
    ['configs:read', 'configs:write'],
    ['configs:read', 'configs:read:all'],
    ['configs:read', 'configs:reader'],
    ['configs', 'configs:read'],
    ['configs:*', 'configs'],
    ['configs:*', 'configs-old:read'],
    ['configs:*', 'configsread'],
    ['configs:*', '*'],
    ['configs:read', 'configs:*'],
    ['con*', 'configs'],
    ['*:read', 'configs:read'],
    ['configs:*:read', 'configs:eu:read'],
    ['configs:**', 'configs:eu:read'],
    ['Configs:read', 'configs:read'],
    ['configs:*', 'configs:'],
    ['configs:*', 'configs:a b'],
    ['configs:*', 'configs:é'],
    ['*', ''],
    ['', ''],
    ['*', 'a\0'],
    ['*', 'a\n'],
    ['*', 'a'.repeat(201)],
  ])('%s does not cover %s', (granted, wanted) => {
    expect(hasScope([granted], wanted)).toBe(false)
  })

  it('looks through all that is granted', () => {
    expect(hasScope([], 'configs:read')).toBe(false)
    expect(hasScope(['keys:read', 'configs:*'], 'configs:read')).toBe(true)
  })

  it('covers itself, and what is covered by what it covers', () => {
    fc.assert(
      fc.property(scope, scope, scope, (a, b, c) => {
        expect(hasScope([a], a)).toBe(true)
        if (hasScope([a], b) && hasScope([b], c)) expect(hasScope([a], c)).toBe(true)
        if (hasScope([a], b) && hasScope([b], a)) expect(a).toBe(b)
      }),
    )
  })

  it('never throws, whatever is wanted or granted', () => {
    fc.assert(
      fc.property(fc.array(utf16(10)), fc.anything({ maxDepth: 1 }), (granted, wanted) => {
        expect(typeof hasScope(granted, wanted as string)).toBe('boolean')
      }),
    )
  })
})

describe('isScope', () => {
  it('answers soon to a long text', () => {
    expect(isScope(`${'a:'.repeat(100_000)}!`)).toBe(false)
    expect(isScope(`${'a'.repeat(198)}:*`)).toBe(true)
  })
})

describe('checkScopes', () => {
  it('keeps each once, in order', () => {
    expect(checkScopes(['b', 'a', 'b'])).toEqual(['b', 'a'])
  })

  it('says which one is wrong, and not more than its start', () => {
    expect(() => checkScopes(['a', 'b c'])).toThrow(/"b c" is no scope/)
    const error = (() => {
      try {
        return checkScopes(['!'.repeat(10_000)])
      } catch (caught) {
        return caught
      }
    })()
    expect(String(error).length).toBeLessThan(500)
  })
})
