import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Transitions } from './transitions.ts'

function learned(pairs: readonly (readonly [string, string])[], maxKeys = 100): Transitions {
  const transitions = new Transitions(maxKeys)
  for (const [key, next] of pairs) transitions.learn(key, next)
  return transitions
}

const times = (n: number, key: string, next: string) =>
  Array.from({ length: n }, () => [key, next] as const)

describe('Transitions', () => {
  it('suggests what came next often enough, the most likely first', () => {
    const transitions = learned([
      ...times(5, 'a', 'b'),
      ...times(3, 'a', 'c'),
      ...times(2, 'a', 'd'),
    ])
    expect(transitions.suggest('a', 0.3)).toEqual([
      { key: 'b', confidence: 0.5 },
      { key: 'c', confidence: 0.3 },
    ])
    expect(transitions.suggest('a', 0.6)).toEqual([])
    expect(transitions.suggest('b', 0)).toEqual([])
  })

  it('says nothing of what was seen once or twice', () => {
    expect(learned(times(2, 'a', 'b')).suggest('a', 0)).toEqual([])
    expect(learned(times(3, 'a', 'b')).suggest('a', 0)).toHaveLength(1)
  })

  it('prefers what is usual now to what was', () => {
    const transitions = learned([...times(1_000, 'a', 'old'), ...times(40, 'a', 'new')])
    expect(transitions.suggest('a', 0.5)).toEqual([
      { key: 'new', confidence: expect.closeTo(0.7, 0) },
    ])
  })

  it('lets a new successor displace those that are rare', () => {
    const rare = ['b', 'c', 'd', 'e'].map((next) => ['a', next] as const)
    const transitions = learned([...rare, ...times(30, 'a', 'f')])
    expect(transitions.suggest('a', 0.5)[0]?.key).toBe('f')
  })

  it('knows of so many keys only, and forgets the one unseen longest', () => {
    const transitions = learned(
      ['a', 'b', 'c'].flatMap((key) => times(3, key, 'next')),
      2,
    )
    expect(transitions.size).toBe(2)
    expect(transitions.suggest('a', 0)).toEqual([])
    expect(transitions.suggest('c', 0)).toHaveLength(1)
  })

  it('never suggests with a confidence above 1, more than four keys, or one that never followed', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
    fc.assert(
      fc.property(fc.array(fc.tuple(key, key), { maxLength: 300 }), (pairs) => {
        const transitions = learned(pairs)
        for (const [from] of pairs) {
          const suggestions = transitions.suggest(from, 0)
          expect(suggestions.length).toBeLessThanOrEqual(4)
          const sum = suggestions.reduce((total, { confidence }) => total + confidence, 0)
          expect(sum).toBeLessThanOrEqual(1)
          for (const { key: next } of suggestions) {
            expect(pairs.some(([a, b]) => a === from && b === next)).toBe(true)
          }
        }
      }),
    )
  })
})
