import type { CacheBus } from '../core/driver.ts'
import { CacheError } from '../core/errors.ts'
import { Heartbeat } from './heartbeat.ts'
import { checkMethods, type RedisClient, type RedisSubscriber } from './redis-client.ts'

/** How {@link redisBus} is made. */
export interface RedisBusOptions {
  /** What publishes: `redis.commands` of `@tidegate/redis`, or a few lines around a client. */
  readonly redis: Pick<RedisClient, 'call'>
  /** What listens: `redis.subscriber()` of `@tidegate/redis`, or a few lines around a client. */
  readonly subscriber: RedisSubscriber
  /**
   * Where messages go. Redis delivers them whatever its database is: applications that share a Redis need
   * channels of their own, as they need prefixes. Default `tidegate:cache:1:bus`.
   */
  readonly channel?: string | undefined
  /**
   * How often it is tried, in milliseconds, whether a message still arrives: at a server that has been cut
   * off from the others, nothing does, though it answers. What doesn't arrive by the next time counts as
   * lost. 0: never. Default 5,000.
   */
  readonly heartbeatMs?: number | undefined
  /** Draws the waits before trying to listen again, from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

type Listener = Parameters<CacheBus['subscribe']>[0]

const LONGEST_PAUSE_MS = 2_000

/**
 * A bus over the channels of Redis, of one server or a Cluster. What isn't delivered at once is lost:
 * `onReset` tells of it as soon as the subscriber knows, and otherwise when a message that it sends to
 * itself hasn't arrived: within two `heartbeatMs`. At a node that only some of a Cluster can reach, it may
 * take a few more until one is sent from where it can't come.
 *
 * @throws CacheError `invalid_option` for a client that lacks a method, an empty channel, or a heartbeat
 *   that is no time.
 */
export function redisBus(options: RedisBusOptions): CacheBus {
  const { redis, subscriber, channel = 'tidegate:cache:1:bus', heartbeatMs = 5_000 } = options
  checkMethods('redisBus', 'redis', redis, ['call'])
  checkMethods('redisBus', 'subscriber', subscriber, ['subscribe', 'onReset'])
  if (channel === '') throw new CacheError('invalid_option', 'redisBus: the channel is empty.')
  if (!Number.isSafeInteger(heartbeatMs) || heartbeatMs < 0 || heartbeatMs > 2_147_483_647) {
    const message = 'redisBus: heartbeatMs must be a whole number of milliseconds, or 0 for none.'
    throw new CacheError('invalid_option', message)
  }
  const parts = { redis, subscriber, channel, heartbeatMs, random: options.random ?? Math.random }
  return {
    async publish(message) {
      await redis.call('PUBLISH', channel, message)
    },
    async subscribe(listener) {
      const listening = new Listening(parts, listener)
      await listening.begin()
      return () => listening.end()
    },
  }
}

type Parts = Required<{
  readonly [Option in keyof RedisBusOptions]: NonNullable<RedisBusOptions[Option]>
}>

/** One listener: tries until it listens, and tells whenever it may have missed something. */
class Listening {
  readonly #parts: Parts
  readonly #listener: Listener
  readonly #heartbeat: Heartbeat
  readonly #forget: () => void
  #stop: (() => Promise<void>) | undefined
  #connected = true
  #audible = true
  #told: 'nothing' | 'lost' | 'back' = 'nothing'
  #ended = false
  #retry: NodeJS.Timeout | undefined
  #tries = 0

  constructor(parts: Parts, listener: Listener) {
    this.#parts = parts
    this.#listener = listener
    this.#heartbeat = new Heartbeat({
      ...parts,
      isConnected: () => this.#connected,
      onChange: (audible) => {
        this.#audible = audible
        this.#tell()
      },
    })
    this.#forget = parts.subscriber.onReset((state) => {
      this.#connected = state === 'back'
      this.#tell(this.#connected)
    })
  }

  async begin(): Promise<void> {
    const { subscriber, channel } = this.#parts
    try {
      const stop = await subscriber.subscribe(channel, (message) => {
        if (!this.#ended) this.#listener.onMessage(message)
      })
      if (this.#ended) return await stop()
      this.#stop = stop
      this.#heartbeat.start()
      this.#tell()
    } catch {
      if (this.#ended) return
      if (this.#told !== 'lost') this.#inform('lost')
      this.#tryAgain()
    }
  }

  async end(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#retry)
    this.#forget()
    await Promise.all([this.#heartbeat.stop(), this.#stop?.()])
    this.#stop = undefined
  }

  /** Tells what has changed; and that it is back also when nobody said that it was lost. */
  #tell(isNew = false): void {
    const listens = this.#stop !== undefined && this.#connected && this.#audible
    if (listens && (isNew || this.#told === 'lost')) this.#inform('back')
    if (!listens && this.#told !== 'lost' && (this.#stop !== undefined || !this.#connected)) {
      this.#inform('lost')
    }
  }

  #inform(state: 'lost' | 'back'): void {
    if (this.#ended) return
    this.#told = state
    this.#listener.onReset(state)
  }

  #tryAgain(): void {
    this.#tries += 1
    const limit = Math.min(LONGEST_PAUSE_MS, 50 * 2 ** this.#tries)
    // Never at once, as a subscriber may reject at once.
    const pause = limit / 2 + (this.#parts.random() * limit) / 2
    this.#retry = setTimeout(() => void this.begin(), pause).unref()
  }
}
