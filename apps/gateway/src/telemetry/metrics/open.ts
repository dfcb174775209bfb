import { createMetrics, type Metrics } from '@tidegate/telemetry'
import type { CallObserver } from '../../upstreams/call-observer.ts'
import type { TelemetryParts } from '../open.ts'
import { callMetrics } from './call-metrics.ts'
import { declareInstruments, type Instruments } from './instruments.ts'
import { ModelMetrics } from './model-metrics.ts'
import { collectProcess } from './process-collector.ts'
import { collectRedis } from './redis-collector.ts'
import { type RequestMetrics, requestMetrics } from './request-metrics.ts'
import { collectAnswers, collectLimits } from './shared-collector.ts'
import { Summarizer } from './summaries.ts'
import { createSystemReading, type SystemReading } from './system-reading.ts'
import { collectUpstreams } from './upstream-collector.ts'

/** How exact the last minute is. */
const TICK_MS = 5_000

/** What the gateway counts and times. */
export interface GatewayMetrics {
  readonly registry: Metrics
  readonly instruments: Instruments
  readonly requests: RequestMetrics
  readonly calls: CallObserver
  readonly system: SystemReading
  readonly summaries: Summarizer
  close(): void
}

export function openMetrics(parts: TelemetryParts): GatewayMetrics {
  const { logger, version, settings, upstreams, limits, answers, redis } = parts
  const { models: most, prices, topKeys } = settings.telemetry
  const registry = createMetrics({
    onOverflow: (metric) =>
      logger.warn({ metric }, 'a metric has too many series: new ones are counted as other'),
    onError: (error) => logger.warn({ err: error }, 'a metric could not be read'),
  })
  tellVersion(registry, version)
  const instruments = declareInstruments(registry)
  const requests = requestMetrics(registry, instruments, topKeys)
  collectRequests(registry, requests)
  collectUpstreams(registry, upstreams)
  collectLimits(registry, limits)
  if (answers !== undefined) collectAnswers(registry, answers)
  if (redis !== undefined) collectRedis(registry, redis)
  const system = createSystemReading()
  collectProcess(registry, () => system.last)
  const calls = callMetrics(instruments, new ModelMetrics(instruments, { most, prices }))
  const summaries = new Summarizer(instruments, requests)
  const timer = setInterval(() => summaries.tick(), TICK_MS)
  timer.unref()
  const close = (): void => {
    clearInterval(timer)
    system.close()
  }
  return { registry, instruments, requests, calls, system, summaries, close }
}

function tellVersion(registry: Metrics, version: string): void {
  const build = registry.gauge('tidegate_build_info', {
    help: 'The version of this gateway; always 1.',
    labels: ['version'],
  })
  build.series(version).set(1)
}

function collectRequests(registry: Metrics, requests: RequestMetrics): void {
  const active = registry.upDownCounter('http_server_active_requests', {
    help: 'Requests under way.',
  })
  const streams = registry.upDownCounter('tidegate_streams_active', {
    help: 'Event streams to clients under way.',
  })
  registry.observe([active, streams], () => {
    active.series().set(requests.active)
    streams.series().set(requests.activeStreams)
  })
}
