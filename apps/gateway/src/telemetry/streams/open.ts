import type { Logger } from '@tidegate/logger'
import type { History, MetricTags } from '@tidegate/telemetry/history'
import type { SharedRedis } from '../../redis.ts'
import { openPublishedLog, Published } from './published.ts'
import { SampleFeed } from './sample-feed.ts'

/** Whoever may not see any more, sees no more after that. */
const TURN_MS = 15 * 60_000

/** What streams are opened with. */
export interface StreamParts {
  readonly history: History
  readonly logger: Logger
  /** Absent: what is published is in this process's memory. */
  readonly redis: SharedRedis | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** After how many milliseconds a reader has to come back, and say again who it is. Default: a quarter of an hour. */
  readonly turnMs?: number
}

/** What is told of metrics as it happens. */
export interface MetricStreams {
  readonly history: History
  /** The points of the history, as they come. */
  readonly feed: SampleFeed
  /** `metrics:stream`: what others publish. */
  readonly published: Published
  /** Aborted when readers are to come back to another gateway. */
  readonly ending: AbortSignal
  readonly now: () => number
  readonly turnMs: number
  /**
   * Publishes a value of a metric, with up to ten tags, into `metrics:stream` and the history.
   *
   * @param at Milliseconds since 1970. Default: now.
   * @throws TelemetryError `invalid_metric`, `invalid_label`; GatewayError `metrics_unavailable`.
   */
  publishMetric(name: string, value: number, tags?: MetricTags, at?: number): Promise<void>
  /** Tells who follows the feed of something that isn't a sample. */
  tell(event: string, data: unknown): void
  /** Told what went wrong behind a stream. */
  onError(error: unknown): void
  /** Ends what is being read, and will be: for when the gateway begins to shut down. */
  end(): void
  close(): Promise<void>
}

export async function openStreams(parts: StreamParts): Promise<MetricStreams> {
  const { history, logger, redis, now = Date.now, turnMs = TURN_MS } = parts
  const errors = redis && (await import('@tidegate/redis'))
  const onError = (err: unknown): void => {
    // That Redis is away is told by its connection, once.
    if (!errors?.isRedisError(err)) logger.error({ err }, 'a stream of metrics failed')
    else if (err.code === 'reply_error') logger.warn({ err }, 'Redis refused published metrics')
  }
  const log = await openPublishedLog(redis, onError)
  const published = new Published({ log, history, now, onError })
  const feed = new SampleFeed(history, now, onError)
  const ending = new AbortController()
  return {
    ...{ history, feed, published, now, turnMs, onError, ending: ending.signal },
    publishMetric: (name, value, tags, at) => published.publish(name, value, tags, at),
    tell: (event, data) => feed.tell(event, data),
    end: () => ending.abort(),
    close: async () => {
      ending.abort()
      await Promise.allSettled([feed.close(), published.log.close()])
    },
  }
}
