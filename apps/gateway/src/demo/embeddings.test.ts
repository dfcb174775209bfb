import { describe, expect, it } from 'vitest'
import { vectorOf } from './embeddings.ts'

function similarity(a: string, b: string): number {
  const [left, right] = [vectorOf(a, 256), vectorOf(b, 256)]
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0)
}

describe('vectorOf', () => {
  it('is the same for the same words, whatever their order and case', () => {
    expect(vectorOf('The tide gate', 64)).toEqual(vectorOf('gate THE tide', 64))
  })

  it('puts texts that share words nearer than texts that share none', () => {
    expect(similarity('open the gate', 'close the gate')).toBeGreaterThan(
      similarity('open the gate', 'seven purple whales'),
    )
  })

  it.each(['!!!', ' ', '潮門', 'é'])('has length 1 for %j', (text) => {
    expect(Math.hypot(...vectorOf(text, 16))).toBeCloseTo(1, 5)
  })

  it('keeps to one slot when there is one', () => {
    expect([...vectorOf([5, 6], 1)]).toEqual([1])
  })
})
