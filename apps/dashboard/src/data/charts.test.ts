import { describe, expect, it } from 'vitest'
import { charts, describeChart, instantByKey, tableIndexes } from './charts.ts'
import { noFrame } from './frame.ts'
import { watched } from './metrics.ts'

const [traffic] = charts

describe('charts', () => {
  it('draw what is asked for', () => {
    const drawn = charts.flatMap(({ lines }) => lines.map(({ metric }) => metric))
    expect(drawn.filter((metric) => !watched.includes(metric))).toEqual([])
  })
})

describe('describeChart', () => {
  it('says what there is to see', () => {
    const frame = { times: [1, 2, 3], columns: new Map([['requests.rate', [10, null, 1_200]]]) }
    expect(traffic && describeChart(traffic, frame, 300_000)).toBe(
      'Traffic, last 5 minutes. requests: now 1.2k/s, between 10/s and 1.2k/s; errors: no figures.',
    )
  })
})

describe('tableIndexes', () => {
  it('spreads few rows over all instants, the newest first', () => {
    const times = Array.from({ length: 100 }, (_, index) => index)
    expect(tableIndexes({ times, columns: new Map() }, 4)).toEqual([99, 74, 49, 24])
    expect(tableIndexes(noFrame, 4)).toEqual([])
  })
})

describe('instantByKey', () => {
  const times = [10, 20, 30]

  it('walks through time, from now on backwards', () => {
    expect(instantByKey('ArrowLeft', null, times)).toBe(30)
    expect(instantByKey('ArrowLeft', 30, times)).toBe(20)
    expect(instantByKey('ArrowRight', 30, times)).toBe(30)
    expect(instantByKey('Home', 30, times)).toBe(10)
    expect(instantByKey('End', 10, times)).toBe(30)
    expect(instantByKey('ArrowLeft', 5, times)).toBe(10)
  })

  it('returns to now, and leaves other keys to the page', () => {
    expect(instantByKey('Escape', 20, times)).toBeNull()
    expect(instantByKey('Escape', null, times)).toBeUndefined()
    expect(instantByKey('Tab', 20, times)).toBeUndefined()
    expect(instantByKey('ArrowLeft', null, [])).toBeUndefined()
  })
})
