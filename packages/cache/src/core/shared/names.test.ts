import { describe, expect, it } from 'vitest'
import { matcher } from '../match.ts'
import { Names } from './names.ts'

describe('Names', () => {
  it('keeps caches apart, whatever they are called', () => {
    const names = ['a', 'a:', 'a:b', 'a*', 'a\u0000matches', '%', 'a%3A', ''].map(
      (cache) => new Names(cache),
    )
    const keys = names.flatMap((one) => [one.records, one.of('b:c'), one.of('c'), one.of('')])
    expect(new Set(keys).size).toBe(keys.length)
    for (const one of names) {
      const isMeant = [matcher(one.match({ prefix: '' })), matcher(one.match({ pattern: '*' }))]
      const meant = keys.filter((key) => isMeant.some((is) => is(key)))
      expect(meant).toEqual([one.of('b:c'), one.of('c'), one.of('')])
    }
  })

  it('gives keys back as they were', () => {
    const names = new Names('a:b')
    expect(names.keyOf(names.of('k:*\u0000'))).toBe('k:*\u0000')
  })
})
