import { describe, expect, it } from 'vitest'
import { NO_WISHES, wishesOf } from './cache-control.ts'
import { standingOf } from './freshness.ts'

const terms = { freshMs: 60_000, staleMs: 10_000, errorMs: 30_000 }

function standing(seconds: number, wishes?: string, initialAgeMs = 0) {
  const wished = wishes === undefined ? NO_WISHES : wishesOf(wishes)
  return standingOf({ terms, initialAgeMs }, seconds * 1000, wished)
}

describe('standingOf', () => {
  it('is fresh, stale, a spare and nothing, in this order', () => {
    const at = [0, 60, 61, 70, 71, 90, 91].map((seconds) => standing(seconds))
    expect(at).toEqual(['fresh', 'fresh', 'stale', 'stale', 'spare', 'spare', 'no'])
  })

  it('is nothing for who wants no kept one', () => {
    expect(standing(0, 'no-cache')).toBe('no')
    expect(standing(70, 'max-age=0')).toBe('no')
  })

  it('is too old for who wants a younger one, by all of its age', () => {
    expect(standing(20, 'max-age=20')).toBe('fresh')
    expect(standing(21, 'max-age=20')).toBe('spare')
    expect(standing(11, 'max-age=20', 10_000)).toBe('spare')
  })

  it('is not fresh enough for who wants it to last', () => {
    expect(standing(50, 'min-fresh=10')).toBe('fresh')
    expect(standing(51, 'min-fresh=10')).toBe('spare')
    expect(standing(51, 'min-fresh=soon')).toBe('spare')
  })

  it('is welcome to who takes it out of its time', () => {
    expect(standing(80, 'max-stale')).toBe('welcome')
    expect(standing(80, 'max-stale=20')).toBe('welcome')
    expect(standing(81, 'max-stale=20')).toBe('spare')
    expect(standing(65, 'max-stale')).toBe('stale')
  })
})
