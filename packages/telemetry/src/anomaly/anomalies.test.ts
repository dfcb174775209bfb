import { describe, expect, it } from 'vitest'
import { type Anomalies, anomalyEvent, createAnomalies } from './anomalies.ts'
import type { Anomaly } from './detector.ts'

const QUICK = { minPoints: 2, begin: { points: 1, of: 1 }, endAfter: 1 }

/** Shows values one after the other, a second each. */
function show(anomalies: Anomalies, metric: string, values: readonly number[], from = 0): void {
  for (const [at, value] of values.entries()) {
    anomalies.sample((asked) => (asked === metric ? { value } : undefined), (from + at) * 1_000)
  }
}

describe('createAnomalies', () => {
  it('tells of beginnings and ends, and remembers them', () => {
    const told: [string, Anomaly][] = []
    const anomalies = createAnomalies({
      detectors: [
        { metric: 'a', ...QUICK },
        { metric: 'b', ...QUICK },
      ],
      onBegin: (anomaly) => told.push(['begin', anomaly]),
      onEnd: (anomaly) => told.push(['end', anomaly]),
    })
    show(anomalies, 'a', [1, 1, 1, 9])
    expect(anomalies.active).toMatchObject([{ metric: 'a', since: 3_000, until: null }])
    show(anomalies, 'a', [1], 4)
    expect(anomalies.active).toEqual([])
    expect(anomalies.recent).toMatchObject([{ metric: 'a', since: 3_000, until: 4_000 }])
    expect(told.map(([what]) => what)).toEqual(['begin', 'end'])
    expect(told[1]?.[1]).toBe(anomalies.recent[0])
  })

  it('remembers so many, the latest first', () => {
    const anomalies = createAnomalies({ detectors: [{ metric: 'a', ...QUICK }], maxRecent: 2 })
    show(anomalies, 'a', [1, 1, 1, 1, 1, 1, 1, 9, 1, 9, 1, 9, 1])
    expect(anomalies.recent.map(({ since }) => since)).toEqual([11_000, 9_000])
  })

  it('goes on when those who listen, or are asked, throw', () => {
    const errors: unknown[] = []
    const fail = () => {
      throw new Error('mine')
    }
    const anomalies = createAnomalies({
      detectors: [{ metric: 'a', ...QUICK }],
      onBegin: fail,
      onEnd: fail,
      onError: (error) => {
        errors.push(error)
        throw error
      },
    })
    show(anomalies, 'a', [1, 1, 1, 9])
    anomalies.sample(fail, 5_000)
    expect(anomalies.recent).toHaveLength(1)
    expect(errors).toHaveLength(3)
  })
})

describe('anomalyEvent', () => {
  it('is plain JSON', () => {
    const anomaly: Anomaly = {
      metric: 'm',
      since: 0,
      until: null,
      value: 2,
      expected: 1,
      score: 9,
      direction: 'up',
    }
    const begun = { ...anomaly, type: 'anomaly.begun', since: '1970-01-01T00:00:00.000Z' }
    expect(JSON.parse(JSON.stringify(anomalyEvent(anomaly)))).toEqual(begun)
    expect(anomalyEvent({ ...anomaly, until: 1_000 })).toEqual({
      ...begun,
      type: 'anomaly.ended',
      until: '1970-01-01T00:00:01.000Z',
    })
  })
})
