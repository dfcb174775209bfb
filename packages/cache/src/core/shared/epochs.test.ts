import { describe, expect, it } from 'vitest'
import { ALL } from '../reserved.ts'
import { Epochs } from './epochs.ts'

describe('Epochs', () => {
  it('lets hold what was begun at or after each invalidation of its tags, and of everything', () => {
    const epochs = new Epochs()
    epochs.hear('a', 10)
    epochs.hear('a', 5)
    expect(epochs.holds(['a'], 9)).toBe(false)
    expect(epochs.holds(['a'], 10)).toBe(true)
    expect(epochs.holds(['b', 'a'], 9)).toBe(false)
    expect(epochs.holds(undefined, 9)).toBe(true)
    epochs.hear(ALL, 20)
    expect(epochs.holds(undefined, 19)).toBe(false)
  })

  it('leaves open what only the second tier can tell', () => {
    const epochs = new Epochs()
    expect(epochs.open(['a'], 100)).toEqual([ALL, 'a'])
    epochs.begin(50, epochs.stretch)
    expect(epochs.open(['a'], 50)).toEqual([])
    expect(epochs.open(['a'], 49)).toEqual([ALL, 'a'])
    epochs.learn('a', 30, epochs.stretch)
    epochs.learn(ALL, 1, epochs.stretch)
    expect(epochs.open(['a'], 49)).toEqual([])
    epochs.learn('b', undefined, epochs.stretch)
    expect(epochs.open(['b'], 49)).toEqual(['b'])
    epochs.reset()
    expect(epochs.open(['a'], 1_000)).toEqual([ALL, 'a'])
    expect(epochs.holds(['a'], 29)).toBe(false)
  })

  it('takes what was asked before messages were lost for no more than it says', () => {
    const epochs = new Epochs()
    const { stretch } = epochs
    epochs.reset()
    epochs.learn('a', 30, stretch)
    epochs.begin(50, stretch)
    expect(epochs.sure).toBe(false)
    epochs.begin(50, epochs.stretch)
    expect(epochs.open(['a'], 40)).toEqual([ALL, 'a'])
    expect(epochs.holds(['a'], 29)).toBe(false)
  })

  it('doubts rather than forgets when there are too many tags', () => {
    const epochs = new Epochs(2)
    epochs.begin(0, epochs.stretch)
    for (const [at, tag] of ['a', 'b', 'c'].entries()) epochs.hear(tag, 10 + at)
    expect(epochs.holds(['a'], 9)).toBe(false)
    expect(epochs.holds(['never heard of'], 9)).toBe(false)
    expect(epochs.holds(['a'], 10)).toBe(true)
    expect(epochs.open(['a'], 9)).toEqual([ALL, 'a'])
  })

  it('notes no number as given out because somebody says so', () => {
    const epochs = new Epochs()
    epochs.hear('a', Number.MAX_SAFE_INTEGER)
    expect(epochs.latest).toBe(0)
    epochs.note(7)
    expect(epochs.advance()).toBe(8)
    expect(epochs.latest).toBe(8)
  })

  it('holds an unknown tag for invalidated as little as can be', () => {
    const epochs = new Epochs()
    expect(epochs.maybeUntil('a', 55)).toBe(55)
    epochs.begin(50, epochs.stretch)
    expect([epochs.maybeUntil('a', 55), epochs.maybeUntil('a', 45)]).toEqual([50, 45])
    epochs.hear('a', 60)
    epochs.hear(ALL, 70)
    expect([epochs.maybeUntil('a', 55), epochs.maybeUntil(ALL, 55)]).toEqual([60, 70])
  })
})
