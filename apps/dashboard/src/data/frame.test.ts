import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addSample,
  type Frame,
  heldSince,
  latest,
  noFrame,
  readFrame,
  readSample,
  samplesAfter,
  valueAt,
} from './frame.ts'

const frameOf = (column: readonly (number | null)[], stepMs = 1_000): Frame => ({
  times: column.map((_, index) => index * stepMs),
  columns: new Map([['x', column]]),
})

describe('readFrame', () => {
  it('brings series of other instants together', () => {
    const frame = readFrame({
      series: [
        {
          metric: 'a',
          points: [
            [1, 10],
            [3, 30],
          ],
        },
        {
          metric: 'b',
          points: [
            [2, 20],
            [3, null],
          ],
        },
      ],
    })
    expect(frame.times).toEqual([1, 2, 3])
    expect(frame.columns.get('a')).toEqual([10, null, 30])
    expect(frame.columns.get('b')).toEqual([null, 20, null])
  })

  it('takes anything, and makes columns as long as its times', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (body, points) => {
        for (const each of [body, { series: body }, { series: [{ metric: 'a', points }] }]) {
          const { times, columns } = readFrame(each)
          for (const column of columns.values()) expect(column).toHaveLength(times.length)
        }
      }),
    )
  })
})

describe('readSample', () => {
  it('reads a sample, and nothing else', () => {
    expect(readSample('{"t":5,"values":{"a":1,"b":null,"c":"x"}}')).toEqual({
      t: 5,
      values: { a: 1, b: null, c: null },
    })
    for (const data of ['', '{', '[]', '{"t":"5"}', 'null'])
      expect(readSample(data)).toBeUndefined()
  })
})

describe('addSample', () => {
  const add = (frame: Frame, t: number, values: Record<string, number | null>): Frame =>
    addSample(frame, { t, values }, 5_000, 1_000)

  it('adds the newest and lets go of what is older than the window', () => {
    let frame = noFrame
    for (let t = 0; t <= 8_000; t += 1_000) frame = add(frame, t, { x: t })
    expect(frame.times).toEqual([3_000, 4_000, 5_000, 6_000, 7_000, 8_000])
    expect(frame.columns.get('x')).toEqual(frame.times)
  })

  it('breaks the line where samples are missing', () => {
    const frame = add(add(noFrame, 0, { x: 1 }), 4_000, { x: 2 })
    expect(frame.times).toEqual([0, 1_000, 4_000])
    expect(frame.columns.get('x')).toEqual([1, null, 2])
  })

  it('knows metrics that come later or stay away', () => {
    const frame = add(add(noFrame, 0, { x: 1 }), 1_000, { y: 2 })
    expect(frame.columns.get('x')).toEqual([1, null])
    expect(frame.columns.get('y')).toEqual([null, 2])
  })

  it('takes a sample that is told again for what it is', () => {
    const once = add(add(noFrame, 0, { x: 1 }), 1_000, { x: 2 })
    expect(add(once, 1_000, { x: 3 }).columns.get('x')).toEqual([1, 3])
    expect(add(once, 500, { x: 9 })).toBe(once)
  })

  it('keeps its times in order and its columns whole, whatever comes', () => {
    const samples = fc.array(fc.record({ t: fc.integer({ min: 0, max: 30_000 }), x: fc.double() }))
    fc.assert(
      fc.property(samples, (all) => {
        const frame = all.reduce((so, { t, x }) => add(so, t, { x }), noFrame)
        expect(frame.times).toEqual([...new Set(frame.times)].toSorted((a, b) => a - b))
        for (const column of frame.columns.values()) expect(column).toHaveLength(frame.times.length)
      }),
    )
  })
})

describe('samplesAfter', () => {
  it('turns what is new in a frame into samples', () => {
    expect(samplesAfter(frameOf([1, 2, 3]), 0)).toEqual([
      { t: 1_000, values: { x: 2 } },
      { t: 2_000, values: { x: 3 } },
    ])
  })
})

describe('latest and valueAt', () => {
  it('look back a little, and no further', () => {
    expect(latest(frameOf([1, 2, null]), 'x')).toBe(2)
    expect(latest(frameOf([1, null, null, null]), 'x')).toBeNull()
    expect(latest(noFrame, 'x')).toBeNull()
    expect(valueAt(frameOf([1, 2]), 'x', 1_000)).toBe(2)
    expect(valueAt(frameOf([1, 2]), 'x', 1_500)).toBeNull()
  })
})

describe('heldSince', () => {
  const high = (value: number): boolean => value >= 10
  const since = (column: readonly (number | null)[]) => heldSince(frameOf(column), 'x', high, 3_000)

  it('tells when it began', () => {
    expect(since([0, 0, 0, 0, 30, 30, 30, 30])).toBe(4_000)
    expect(since([30, 30, 30])).toBe(0)
  })

  it('tells nothing when it doesn’t hold now', () => {
    expect(since([30, 30, 30, 0, 0, 0])).toBeNull()
    expect(since([null, null])).toBeNull()
    expect(since([])).toBeNull()
  })

  it('takes a moment for neither a beginning nor an end', () => {
    expect(since([0, 0, 12, 0, 0, 0, 0, 0, 30, 30, 30])).toBe(8_000)
    expect(since([0, 0, 0, 0, 30, 30, 0, 30, 30, null, 30])).toBe(4_000)
  })
})
