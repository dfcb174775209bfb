import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { OnLoss } from './losses.ts'
import type { OtlpSender } from './sender.ts'

/** Metrics on their way to the collector. What is lost comes with the next export: all are cumulative. */
export class MetricExport implements PushMetricExporter {
  readonly #sender: OtlpSender
  readonly #onLoss: OnLoss
  #underWay: Promise<void> = Promise.resolve()

  constructor(sender: OtlpSender, onLoss: OnLoss) {
    this.#sender = sender
    this.#onLoss = onLoss
  }

  export(metrics: ResourceMetrics, done: (result: { code: 0 }) => void): void {
    this.#underWay = this.#deliver(metrics).catch(() => undefined)
    this.#underWay.then(() => done({ code: 0 }))
  }

  async forceFlush(): Promise<void> {
    await this.#underWay
  }

  async shutdown(): Promise<void> {
    await this.#underWay
  }

  async #deliver(metrics: ResourceMetrics): Promise<void> {
    const body = ProtobufMetricsSerializer.serializeRequest(metrics)
    if (body === undefined) return
    const delivery = await this.#sender.send(body)
    if (delivery.delivered) {
      const count = rejectedPoints(delivery.body)
      if (count > 0) this.#onLoss({ signal: 'metrics', reason: 'rejected', count })
      return
    }
    const { failure: reason, status } = delivery
    this.#onLoss({ signal: 'metrics', reason, count: 1, ...(status !== undefined && { status }) })
  }
}

function rejectedPoints(body: Uint8Array): number {
  try {
    const answer = ProtobufMetricsSerializer.deserializeResponse(body)
    return Number(answer.partialSuccess?.rejectedDataPoints ?? 0)
  } catch {
    return 0
  }
}
