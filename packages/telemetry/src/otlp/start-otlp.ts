import type { Tracer } from '@opentelemetry/api'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Metrics } from '../core/metrics/metrics.ts'
import { invalidOption } from '../core/option-checks.ts'
import type { SpanRecorder } from '../core/tracing/recorder.ts'
import { type OtlpTarget, type OtlpTargetDefaults, senderOptions } from './endpoint.ts'
import { harmless, type OnLoss } from './losses.ts'
import { MetricExport } from './metric-export.ts'
import { metricProducer } from './metric-producer.ts'
import { OtlpSender, type SenderOptions } from './sender.ts'
import { SpanExport } from './span-export.ts'
import { spanRecorder } from './span-recorder.ts'

/** How spans wait for their export. */
export interface SpanQueue {
  /** Spans that wait at most; more are lost, and told. Default: 2,048. */
  readonly max?: number
  /** Spans in one export. Default: 512. */
  readonly batch?: number
  /** How long they wait for others to go with, in milliseconds. Default: 5,000. */
  readonly delayMs?: number
}

export interface OtlpOptions extends OtlpTargetDefaults {
  /** `service.name`. */
  readonly serviceName: string
  /** `service.version`. */
  readonly version?: string
  /** More about who sends, by OpenTelemetry's names. `serviceName` and `version` win. */
  readonly resource?: Readonly<Record<string, string | number | boolean>>
  /** What is measured; absent: only traces are sent. */
  readonly metrics?: Metrics
  /** What differs from the above for one signal; false: it isn't sent. */
  readonly targets?: {
    readonly traces?: OtlpTarget | false
    readonly metrics?: OtlpTarget | false
  }
  /** Between two exports of metrics, in milliseconds. Default: 60,000. */
  readonly metricIntervalMs?: number
  readonly queue?: SpanQueue
  /** Told of everything that doesn't reach the collector. What it throws is ignored. */
  readonly onLoss?: OnLoss
}

/** The way to a collector. */
export interface Otlp {
  /** For `createTracing`; undefined: traces have no target. */
  readonly recorder: SpanRecorder | undefined
  /** The same way for spans made through OpenTelemetry's own API; all of them are recorded. */
  readonly tracer: Tracer | undefined
  /** Sends what waits, and ends when it is sent or lost. Never rejects. */
  flush(): Promise<void>
  /**
   * Sends what waits and ends. What isn't sent by the deadline, or finds no connection, is given up and told
   * as lost. Never rejects; what is recorded afterwards is ignored.
   *
   * @param deadlineMs 5,000 by default
   */
  shutdown(deadlineMs?: number): Promise<void>
}

/**
 * Sends traces and metrics to an OpenTelemetry collector, over HTTP in protobuf. Whatever the collector
 * does (refuse, hang, fail), what is sent is bounded in memory and in time, no caller waits for it, and
 * nothing is thrown. The environment is not read: the options say all.
 *
 * @throws TelemetryError `invalid_option`: an URL, a header or a limit that can't be
 */
export function startOtlp(options: OtlpOptions): Otlp {
  const onLoss = harmless(options.onLoss)
  const resource = resourceOf(options)
  const traces = startTraces(options, resource, onLoss)
  const metrics = startMetrics(options, resource, onLoss)
  let ending: Promise<void> | undefined
  const shutdown = async (deadlineMs: number): Promise<void> => {
    traces?.sender.hurry()
    metrics?.sender.hurry()
    const done = settled([traces?.provider.shutdown(), metrics?.provider.shutdown()])
    await before(deadlineMs, done)
    traces?.sender.close()
    metrics?.sender.close()
    // What was under way ends now; waiting for it lets its loss be told first.
    await before(1_000, done)
  }
  return {
    recorder: traces?.recorder,
    tracer: traces?.tracer,
    flush: async () => {
      // Waits between tries keep no process alive: the one that waits for them here does.
      const alive = setInterval(() => undefined, 60_000)
      await settled([traces?.provider.forceFlush(), metrics?.provider.forceFlush()])
      clearInterval(alive)
    },
    shutdown: async (deadlineMs = 5_000) => {
      ending ??= shutdown(deadlineMs)
      await ending
    },
  }
}

interface Traces {
  readonly provider: TracerProvider
  readonly tracer: Tracer
  readonly recorder: SpanRecorder
  readonly sender: OtlpSender
}

function startTraces(options: OtlpOptions, resource: Resource, onLoss: OnLoss): Traces | undefined {
  const queue = queueOf(options.queue)
  const target = targetOf('/v1/traces', options, options.targets?.traces)
  if (target === undefined) return undefined
  const sender = new OtlpSender(target)
  const spans = new SpanExport(sender, { ...queue, timeoutMs: target.timeoutMs }, onLoss)
  const scope = '@tidegate/telemetry'
  const provider = new TracerProvider({
    resource,
    sampler: new AlwaysOnSampler(),
    spanLimits: { attributeValueLengthLimit: 1_024 },
    spanProcessors: [spans],
  })
  const recorder = spanRecorder({ resource, scope, onEnd: (span) => spans.onEnd(span) })
  return { provider, tracer: provider.getTracer(scope), recorder, sender }
}

function startMetrics(
  options: OtlpOptions,
  resource: Resource,
  onLoss: OnLoss,
): { readonly provider: MeterProvider; readonly sender: OtlpSender } | undefined {
  const { metrics, metricIntervalMs = 60_000 } = options
  if (!(metricIntervalMs >= 100 && metricIntervalMs <= 86_400_000)) {
    throw invalidOption(`metricIntervalMs is ${metricIntervalMs}; give 100 to 86400000.`)
  }
  const target = targetOf('/v1/metrics', options, options.targets?.metrics)
  if (target === undefined || metrics === undefined) return undefined
  const sender = new OtlpSender(target)
  const reader = new PeriodicExportingMetricReader({
    exporter: new MetricExport(sender, onLoss),
    exportIntervalMillis: metricIntervalMs,
    // One that takes longer goes on until the sender ends it, and the next is left out.
    exportTimeoutMillis: Math.min(metricIntervalMs, target.timeoutMs * 2),
    metricProducers: [metricProducer(metrics)],
  })
  return { provider: new MeterProvider({ resource, readers: [reader] }), sender }
}

function targetOf(
  path: '/v1/metrics' | '/v1/traces',
  options: OtlpOptions,
  own: OtlpTarget | false | undefined,
): SenderOptions | undefined {
  return own === false ? undefined : senderOptions(path, options, own)
}

function queueOf(queue: SpanQueue = {}): {
  readonly maxQueue: number
  readonly maxBatch: number
  readonly delayMs: number
} {
  const { max = 2_048, batch = Math.min(512, max), delayMs = 5_000 } = queue
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1
  if (!isCount(max) || !isCount(batch) || batch > max || !(delayMs >= 0 && delayMs <= 3_600_000)) {
    throw invalidOption(
      'The queue of spans needs whole numbers, batch at most max, delayMs up to an hour.',
    )
  }
  return { maxQueue: max, maxBatch: batch, delayMs }
}

function resourceOf({ serviceName, version, resource }: OtlpOptions): Resource {
  return resourceFromAttributes({
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    ...resource,
    'service.name': serviceName,
    ...(version !== undefined && { 'service.version': version }),
  })
}

async function settled(all: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  await Promise.allSettled(all)
}

async function before(deadlineMs: number, done: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, deadlineMs)
  await Promise.race([done, late])
  clearTimeout(timer)
}
