import { describe, expect, it } from 'vitest'
import { placeAt, placeOfId } from './log-id.ts'
import { hasGap, spanOf } from './time-window.ts'

describe('spanOf', () => {
  it('begins with the later of what bounds it, by the clock it is given', () => {
    expect(spanOf({}, 9)).toEqual({ first: undefined, end: undefined })
    expect(spanOf({ from: 5, to: 8 }, 9)).toEqual({ first: placeAt(5), end: placeAt(8) })
    expect(spanOf({ lastMs: 3 }, 9)).toEqual({ first: placeAt(6), end: undefined })
    expect(spanOf({ lastMs: 3, from: 7 }, 9).first).toBe(placeAt(7))
    expect(spanOf({ lastMs: 3, from: 5 }, 9).first).toBe(placeAt(6))
    expect(spanOf({ lastMs: 30 }, 9).first).toBe(placeOfId('0-1'))
  })
})

describe('hasGap', () => {
  const [first, next] = [placeOfId('5-0'), placeOfId('5-1')]

  it('says of a window whether the newest entry that is gone was in it', () => {
    for (const isEmpty of [true, false]) {
      const page = { after: undefined, first, isEmpty }
      expect(hasGap({ ...page, before: first - 1n })).toBe(false)
      expect(hasGap({ ...page, before: first })).toBe(true)
    }
  })

  it('goes by the point once that is in the window', () => {
    const page = { first, isEmpty: false }
    expect(hasGap({ ...page, after: first, before: first })).toBe(false)
    expect(hasGap({ ...page, after: first, before: next })).toBe(true)
    expect(hasGap({ ...page, after: next, before: first })).toBe(true)
    expect(hasGap({ ...page, after: first - 1n, before: first - 2n })).toBe(false)
    expect(hasGap({ ...page, after: first, before: next, isEmpty: true })).toBe(false)
  })

  it('says nothing of who neither has a point nor a window', () => {
    expect(hasGap({ after: undefined, first: undefined, before: next, isEmpty: false })).toBe(false)
  })
})
