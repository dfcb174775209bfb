import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

const help = 'What it is.'

describe('a declaration', () => {
  it.each([
    ['', 'no name'],
    ['http.server.duration', 'no name'],
    ['Requests_total', 'no name'],
    ['1st_total', 'no name'],
    ['requests', 'ends with _total: requests_total'],
    ['requests_count_total', 'leave out _count'],
  ])('refuses the counter name %j', (name, message) => {
    expect(() => createMetrics().counter(name, { help })).toThrow(message)
  })

  it.each(['x_total', 'x_sum', 'x_bucket', 'x_count', 'x_created'])(
    "refuses the gauge name %s, which is a counter's or histogram's sample",
    (name) => {
      expect(() => createMetrics().gauge(name, { help })).toThrow('leave out')
    },
  )

  it('wants the unit in the name, and says how it would be right', () => {
    const metrics = createMetrics()
    expect(() => metrics.gauge('memory', { help, unit: 'bytes' })).toThrow('named memory_bytes.')
    expect(() => metrics.counter('cpu_total', { help, unit: 'seconds' })).toThrow(
      'named cpu_seconds_total.',
    )
    expect(() => metrics.counter('cpu_seconds_total', { help, unit: 'seconds' })).not.toThrow()
  })

  it.each([
    ['le', 'Prometheus uses it itself'],
    ['quantile', 'Prometheus uses it itself'],
    ['__name', 'not beginning with __'],
    ['http.route', 'lower-case letters'],
    ['a', 'it is there twice'],
  ])('refuses the label %j', (label, message) => {
    const declare = () => createMetrics().counter('x_total', { help, labels: ['a', label] })
    expect(declare).toThrow(message)
    expect(declare).toThrow(expect.objectContaining({ code: 'invalid_label' }))
  })

  it.each([[[]], [[1, 1]], [[2, 1]], [[1, Number.POSITIVE_INFINITY]], [[Number.NaN]]])(
    'refuses the buckets %j',
    (buckets) => {
      expect(() => createMetrics().histogram('x_bytes', { help, buckets })).toThrow(
        'each greater than the one before',
      )
    },
  )

  it('has buckets for seconds only', () => {
    const metrics = createMetrics()
    expect(() => metrics.histogram('x_bytes', { help, unit: 'bytes' })).toThrow('needs buckets')
    metrics.histogram('x_seconds', { help, unit: 'seconds' })
    expect(metrics.snapshot().at(-1)).toMatchObject({ bounds: expect.arrayContaining([0.005, 10]) })
  })

  it('needs a help text and a sensible limit', () => {
    expect(() => createMetrics().gauge('x', { help: ' ' })).toThrow('needs a help text')
    expect(() => createMetrics({ maxSeries: 0 })).toThrow(
      'maxSeries is 0; it has to be a whole number from 1 on',
    )
    expect(() => createMetrics().gauge('x', { help, maxSeries: 1.5 })).toThrow('maxSeries is 1.5')
    expect(() => createMetrics().topK('x_total', { help, label: 'key', k: -1 })).toThrow('k is -1')
  })

  it('gives the same instrument to the same declaration', () => {
    const metrics = createMetrics()
    const spec = { help, labels: ['route'] } as const
    const counter = metrics.counter('x_total', spec)
    expect(metrics.counter('x_total', { ...spec })).toBe(counter)
    const histogram = metrics.histogram('x_seconds', { help, unit: 'seconds' })
    expect(metrics.histogram('x_seconds', { help, unit: 'seconds' })).toBe(histogram)
  })

  it('refuses one name with other properties, and says which', () => {
    const metrics = createMetrics()
    metrics.counter('x_total', { help, labels: ['a'] })
    metrics.histogram('y_seconds', { help, unit: 'seconds' })
    const differing: [string, () => unknown][] = [
      ['labels', () => metrics.counter('x_total', { help, labels: ['b'] })],
      ['help', () => metrics.counter('x_total', { help: 'Else.', labels: ['a'] })],
      ['maxSeries', () => metrics.counter('x_total', { help, labels: ['a'], maxSeries: 1 })],
      ['name', () => metrics.gauge('x', { help })],
      ['type', () => metrics.gauge('y_seconds', { help, unit: 'seconds' })],
      ['bounds', () => metrics.histogram('y_seconds', { help, unit: 'seconds', buckets: [1] })],
      ['kind', () => metrics.topK('x_total', { help, label: 'a', k: 1_000 })],
    ]
    for (const [property, declare] of differing) {
      expect(declare).toThrow(`with another ${property}`)
      expect(declare).toThrow(expect.objectContaining({ code: 'redeclared' }))
    }
  })
})
