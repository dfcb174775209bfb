import { describe, expect, it } from 'vitest'
import { createMetrics } from '../metrics/metrics.ts'
import { metricsJson } from './json.ts'

describe('metricsJson', () => {
  it('is plain JSON, with null for what JSON has no word for', () => {
    const metrics = createMetrics()
    const gauge = metrics.gauge('g_ratio', { help: 'G', unit: 'ratio', labels: ['a'] })
    gauge.series('1').set(0.5)
    gauge.series('2').set(Number.NaN)
    metrics.upDownCounter('u', { help: 'U' }).series().add()
    const histogram = metrics.histogram('h_bytes', { help: 'H', buckets: [1, 2] })
    for (const value of [1, 2, 3]) histogram.series().record(value)
    const json = metricsJson(metrics.snapshot()).slice(-3)
    expect(JSON.parse(JSON.stringify(json))).toEqual([
      {
        name: 'g_ratio',
        help: 'G',
        unit: 'ratio',
        type: 'gauge',
        series: [
          { labels: { a: '1' }, value: 0.5 },
          { labels: { a: '2' }, value: null },
        ],
      },
      { name: 'u', help: 'U', type: 'gauge', series: [{ labels: {}, value: 1 }] },
      {
        name: 'h_bytes',
        help: 'H',
        type: 'histogram',
        series: [
          {
            labels: {},
            count: 3,
            sum: 6,
            buckets: [
              [1, 1],
              [2, 2],
              [null, 3],
            ],
          },
        ],
      },
    ])
  })
})
