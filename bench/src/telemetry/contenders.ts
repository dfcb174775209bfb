import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import * as prom from 'prom-client'

/** Measured as built, so that it is what users get. */
const BUILT = new URL('../../../packages/telemetry/dist/index.js', import.meta.url)
type Telemetry = typeof import('../../../packages/telemetry/src/index.ts')

/** A way of recording the same things. */
export interface Contender {
  readonly name: string
  /** What else stands in the table with it; the first of a group is what the others are divided by. */
  readonly group: string
  /** Records the `i`th event. */
  readonly record: (i: number) => void
}

const labelNames = ['method', 'route', 'status', 'error'] as const
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** What a gateway with ten routes sees. */
const series = ['GET', 'POST'].flatMap((method) =>
  Array.from({ length: 10 }, (_, route) => `/v1/route-${route}/**`).flatMap((route) =>
    ['200', '429', '500'].map((status) => [method, route, status, status] as const),
  ),
)
const durations = Float64Array.from({ length: 1_024 }, (_, i) => Math.exp((i / 1_024) * 8 - 7))

class PulledReader extends MetricReader {
  protected async onShutdown(): Promise<void> {}
  protected async onForceFlush(): Promise<void> {}
}

/** Each bound or looked up by its label values, as each library lets it be done. */
export async function contenders(): Promise<readonly Contender[]> {
  return [...(await tidegate()), ...promClient(), ...openTelemetry()]
}

function at<T>(all: readonly T[], i: number): T {
  const found = all[i % all.length]
  if (found === undefined) throw new Error('nothing there')
  return found
}

const duration = (i: number): number => durations[i & 1_023] ?? 0

async function tidegate(): Promise<Contender[]> {
  const { createMetrics } = (await import(BUILT.href)) as Telemetry
  const metrics = createMetrics()
  const spec = { help: 'H.', labels: labelNames }
  const counter = metrics.counter('requests_total', spec)
  const histogram = metrics.histogram('duration_seconds', { ...spec, unit: 'seconds', buckets })
  const counters = series.map((values) => counter.series(...values))
  const histograms = series.map((values) => histogram.series(...values))
  const name = 'tidegate'
  return [
    { name, group: 'count, bound', record: (i) => at(counters, i).add() },
    { name, group: 'count by labels', record: (i) => counter.series(...at(series, i)).add() },
    { name, group: 'time, bound', record: (i) => at(histograms, i).record(duration(i)) },
    {
      name,
      group: 'time by labels',
      record: (i) => histogram.series(...at(series, i)).record(duration(i)),
    },
  ]
}

const objects = series.map(([method, route, status, error]) => ({ method, route, status, error }))

function promClient(): Contender[] {
  const spec = { help: 'H.', labelNames, registers: [] }
  const counter = new prom.Counter({ name: 'requests_total', ...spec })
  const histogram = new prom.Histogram({ name: 'duration_seconds', ...spec, buckets })
  const counters = objects.map((labels) => counter.labels(labels))
  const histograms = objects.map((labels) => histogram.labels(labels))
  const name = 'prom-client'
  return [
    { name, group: 'count, bound', record: (i) => at(counters, i).inc() },
    { name, group: 'count by labels', record: (i) => counter.inc(at(objects, i)) },
    { name, group: 'time, bound', record: (i) => at(histograms, i).observe(duration(i)) },
    {
      name,
      group: 'time by labels',
      record: (i) => histogram.observe(at(objects, i), duration(i)),
    },
  ]
}

function openTelemetry(): Contender[] {
  const provider = new MeterProvider({ readers: [new PulledReader()] })
  const meter = provider.getMeter('bench')
  const counter = meter.createCounter('requests')
  const histogram = meter.createHistogram('duration', {
    advice: { explicitBucketBoundaries: buckets },
  })
  const name = 'OpenTelemetry SDK'
  return [
    { name, group: 'count by labels', record: (i) => counter.add(1, at(objects, i)) },
    { name, group: 'time by labels', record: (i) => histogram.record(duration(i), at(objects, i)) },
  ]
}
