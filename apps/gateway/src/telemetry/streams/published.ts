import { type EventLog, memoryLog } from '@tidegate/events'
import type { History, MetricTags, PublishedMetric } from '@tidegate/telemetry/history'
import { GatewayError } from '../../problems.ts'
import type { SharedRedis } from '../../redis.ts'

const DAY_MS = 86_400_000
const MEMORY_BYTES = 8 * 1024 ** 2

/** What published values need. */
export interface PublishedParts {
  readonly log: EventLog
  readonly history: Pick<History, 'check' | 'record'>
  readonly now: () => number
  /** Told why the log didn't take one. */
  readonly onError: (error: unknown) => void
}

/** The stream `metrics:stream`: the values that others publish, with their tags, in the order they came. */
export class Published {
  readonly log: EventLog
  readonly #history: PublishedParts['history']
  readonly #now: () => number
  readonly #onError: (error: unknown) => void

  constructor({ log, history, now, onError }: PublishedParts) {
    this.log = log
    this.#history = history
    this.#now = now
    this.#onError = onError
  }

  /**
   * Publishes a value of a metric of yours: into the stream, and then into the history.
   *
   * @param at Milliseconds since 1970. Default: now.
   * @throws TelemetryError `invalid_metric`, `invalid_label`; GatewayError `metrics_unavailable`.
   */
  async publish(name: string, value: number, tags?: MetricTags, at?: number): Promise<void> {
    await this.publishAll([this.#history.check(name, value, tags, at ?? this.#now())])
  }

  /**
   * Publishes what was checked; says how many the history has taken too: it has room for so many names. When it
   * rejects, some of it may be in the stream, and nothing is in the history.
   */
  async publishAll(metrics: readonly PublishedMetric[]): Promise<number> {
    const appended = metrics.map((metric) => this.log.append(JSON.stringify(metric)))
    const failed = (await Promise.allSettled(appended)).find((each) => each.status === 'rejected')
    if (failed !== undefined) {
      this.#onError(failed.reason)
      throw new GatewayError('metrics_unavailable', 'The stream of metrics does not take them now.')
    }
    const now = this.#now()
    const kept = metrics.filter(({ name, value, at }) =>
      this.#history.record(name, value, { at: Math.min(at, now) }),
    )
    return kept.length
  }
}

/** Opens the stream: in Redis, for all gateways on it, or in this process. */
export async function openPublishedLog(
  redis: SharedRedis | undefined,
  onError: (error: unknown) => void,
): Promise<EventLog> {
  if (redis === undefined) return memoryLog({ maxAgeMs: DAY_MS, maxBytes: MEMORY_BYTES })
  const { redisLog } = await import('@tidegate/events/redis')
  const { connections, prefix } = redis
  return redisLog({
    redis: connections.commands,
    subscriber: connections.subscriber(),
    key: `${prefix}:metrics:stream:1`,
    ttlMs: DAY_MS,
    onError,
  })
}

/** An entry of the stream, as it is told; `undefined` for what no gateway has put there. */
export function publishedMetric(data: Uint8Array): PublishedMetric | undefined {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()
  try {
    const metric = JSON.parse(text)
    return typeof metric?.name === 'string' ? metric : undefined
  } catch {
    return undefined
  }
}
