import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startPrometheus } from '@tidegate/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { createMetrics, type Metrics } from '../metrics/metrics.ts'
import { exposition } from './exposition.ts'
import { type MetricsFormat, negotiate } from './negotiate.ts'

/** All that could end a label, a line or an exposition early. */
const hostile = [
  '"} 1\nx 2\n# EOF\n',
  '\\',
  '\\n',
  '\r\n',
  '\u2028',
  '\u0000',
  'café 🌊',
  ',le="1"',
]

async function startExporter(metrics: Metrics, only?: MetricsFormat) {
  const given = new Set<MetricsFormat>()
  const server = createServer((request, response) => {
    const format = only ?? negotiate(request.headers.accept)
    given.add(format)
    const { contentType, body } = exposition(metrics.snapshot(), {
      format: format === 'openmetrics' ? 'openmetrics' : 'prometheus',
      created: true,
    })
    response.setHeader('content-type', contentType).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/metrics`,
    given,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function example(): Metrics {
  const metrics = createMetrics()
  const requests = metrics.counter('requests_total', { help: 'R "x"\n.', labels: ['path'] })
  for (const [index, path] of hostile.entries()) requests.series(path).add(index + 1)
  const duration = metrics.histogram('duration_seconds', {
    help: 'D.',
    unit: 'seconds',
    labels: ['path'],
  })
  for (let i = 1; i <= 100; i++) {
    duration.series('/a').record(i / 100, '0af7651916cd43dd8448eb211c80319c')
  }
  metrics.gauge('temperature_ratio', { help: 'T.', unit: 'ratio' }).series().set(-1.5e-9)
  return metrics
}

// On a bare machine it has to be installed first.
beforeAll(async () => {
  await using prometheus = await startPrometheus({ targets: [] })
  await prometheus.query('1')
}, 300_000)

describe('exposition', () => {
  it.each([
    ['openmetrics', undefined],
    ['prometheus', 'prometheus'],
  ] as const)(
    'is understood by Prometheus as %s, whatever the labels are',
    async (format, only) => {
      await using exporter = await startExporter(example(), only)
      await using prometheus = await startPrometheus({ targets: [exporter.url] })
      await prometheus.waitForScrape()
      expect([...exporter.given]).toEqual([format])
      const found = await prometheus.query('requests_total')
      const byPath = Object.fromEntries(found.map(({ labels, value }) => [labels.path, value]))
      expect(byPath).toEqual(Object.fromEntries(hostile.map((path, index) => [path, index + 1])))
      const value = async (query: string) => (await prometheus.query(query))[0]?.value
      expect(await value('duration_seconds_count{path="/a"}')).toBe(100)
      expect(await value('duration_seconds_sum{path="/a"}')).toBeCloseTo(50.5, 9)
      expect(await value('sum(duration_seconds_bucket{le="0.1"})')).toBe(10)
      expect(await value('temperature_ratio')).toBe(-1.5e-9)
      expect(await value('up')).toBe(1)
    },
  )
})
