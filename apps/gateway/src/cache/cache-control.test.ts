import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerTerms, NO_WISHES, wishesOf } from './cache-control.ts'

const never = Number.POSITIVE_INFINITY

describe('wishesOf', () => {
  it.each([
    ['no-cache', { noCache: true }],
    ['No-Store', { noStore: true }],
    ['only-if-cached', { onlyIfCached: true }],
    ['max-age=60', { maxAgeMs: 60_000 }],
    ['max-age=0', { noCache: true, maxAgeMs: 0 }],
    ['max-age="60"', { maxAgeMs: 60_000 }],
    ['min-fresh=10', { minFreshMs: 10_000 }],
    ['max-stale', { maxStaleMs: never }],
    ['max-stale=10', { maxStaleMs: 10_000 }],
    [
      'max-age=60,  max-stale=5 , only-if-cached',
      { maxAgeMs: 60_000, maxStaleMs: 5_000, onlyIfCached: true },
    ],
    ['community="UCI, no-store", no-cache', { noCache: true }],
    ['unknown, x=y', {}],
    ['', {}],
  ])('reads %j', (text, expected) => {
    expect(wishesOf(text)).toEqual({ ...NO_WISHES, ...expected })
  })

  it.each(['max-age=soon', 'max-age', 'max-age=-1', 'max-age=60, max-age=600'])(
    'takes %j for as strict as can be',
    (text) => {
      expect(wishesOf(text)).toMatchObject({ noCache: true, maxAgeMs: 0 })
    },
  )

  it('takes a freshness that is no number for one that nothing has', () => {
    expect(wishesOf('min-fresh=x').minFreshMs).toBe(never)
    expect(wishesOf('max-stale=x').maxStaleMs).toBe(0)
  })

  it('reads Pragma only where there is no Cache-Control', () => {
    expect(wishesOf(undefined, 'no-cache').noCache).toBe(true)
    expect(wishesOf('max-stale', 'no-cache').noCache).toBe(false)
    expect(wishesOf(undefined, 'other')).toBe(NO_WISHES)
    expect(wishesOf(undefined)).toBe(NO_WISHES)
  })

  it('reads anything', () => {
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => void wishesOf(text)))
    expect(wishesOf(`${'"'.repeat(100_000)}`)).toEqual(NO_WISHES)
    expect(wishesOf(`${'x=1, '.repeat(3_000)}no-store`).noStore).toBe(true)
  })
})

describe('answerTerms', () => {
  it.each([
    ['no-store', { noStore: true }],
    ['no-cache, must-revalidate', { noCache: true, mustRevalidate: true }],
    ['private="x-a", proxy-revalidate', { private: true, mustRevalidate: true }],
    ['public, max-age=60, s-maxage=600', { maxAgeMs: 60_000, sharedMaxAgeMs: 600_000 }],
    ['max-age=60, max-age=600', { maxAgeMs: 0 }],
    [undefined, {}],
  ])('reads %j', (text, expected) => {
    expect(answerTerms(text)).toEqual({
      ...{ noStore: false, noCache: false, private: false, mustRevalidate: false },
      ...{ maxAgeMs: undefined, sharedMaxAgeMs: undefined },
      ...expected,
    })
  })
})
