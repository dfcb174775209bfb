import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Popularity, type PopularityOptions } from './popularity.ts'

function recording(options: PopularityOptions = {}) {
  const clock = { now: 1_000_000 }
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const clocks = { now: () => clock.now, random }
  const popularity = new Popularity({ every: 1, ...options }, clocks, 'not-counted')
  const access = (key: string, times: number) => {
    for (let i = 0; i < times; i++) popularity.accessed(key)
  }
  return { popularity, clock, access }
}

const keysOf = (popularity: Popularity, n?: number) => popularity.top(n).map(({ key }) => key)

describe('Popularity', () => {
  it('ranks keys by how often they are asked for', () => {
    const { popularity, access } = recording()
    access('b', 2)
    access('a', 3)
    access('c', 1)
    expect(popularity.top(2)).toEqual([
      { key: 'a', score: 3 },
      { key: 'b', score: 2 },
    ])
  })

  it('counts an access half after each half-life', () => {
    const { popularity, clock, access } = recording({ halfLifeMs: 1_000 })
    access('old', 10)
    clock.now += 2_000
    access('new', 3)
    expect(popularity.top()).toEqual([
      { key: 'new', score: 3 },
      { key: 'old', score: 2.5 },
    ])
  })

  it('goes on counting rightly after many half-lives', () => {
    const { popularity, clock, access } = recording({ halfLifeMs: 1 })
    access('old', 10)
    for (let i = 0; i < 5; i++) {
      clock.now += 200
      access('a', 2)
      access('b', 3)
    }
    expect(keysOf(popularity, 2)).toEqual(['b', 'a'])
    expect(popularity.top(1)[0]?.score).toBeCloseTo(3)
  })

  it('leaves its own record out', () => {
    const { popularity, access } = recording()
    access('not-counted', 5)
    expect(popularity.top()).toEqual([])
  })

  it('finds popular keys among a flood of others, by looking at few accesses', () => {
    const { popularity, access } = recording({ size: 10, every: 16 })
    for (let i = 0; i < 20_000; i++) {
      access(`flood-${i}`, 1)
      if (i % 4 === 0) access(`popular-${i % 5}`, 1)
    }
    const top = popularity.top(5)
    expect(new Set(top.map(({ key }) => key))).toEqual(
      new Set([0, 1, 2, 3, 4].map((n) => `popular-${n}`)),
    )
    // 1,000 each, estimated from one access in 16.
    for (const { score } of top) expect(Math.abs(score - 1_000)).toBeLessThan(400)
  })

  it('remembers so many keys only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(500)), (size, keys) => {
        const { popularity, access } = recording({ size })
        for (const key of keys) access(`key-${key}`, 1)
        expect(popularity.known).toBeLessThanOrEqual(size * 4)
        expect(popularity.top().length).toBeLessThanOrEqual(size)
      }),
    )
  })

  it('takes in an earlier record, as old as it is, without counting anything twice', () => {
    const { popularity, clock, access } = recording({ halfLifeMs: 1_000 })
    access('a', 8)
    access('b', 2)
    const [record, at] = [popularity.top(), clock.now]
    popularity.merge(record, at)
    clock.now += 1_000
    popularity.merge(record, at)
    expect(popularity.top()).toEqual([
      { key: 'a', score: 4 },
      { key: 'b', score: 1 },
    ])
    const restarted = recording({ halfLifeMs: 1_000 })
    restarted.clock.now = clock.now
    restarted.access('b', 3)
    restarted.popularity.merge(record, at)
    expect(restarted.popularity.top()).toEqual([
      { key: 'a', score: 4 },
      { key: 'b', score: 3 },
    ])
  })
})
