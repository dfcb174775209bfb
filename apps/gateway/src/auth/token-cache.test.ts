import { describe, expect, it } from 'vitest'
import { TokenCache } from './token-cache.ts'

describe('TokenCache', () => {
  it('gives a value until its time, and not at it', () => {
    const clock = { now: 0 }
    const cache = new TokenCache<string>(10, () => clock.now)
    cache.set('a', 'value', 100)
    clock.now = 99
    expect(cache.get('a')).toBe('value')
    clock.now = 100
    expect(cache.get('a')).toBeUndefined()
    expect(cache.size).toBe(0)
  })

  it('forgets the one that was used longest ago', () => {
    const cache = new TokenCache<number>(2, () => 0)
    cache.set('a', 1, 1)
    cache.set('b', 2, 1)
    cache.get('a')
    cache.set('c', 3, 1)
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3])
    for (let at = 0; at < 1000; at += 1) cache.set(`more-${at}`, at, 1)
    expect(cache.size).toBe(2)
  })
})
