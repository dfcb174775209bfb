import { setImmediate } from 'node:timers/promises'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { BatchSpanProcessor, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace'
import type { OnLoss } from './losses.ts'
import type { OtlpSender } from './sender.ts'

// A span takes about ten microseconds.
const spansAtOnce = 32

export interface SpanQueueOptions {
  /** Spans that wait at most; more are lost and counted. */
  readonly maxQueue: number
  /** Spans in one export. */
  readonly maxBatch: number
  /** How long spans wait for others to go with. */
  readonly delayMs: number
  /** Of one export, as the sender has it. */
  readonly timeoutMs: number
}

/** Ended spans, on their way to the collector in batches: bounded, and every loss is told. */
export class SpanExport implements SpanProcessor {
  readonly #sender: OtlpSender
  readonly #onLoss: OnLoss
  readonly #maxQueue: number
  readonly #batches: BatchSpanProcessor
  readonly #underWay = new Set<Promise<void>>()
  #waiting = 0

  constructor(sender: OtlpSender, options: SpanQueueOptions, onLoss: OnLoss) {
    this.#sender = sender
    this.#onLoss = onLoss
    this.#maxQueue = options.maxQueue
    this.#batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => this.#export(spans, done),
        shutdown: () => this.#arrived(),
      },
      maxQueueSize: options.maxQueue,
      maxExportBatchSize: options.maxBatch,
      scheduledDelayMillis: options.delayMs,
      // Never the first to give up: two exports would be under way at once.
      exportTimeoutMillis: options.timeoutMs * 2,
    })
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    // The SDK drops what doesn't fit as well, but tells nobody.
    if (this.#waiting >= this.#maxQueue) {
      this.#onLoss({ signal: 'traces', reason: 'queue_full', count: 1 })
      return
    }
    this.#waiting += 1
    this.#batches.onEnd(span)
  }

  async forceFlush(): Promise<void> {
    await this.#batches.forceFlush()
    // The SDK waits for what it sends now, not for what it was sending already.
    await this.#arrived()
  }

  async shutdown(): Promise<void> {
    await this.#batches.shutdown()
  }

  /** Always tells the SDK of success: it could do nothing but end a flush before its other batches. */
  #export(spans: ReadableSpan[], done: (result: { code: 0 }) => void): void {
    this.#waiting -= spans.length
    const delivery = this.#deliver(spans)
      .catch(() => this.#onLoss({ signal: 'traces', reason: 'rejected', count: spans.length }))
      .finally(() => {
        this.#underWay.delete(delivery)
        done({ code: 0 })
      })
    this.#underWay.add(delivery)
  }

  async #arrived(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #deliver(spans: ReadableSpan[]): Promise<void> {
    const count = spans.length
    const delivery = await this.#sender.send(await encode(spans))
    if (delivery.delivered) {
      const rejected = rejectedSpans(delivery.body)
      if (rejected > 0) {
        this.#onLoss({ signal: 'traces', reason: 'rejected', count: Math.min(rejected, count) })
      }
      return
    }
    const { failure: reason, status } = delivery
    this.#onLoss({ signal: 'traces', reason, count, ...(status !== undefined && { status }) })
  }
}

/**
 * A few spans at a time, so that requests come in between. Protobuf messages that follow each other are one
 * message with the lists of all.
 */
async function encode(spans: ReadableSpan[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let at = 0; at < spans.length; at += spansAtOnce) {
    if (at > 0) await setImmediate()
    const part = ProtobufTraceSerializer.serializeRequest(spans.slice(at, at + spansAtOnce))
    if (part !== undefined) parts.push(part)
  }
  return Buffer.concat(parts)
}

function rejectedSpans(body: Uint8Array): number {
  try {
    const answer = ProtobufTraceSerializer.deserializeResponse(body)
    return Number(answer.partialSuccess?.rejectedSpans ?? 0)
  } catch {
    // It said 2xx: that its answer is no protobuf is its affair.
    return 0
  }
}
