import { describe, expect, it } from 'vitest'
import type { MetricFamily } from './family.ts'
import { createMetrics, type Metrics } from './metrics.ts'

const help = 'What it is.'

function family(metrics: Metrics, name: string): MetricFamily | undefined {
  return metrics.snapshot().find((candidate) => candidate.name === name)
}

function values(metrics: Metrics, name: string): Record<string, unknown> {
  const points = family(metrics, name)?.points ?? []
  return Object.fromEntries(
    points.map((point) => [point.labels.join(), 'value' in point ? point.value : point.count]),
  )
}

describe('createMetrics', () => {
  it('finds the same series by the same label values', () => {
    const requests = createMetrics().counter('x_total', { help, labels: ['route', 'status'] })
    const series = requests.series('/a', '200')
    expect(requests.series('/a', '200')).toBe(series)
    expect(requests.series('200', '/a')).not.toBe(series)
    series.add()
    series.add(2.5)
    expect(series.value).toBe(3.5)
    expect([...requests.entries()].map(([labels]) => labels)).toEqual([
      ['/a', '200'],
      ['200', '/a'],
    ])
  })

  it('finds what somebody else has declared, with its labels', () => {
    const metrics = createMetrics()
    const requests = metrics.counter('x_total', { help, labels: ['route', 'status'] })
    metrics.topK('t_total', { help, label: 'key' })
    const found = metrics.find('x_total')
    expect(found?.labels).toEqual(['route', 'status'])
    expect(found?.instrument).toBe(requests)
    metrics.observe([], () => requests.series('/a', '200').raise(7))
    metrics.refresh()
    const labels = [...(found?.instrument.entries() ?? [])].map(([values]) => values)
    expect(labels).toEqual([['/a', '200']])
    expect(['x', 't_total', 'y_total'].map((name) => metrics.find(name))).toEqual(Array(3))
  })

  it('throws where the label values are not one text for each label', () => {
    const requests = createMetrics().counter('x_total', { help, labels: ['route', 'status'] })
    const hostile = requests.series.bind(requests) as (...values: unknown[]) => unknown
    expect(() => hostile('/a')).toThrow('needs 2 label values (route, status), not 1')
    expect(() => hostile('/a', '200', 'c')).toThrow('not 3')
    requests.series('/a', '200')
    expect(() => hostile('/a', 200)).toThrow('The label status of x_total needs a text')
    expect(() => hostile('/a', undefined)).toThrow('not undefined')
  })

  it('cuts long label values, and mends those that are no Unicode', () => {
    const metrics = createMetrics()
    const requests = metrics.counter('x_total', { help, labels: ['route'] })
    requests.series('a'.repeat(300)).add()
    requests.series('a'.repeat(100_000)).add()
    requests.series('\ud800').add()
    requests.series('\udfff').add()
    expect(values(metrics, 'x_total')).toEqual({ ['a'.repeat(256)]: 2, '\ufffd': 2 })
  })

  it('never lets a counter go down', () => {
    const metrics = createMetrics()
    const series = metrics.counter('x_total', { help }).series()
    series.add(5)
    for (const amount of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63]) series.add(amount)
    expect(series.value).toBe(5)
    series.raise(3)
    expect(series.value).toBe(5)
    series.raise(9)
    for (const total of [Number.NaN, -1, Number.POSITIVE_INFINITY]) series.raise(total)
    expect(series.value).toBe(9)
    expect(values(metrics, 'tidegate_metric_values_dropped_total')).toEqual({ x_total: 7 })
  })

  it('drops and counts what no histogram can have', () => {
    const metrics = createMetrics()
    const series = metrics.histogram('x_seconds', { help, unit: 'seconds' }).series()
    for (const value of [-0.1, Number.NaN, Number.POSITIVE_INFINITY, -Infinity, 2 ** 63]) {
      series.record(value)
    }
    expect([series.count, series.sum, series.quantile(0.5)]).toEqual([0, 0, Number.NaN])
    series.record(0)
    series.record(-0)
    expect([series.count, series.sum, series.quantile(1)]).toEqual([2, 0, 0])
    expect(values(metrics, 'tidegate_metric_values_dropped_total')).toEqual({ x_seconds: 5 })
  })

  it('takes numbers only, from code without types as well', () => {
    const metrics = createMetrics()
    const wrong = ['5', 5n, null, {}, true] as unknown as readonly number[]
    const counter = metrics.counter('c_total', { help }).series()
    const gauge = metrics.gauge('g', { help }).series()
    const histogram = metrics.histogram('h_seconds', { help, unit: 'seconds' }).series()
    const top = metrics.topK('t_total', { help, label: 'key' })
    for (const value of wrong) {
      counter.add(value)
      counter.raise(value)
      gauge.add(value)
      gauge.set(value)
      histogram.record(value)
      top.add('a', value)
    }
    expect([counter.value, gauge.value, histogram.sum, top.total]).toEqual([0, 0, 0, 0])
    expect(values(metrics, 'tidegate_metric_values_dropped_total')).toEqual({
      c_total: 10,
      g: 10,
      h_seconds: 5,
      t_total: 5,
    })
  })

  it('remembers as exemplars only what is the id of a trace', () => {
    const metrics = createMetrics()
    const series = metrics.histogram('x_seconds', { help, unit: 'seconds' }).series()
    for (const id of ['', 'a'.repeat(31), 'A'.repeat(32), '"} 1\n', 'a'.repeat(1_000)]) {
      series.record(1, id)
    }
    expect(family(metrics, 'x_seconds')?.points[0]).not.toHaveProperty('exemplars')
    expect(series.count).toBe(5)
  })

  it('counts a value that equals a bound in that bucket', () => {
    const metrics = createMetrics()
    const series = metrics.histogram('x_bytes', { help, buckets: [1, 2, 4] }).series()
    for (const value of [0, 1, 1.5, 2, 4, 4.1, 1e18]) series.record(value)
    expect(family(metrics, 'x_bytes')?.points[0]).toMatchObject({ buckets: [2, 2, 1, 2], count: 7 })
  })

  it('has no series of a gauge before it is set, nor after it was cleared', () => {
    const metrics = createMetrics()
    const gauge = metrics.gauge('x', { help, labels: ['a'] })
    const series = gauge.series('1')
    expect(family(metrics, 'x')).toBeUndefined()
    series.add(-2)
    series.add()
    series.add(Number.NaN)
    expect(values(metrics, 'x')).toEqual({ 1: -1 })
    gauge.clear()
    expect(family(metrics, 'x')).toBeUndefined()
    expect([...gauge.entries()]).toEqual([])
    series.set(Number.NaN)
    expect(values(metrics, 'x')).toEqual({ 1: Number.NaN })
  })

  it('shows totals without labels from the beginning', () => {
    const metrics = createMetrics({ now: () => 42 })
    metrics.counter('x_total', { help })
    metrics.histogram('x_seconds', { help, unit: 'seconds' })
    expect(family(metrics, 'x_total')?.points).toEqual([{ labels: [], value: 0, createdAt: 42 }])
    expect(family(metrics, 'x_seconds')?.points).toMatchObject([{ count: 0, createdAt: 42 }])
  })

  it('puts what is beyond maxSeries into one series, and says so once', () => {
    const told: string[] = []
    const metrics = createMetrics({ maxSeries: 2, onOverflow: (metric) => told.push(metric) })
    const requests = metrics.counter('x_total', { help, labels: ['route', 'status'] })
    for (const route of ['a', 'b', 'c', 'd', 'a', 'd']) requests.series(route, '200').add()
    expect(values(metrics, 'x_total')).toEqual({ 'a,200': 2, 'b,200': 1, 'other,other': 3 })
    expect(values(metrics, 'tidegate_metric_series_dropped_total')).toEqual({ x_total: 3 })
    expect(told).toEqual(['x_total'])
  })

  it('reads gauges before a snapshot, and one that throws harms only itself', () => {
    const errors: unknown[] = []
    const metrics = createMetrics({ onError: (error) => errors.push(error) })
    const good = metrics.gauge('good', { help, labels: ['a'] })
    const bad = metrics.gauge('bad', { help })
    let reads = 0
    const end = metrics.observe([good], () => good.series(String(reads++)).set(1))
    metrics.observe([bad], () => {
      bad.series().set(1)
      throw new Error('no')
    })
    expect(values(metrics, 'good')).toEqual({ 0: 1 })
    expect(values(metrics, 'good')).toEqual({ 1: 1 })
    expect(family(metrics, 'bad')).toBeUndefined()
    expect(errors).toEqual([new Error('no'), new Error('no'), new Error('no')])
    expect(values(metrics, 'tidegate_metric_read_failures_total')).toEqual({ '': 4 })
    end()
    metrics.snapshot()
    expect(reads).toBe(4)
  })

  it('is not harmed by listeners that throw', () => {
    const fail = () => {
      throw new Error('listener')
    }
    const metrics = createMetrics({ maxSeries: 1, onError: fail, onOverflow: fail })
    metrics.observe([], fail)
    const requests = metrics.counter('x_total', { help, labels: ['a'] })
    for (const value of ['1', '2']) requests.series(value).add()
    expect(values(metrics, 'x_total')).toEqual({ 1: 1, other: 1 })
  })

  it('gives snapshots that nothing changes afterwards', () => {
    const metrics = createMetrics()
    const series = metrics.histogram('x_seconds', { help, unit: 'seconds' }).series()
    series.record(1, '0af7651916cd43dd8448eb211c80319c')
    const before = family(metrics, 'x_seconds')
    const copy = structuredClone(before)
    series.record(1, 'b7ad6b7169203331b7ad6b7169203331')
    expect(before).toEqual(copy)
  })

  it('merges the distributions of series with the same key', () => {
    const duration = createMetrics().histogram('x_seconds', {
      help,
      unit: 'seconds',
      labels: ['route', 'status'],
    })
    duration.series('/a', '200').record(1)
    duration.series('/a', '500').record(3)
    duration.series('/b', '200').record(5)
    duration.series('/c', '200').record(7)
    const byRoute = duration.distributions(([route]) => (route === '/c' ? undefined : route))
    expect([...byRoute].map(([key, { count, mean }]) => [key, count, mean])).toEqual([
      ['/a', 2, 2],
      ['/b', 1, 5],
    ])
    expect(duration.series('/a', '200').count).toBe(1)
  })
})
