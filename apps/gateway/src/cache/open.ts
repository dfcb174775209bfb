import { setTimeout } from 'node:timers/promises'
import type { CacheEvent, CacheOptions } from '@tidegate/cache'
import type { Recordings, RecordingsOptions } from '@tidegate/events'
import type { Logger } from '@tidegate/logger'
import type { AnswerHead } from '../answers/answer-head.ts'
import type { Settings } from '../config/settings.ts'
import { type KeyedAnswers, openKeyedAnswers } from '../idempotency/keyed-answers.ts'
import type { SharedRedis } from '../redis.ts'
import { ResponseCache } from './response-cache.ts'
import { RouteCounts } from './route-counts.ts'
import { Warmer } from './warmer.ts'

/** What a request waits for Redis at most, before it goes on without. */
const STORE_TIMEOUT_MS = 500

/** Streams say every word in a hundred bytes: from this size on it is worth it to have them smaller in Redis. */
const COMPRESSED_BYTES = 16 * 1024

/** What an answer takes beside its body: its head, and what is known of it. */
const HEAD_BYTES = 64 * 1024

/** How often it is looked whether calls are still under way while the gateway shuts down. */
const IDLE_POLL_MS = 20

/** What becomes of a call after its time: it is told of, and its answer is put together. */
const AFTER_CALL_MS = 10_000

/** The answers that several requests may have: kept, under way, or remembered by a key. */
export interface SharedAnswers {
  /** Calls that are under way. */
  readonly recordings: Recordings<AnswerHead>
  /** Absent: no route keeps any. */
  readonly kept: ResponseCache | undefined
  /** Absent as well then. */
  readonly warmer: Warmer | undefined
  /** Absent: no route takes an `Idempotency-Key`. */
  readonly keyed: KeyedAnswers | undefined
  /** By the routes' `match`. */
  readonly counts: ReadonlyMap<string, RouteCounts>
  /** Resolves when no call is under way that somebody elsewhere may have, or will ask for again. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** Opens what the routes of a configuration ask for; `undefined`: nothing is kept or shared. */
export async function openAnswers(
  settings: Settings,
  redis: SharedRedis | undefined,
  logger: Logger,
  now: () => number = Date.now,
): Promise<SharedAnswers | undefined> {
  const { routes } = settings
  const sharing = routes.filter(({ cache, coalesce }) => (cache ?? coalesce) !== undefined)
  const keyed = routes.some(({ idempotency }) => idempotency !== undefined)
  if (sharing.length === 0 && !keyed) return undefined
  const { createRecordings } = await import('@tidegate/events')
  const onError = await sharingErrors(redis, logger)
  const isClustered = routes.some(({ coalesce }) => coalesce?.cluster)
  const shared = isClustered && redis !== undefined ? await recordingsIn(redis) : undefined
  const recordings = createRecordings<AnswerHead>({ onError, now, shared })
  const kept = routes.some(({ cache }) => cache !== undefined)
    ? await openKept(settings, recordings, redis, logger, now)
    : undefined
  const answers = keyed ? await openKeyedAnswers(redis, onError) : undefined
  const warmer = kept && new Warmer({ kept, settings: settings.cache.warm, logger })
  return {
    ...{ recordings, kept, keyed: answers, warmer },
    counts: new Map(sharing.map(({ match }) => [match, new RouteCounts()])),
    idle: async () => {
      await answers?.idle()
      while (recordings.stats().open > 0) await setTimeout(IDLE_POLL_MS)
    },
    close: async () => {
      warmer?.close()
      await Promise.allSettled([kept?.close(), recordings.close(), answers?.close()])
    },
  }
}

/** Tells what went wrong with answers that are shared. */
async function sharingErrors(
  redis: SharedRedis | undefined,
  logger: Logger,
): Promise<(err: unknown) => void> {
  const { isEventsError } = await import('@tidegate/events')
  const errors = redis && (await import('@tidegate/redis'))
  return (err) => {
    if (isEventsError(err)) return
    if (!errors?.isRedisError(err)) logger.error({ err }, 'an answer could not be passed on')
    // That Redis is away is told by its connection, once; that it is full, say, isn't.
    else if (err.code === 'reply_error') logger.warn({ err }, 'Redis refused to share an answer')
  }
}

async function recordingsIn({
  connections,
  prefix,
}: SharedRedis): Promise<NonNullable<RecordingsOptions['shared']>> {
  const { redisRecordings } = await import('@tidegate/events/redis')
  return redisRecordings({
    redis: connections.commands,
    subscriber: connections.subscriber(),
    prefix: `${prefix}:answers:1`,
  })
}

async function openKept(
  settings: Settings,
  recordings: Recordings<AnswerHead>,
  redis: SharedRedis | undefined,
  logger: Logger,
  now: () => number,
): Promise<ResponseCache> {
  const { createCache } = await import('@tidegate/cache')
  const { entries, memory, maxAnswer } = settings.cache
  const totals = settings.upstreams.map(({ timeouts }) => timeouts.total)
  const longestCallMs = Math.max(...totals) + AFTER_CALL_MS
  const cache = createCache({
    ...{ name: 'answers', now },
    l1: { entries, bytes: memory, sizeOf: sizeOfAnswer },
    // A route's time is what it says, for every answer.
    jitter: 0,
    popular: true,
    hardTimeout: longestCallMs,
    onEvent: (event) => logChange(logger, event),
    ...(redis !== undefined && (await tiersIn(redis, settings, maxAnswer + HEAD_BYTES))),
  })
  return new ResponseCache({ cache, recordings, maxAnswer, longestCallMs, now })
}

async function tiersIn(
  { connections, prefix }: SharedRedis,
  settings: Settings,
  maxValueBytes: number,
): Promise<Pick<CacheOptions, 'l2' | 'bus'>> {
  const { redisBus, redisDriver } = await import('@tidegate/cache/redis')
  const { commandTimeoutMs = STORE_TIMEOUT_MS } = settings.redis?.options ?? {}
  const redis = connections.commands
  const own = `${prefix}:cache:1`
  return {
    l2: {
      driver: redisDriver({ redis, prefix: own }),
      hardTimeout: Math.min(commandTimeoutMs, STORE_TIMEOUT_MS),
      maxValueBytes,
      compress: { above: COMPRESSED_BYTES },
    },
    bus: redisBus({ redis, subscriber: connections.subscriber(), channel: `${own}:bus` }),
  }
}

/** Of answers, which are bytes, what they really take. */
function sizeOfAnswer(value: unknown): number {
  return value instanceof Uint8Array ? value.byteLength : HEAD_BYTES
}

function logChange(logger: Logger, event: CacheEvent): void {
  switch (event.type) {
    case 'l2_away':
      logger.warn('kept answers are in memory only for now')
      break
    case 'recovered':
      logger.info('kept answers are shared again')
      break
    case 'bus_lost':
      logger.warn(
        'what other gateways throw away is not heard of for now: Redis is asked each time',
      )
      break
    case 'bus_back':
      logger.info('what other gateways throw away is heard of again')
      break
  }
}
