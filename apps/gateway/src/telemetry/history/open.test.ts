import { createLogger } from '@tidegate/logger'
import { createMetrics } from '@tidegate/telemetry'
import type { AnomalyEvent } from '@tidegate/telemetry/anomaly'
import { describe, expect, it } from 'vitest'
import { anomalyReport } from './anomalies.ts'
import { openHistory } from './open.ts'

type Fields = Readonly<Record<string, unknown>>

/** A gateway's history, second by second. */
function opened(settings: Fields = {}) {
  const lines: Fields[] = []
  const told: AnomalyEvent[] = []
  const metrics = createMetrics()
  const requests = metrics.counter('tidegate_requests_total', {
    ...{ help: 'Requests.', labels: ['outcome'] },
  })
  const clock = { now: 1_700_000_000_000 }
  const kept = openHistory({
    settings: {
      upstreams: [],
      telemetry: {
        ...{ metrics: true, models: 1, topKeys: undefined, prices: new Map(), tracing: undefined },
        history: { seconds: 600_000, minutes: 86_400_000, metrics: 10 },
        anomalies: { threshold: 6 },
        ...settings,
      },
    },
    ...{ metrics, redis: undefined, now: () => clock.now, schedule: () => () => {} },
    logger: createLogger({ destination: { write: (text) => void lines.push(JSON.parse(text)) } }),
    tell: (event) => void told.push(event),
  })
  /** So many seconds of 40 requests each, of which a share fails. */
  const live = (seconds: number, failing: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      clock.now += 1_000
      requests.series('success').add(40 * (1 - failing))
      requests.series('server_error').add(40 * failing)
      kept?.sample()
    }
  }
  return { kept, live, lines, told, metrics }
}

function seriesOf(metrics: ReturnType<typeof createMetrics>, name: string): Fields {
  const found = metrics.find(name)
  return Object.fromEntries(
    [...(found?.instrument.entries() ?? [])].map(([[metric = ''], series]) => [
      metric,
      'value' in series ? series.value : undefined,
    ]),
  )
}

describe('openHistory', () => {
  it('keeps each second, under names that nobody else may publish', async () => {
    const { kept, live } = opened()
    live(6, 0.25)
    const asked = { metrics: ['requests.rate', 'errors.ratio'], windowMs: 5_000 }
    const series = await kept?.history.query(asked)
    expect(
      series?.map(({ metric, unit, points }) => [metric, unit, points.map(([, v]) => v)]),
    ).toEqual([
      ['requests.rate', '1/s', [40, 40, 40, 40, 40]],
      ['errors.ratio', 'ratio', Array(5).fill(0.25)],
    ])
    expect(() => kept?.history.publish('requests.rate', 1)).toThrow('measured here already')
    await kept?.close()
  })

  it('tells an anomaly when it begins and when it ends: in the log, as a metric, and to who listens', async () => {
    const { kept, live, lines, told, metrics } = opened()
    live(1_200, 0)
    expect(anomalyReport(kept?.anomalies)).toEqual({ active: [], recent: [] })
    live(60, 0.5)
    const { active } = anomalyReport(kept?.anomalies)
    expect(active).toEqual([
      expect.objectContaining({ metric: 'errors.ratio', until: null, direction: 'up', value: 0.5 }),
    ])
    expect(seriesOf(metrics, 'tidegate_anomaly_active')).toMatchObject({
      ...{ 'errors.ratio': 1, 'latency.p95': 0 },
    })
    live(120, 0)
    expect(seriesOf(metrics, 'tidegate_anomaly_active')).toMatchObject({ 'errors.ratio': 0 })
    expect(seriesOf(metrics, 'tidegate_anomalies_total')).toMatchObject({ 'errors.ratio': 1 })
    expect(told.map(({ type, metric }) => [type, metric])).toEqual([
      ['anomaly.begun', 'errors.ratio'],
      ['anomaly.ended', 'errors.ratio'],
    ])
    expect(lines.map(({ level, message, msg }) => [level, message ?? msg])).toEqual([
      ['warn', 'a metric is unusual'],
      ['info', 'a metric is usual again'],
    ])
    expect(anomalyReport(kept?.anomalies)).toMatchObject({
      active: [],
      recent: [{ metric: 'errors.ratio', until: expect.stringMatching(/Z$/) }],
    })
    await kept?.close()
  })

  it("leaves all of the gateway's own endpoints out of latencies", async () => {
    const { kept, live, metrics } = opened()
    const took = metrics.histogram('http_server_request_duration_seconds', {
      ...{ help: 'Requests.', unit: 'seconds', labels: ['http_route'] },
    })
    for (const own of ['/metrics', '/metrics/*', '/dashboard', '/health', '/livez']) {
      took.series(own).record(30)
    }
    live(1, 0)
    expect(kept?.history.recent('latency.p99', 5_000)).toBeUndefined()
    took.series('/v1/**').record(0.1)
    live(2, 0)
    expect(kept?.history.recent('latency.p99', 5_000)).toMatchObject({ weight: 1 })
    await kept?.close()
  })

  it('watches nothing where anomalies are off, and is nothing where it is off itself', async () => {
    const { kept, live, told } = opened({ anomalies: undefined })
    live(1_200, 0)
    live(60, 1)
    expect([kept?.anomalies, told]).toEqual([undefined, []])
    await kept?.close()
    expect(opened({ history: undefined }).kept).toBeUndefined()
  })
})
