import { describe, expect, it } from 'vitest'
import { createMetrics } from '../metrics/metrics.ts'
import { exposition } from './exposition.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'

/** Without what the registry says about itself. */
function written(metrics: ReturnType<typeof createMetrics>, options = {}): string {
  const own = metrics.snapshot().filter(({ name }) => !name.startsWith('tidegate_metric_'))
  return exposition(own, options).body
}

function example(): ReturnType<typeof createMetrics> {
  const metrics = createMetrics({ now: () => 1_500 })
  const requests = metrics.counter('requests_total', { help: 'All "of" them.', labels: ['route'] })
  requests.series('/a\\b"c\nd').add(3)
  const size = metrics.histogram('size_bytes', { help: 'S', unit: 'bytes', buckets: [1, 2.5] })
  size.series().record(1)
  size.series().record(9, trace)
  metrics.upDownCounter('active', { help: 'Two\nlines.' }).series().set(Number.NEGATIVE_INFINITY)
  return metrics
}

describe('exposition', () => {
  it('writes the text of Prometheus', () => {
    const { contentType } = exposition([])
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(written(example(), { created: true })).toBe(
      [
        '# HELP requests_total All "of" them.',
        '# TYPE requests_total counter',
        'requests_total{route="/a\\\\b\\"c\\nd"} 3',
        '# HELP size_bytes S',
        '# TYPE size_bytes histogram',
        'size_bytes_bucket{le="1"} 1',
        'size_bytes_bucket{le="2.5"} 1',
        'size_bytes_bucket{le="+Inf"} 2',
        'size_bytes_sum 10',
        'size_bytes_count 2',
        '# HELP active Two\\nlines.',
        '# TYPE active gauge',
        'active -Inf',
        '',
      ].join('\n'),
    )
  })

  it('writes OpenMetrics with units, exemplars and an end', () => {
    const { contentType } = exposition([], { format: 'openmetrics' })
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(written(example(), { format: 'openmetrics' })).toBe(
      [
        '# HELP requests All \\"of\\" them.',
        '# TYPE requests counter',
        'requests_total{route="/a\\\\b\\"c\\nd"} 3',
        '# HELP size_bytes S',
        '# TYPE size_bytes histogram',
        '# UNIT size_bytes bytes',
        'size_bytes_bucket{le="1.0"} 1',
        'size_bytes_bucket{le="2.5"} 1',
        `size_bytes_bucket{le="+Inf"} 2 # {trace_id="${trace}"} 9 1.5`,
        'size_bytes_sum 10',
        'size_bytes_count 2',
        '# HELP active Two\\nlines.',
        '# TYPE active gauge',
        'active -Inf',
        '# EOF',
        '',
      ].join('\n'),
    )
  })

  it('tells in OpenMetrics when series began, on request', () => {
    const text = written(example(), { format: 'openmetrics', created: true })
    expect(text.match(/^\w+_created.*$/gm)).toEqual([
      'requests_created{route="/a\\\\b\\"c\\nd"} 1.5',
      'size_bytes_created 1.5',
    ])
  })
})
