import { describe, expect, it } from 'vitest'
import { Clock, historyAt, START, values } from './clock.fixture.ts'
import { createHistory } from './create-history.ts'
import type { HistoryKind } from './kind.ts'

const invalid = (code: string) => expect.objectContaining({ code })

/** The points of `m` over the last so many seconds. */
function setUp(kind: HistoryKind = 'gauge') {
  const clock = new Clock()
  const history = historyAt(clock)
  history.declare('m', { kind })
  const seconds = async (windowS: number, stepMs?: number) =>
    values(await history.query({ metrics: ['m'], windowMs: windowS * 1_000, stepMs }))
  const record = (...each: readonly (readonly number[])[]) => {
    for (const second of each) {
      for (const value of second) history.record('m', value)
      clock.advance(1)
    }
  }
  return { clock, history, seconds, record }
}

describe('a history', () => {
  it.each([
    ['gauge', [1.5, 4, null, -2], 1],
    ['rate', [3, 4, null, -2], 1.25],
    ['count', [3, 4, null, -2], 5],
    ['level', [1.5, 4, null, -2], 0.875],
    ['max', [2, 4, null, -2], 4],
    ['min', [1, 4, null, -2], -2],
  ] as const)('folds a %s', async (kind, bySecond, together) => {
    const { seconds, record } = setUp(kind)
    record([1, 2], [4], [], [-2])
    expect(await seconds(4)).toEqual(bySecond)
    const [first] = await seconds(4, 4_000)
    if (kind === 'gauge') expect(first).toBeCloseTo(1.25)
    else expect(first).toBe(together)
  })

  it('weighs the values of a gauge', async () => {
    const { clock, history, seconds } = setUp()
    history.record('m', 0.5, { weight: 1 })
    history.sample({ m: { value: 0, weight: 99 }, other: null, none: undefined, bad: Number.NaN })
    clock.advance(1)
    expect(await seconds(1)).toEqual([0.005])
    expect(await history.names()).toHaveLength(1)
  })

  it('leaves out the second that is open, but not the minute', async () => {
    const { clock, history, seconds, record } = setUp('rate')
    record(...Array.from({ length: 90 }, () => [2]))
    history.record('m', 100)
    expect(await seconds(3)).toEqual([2, 2, 2])
    expect(await seconds(3_600)).toEqual([...Array.from({ length: 58 }, () => null), 2, 2])
    clock.advance(1)
    expect(await seconds(2)).toEqual([2, 100])
  })

  it('gives the beginning of each step', async () => {
    const { history, record } = setUp()
    history.declare('unit', { kind: 'max', unit: 'ms' })
    history.record('unit', 1)
    record([1], [2])
    expect(await history.query({ metrics: ['m', 'unit', 'unknown'], windowMs: 2_000 })).toEqual([
      {
        metric: 'm',
        kind: 'gauge',
        unit: '',
        stepMs: 1_000,
        points: [
          [START, 1],
          [START + 1_000, 2],
        ],
      },
      {
        metric: 'unit',
        kind: 'max',
        unit: 'ms',
        stepMs: 1_000,
        points: [
          [START, 1],
          [START + 1_000, null],
        ],
      },
    ])
  })

  it('keeps seconds for ten minutes, and minutes for a day', async () => {
    const { clock, history, seconds, record } = setUp('count')
    record([7])
    clock.advance(598)
    expect(await seconds(600)).toContain(7)
    clock.advance(3)
    expect(await seconds(600)).not.toContain(7)
    expect(await seconds(601)).toContain(7)
    clock.advance(86_400 - 660)
    const day = await seconds(1_000_000)
    expect(day).toHaveLength(1_440)
    expect(day[0]).toBe(7)
    clock.advance(120)
    expect(await seconds(86_400)).not.toContain(7)
    expect(history.stats().dropped).toEqual({ metrics: 0, times: 0 })
  })

  it('takes values of earlier times, as long as those are kept', async () => {
    const { clock, history, seconds, record } = setUp('count')
    record([1], [1])
    expect(history.record('m', 5, { at: START })).toBe(true)
    expect(await seconds(2)).toEqual([6, 1])
    clock.advance(3_600)
    expect(history.record('m', 9, { at: START + 120_000 })).toBe(true)
    expect(await seconds(3_660)).toContain(9)
    expect(history.record('m', 1, { at: START - 90_000_000 })).toBe(false)
    expect(history.record('m', 1, { at: clock.ms + 60_000 })).toBe(false)
    expect(history.stats().dropped.times).toBe(2)
  })

  it('has no earlier values of a level', () => {
    const { history, record } = setUp('level')
    record([1])
    expect(history.record('m', 5, { at: START })).toBe(false)
  })

  it('says what was recorded lately', () => {
    const { clock, history, record } = setUp('rate')
    expect(history.recent('m', 10_000)).toBeUndefined()
    record([10], [20], [30])
    history.record('m', 99)
    expect(history.recent('m', 2_000)).toEqual({ value: 25, weight: 2 })
    clock.advance(60)
    expect(history.recent('m', 10_000)).toBeUndefined()
    expect(history.recent('unknown', 10_000)).toBeUndefined()
  })

  it('drops metrics beyond the limit and counts them, until others are over', async () => {
    const clock = new Clock()
    const history = historyAt(clock, { maxMetrics: 2 })
    for (const name of ['a', 'b', 'c', 'c', 'a']) history.record(name, 1)
    expect(history.stats()).toMatchObject({ metrics: 2, dropped: { metrics: 2, times: 0 } })
    clock.advance(86_400)
    history.record('b', 1)
    expect(history.record('c', 1)).toBe(false)
    clock.advance(2)
    expect(history.record('c', 1)).toBe(true)
    expect((await history.names()).map(({ metric }) => metric)).toEqual(['b', 'c'])
  })

  it('keeps room for what was declared, whoever comes first', () => {
    const clock = new Clock()
    const history = historyAt(clock, { maxMetrics: 3 })
    for (const name of ['mine', 'mine.too']) history.declare(name, { kind: 'gauge' })
    expect(['a', 'b', 'mine', 'b', 'mine.too'].map((name) => history.record(name, 1))).toEqual([
      ...[true, false, true, false, true],
    ])
    clock.advance(2 * 86_400)
    expect(history.record('b', 1)).toBe(true)
    expect(history.record('mine', 1)).toBe(true)
  })

  it('takes 32,640 bytes for each metric', () => {
    const { history, record } = setUp()
    expect(history.stats().bytes).toBe(0)
    record([1])
    history.record('other', 1)
    expect(history.stats().bytes).toBe(2 * 16 * (600 + 1_440))
  })

  it('ends', async () => {
    const { history, record, seconds } = setUp()
    record([1])
    await history.close()
    await history.close()
    expect(history.record('m', 1)).toBe(false)
    expect(await seconds(1)).toEqual([1])
  })

  it('refuses what it cannot keep', async () => {
    const { history, record } = setUp()
    expect(() => history.record('', 1)).toThrow(invalid('invalid_metric'))
    expect(() => history.record('m', Number.NaN)).toThrow(invalid('invalid_metric'))
    expect(() => history.record('m', 1, { at: Number.NaN })).toThrow(invalid('invalid_metric'))
    expect(() => history.declare('x', { kind: 'sum' as never })).toThrow(invalid('invalid_metric'))
    record([1])
    expect(() => history.declare('m', { kind: 'rate' })).toThrow(invalid('redeclared'))
    history.declare('m', { kind: 'gauge' })
    const query = (windowMs: number, stepMs = 1) =>
      history.query({ metrics: ['m'], windowMs, stepMs })
    await expect(query(0)).rejects.toThrow(invalid('invalid_option'))
    await expect(query(1, -1)).rejects.toThrow(invalid('invalid_option'))
    const metrics = Array.from({ length: 201 }, () => 'm')
    await expect(history.query({ metrics, windowMs: 1 })).rejects.toThrow(invalid('invalid_option'))
    for (const options of [
      { maxMetrics: 0 },
      { flushMs: 0 },
      { instance: '' },
      { fine: { stepMs: 0, keepMs: 1 } },
      { fine: { stepMs: 7_000, keepMs: 70_000 } },
      { coarse: { stepMs: 1_000, keepMs: 90_000_000 } },
    ]) {
      expect(() => createHistory(options)).toThrow(invalid('invalid_option'))
    }
  })
})

describe('a clock', () => {
  it('that is set forward leaves a gap', async () => {
    const { clock, seconds, record } = setUp('count')
    record([1])
    clock.advance(3)
    record([2])
    expect(await seconds(5)).toEqual([1, null, null, null, 2])
    clock.advance(10 * 86_400)
    record([3])
    expect((await seconds(86_400)).filter((value) => value !== null)).toEqual([3])
  })

  it('that is set back by minutes takes what came after with it', async () => {
    const { clock, history, seconds, record } = setUp('count')
    record([1])
    clock.advance(300)
    record([9], [9])
    clock.ms = START + 2_000
    expect(await seconds(3)).toEqual([null, 1, null])
    record([2])
    expect(await seconds(3)).toEqual([1, null, 2])
    expect((await seconds(86_400)).at(-1)).toBe(3)
    expect(history.stats().dropped.times).toBe(0)
  })

  it('that is set back a little stands still', async () => {
    const { clock, seconds, record } = setUp('count')
    record([1], [2])
    clock.advance(-2)
    record([3], [4])
    record([5])
    expect(await seconds(3)).toEqual([1, 9, 5])
  })
})
