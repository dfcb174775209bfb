import type { CacheBus } from '../core/driver.ts'
import { CacheError } from '../core/errors.ts'
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
  /** Draws the waits before trying to listen again, from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

type Listener = Parameters<CacheBus['subscribe']>[0]

const LONGEST_PAUSE_MS = 2_000

/**
 * A bus over the channels of Redis, of one server or a Cluster. What isn't delivered at once is lost:
 * `onReset` tells of it as soon as the subscriber knows, which for a connection that is silently dead is
 * its time limit (with `@tidegate/redis`, two `commandTimeoutMs`).
 *
 * @throws CacheError `invalid_option` for a client that lacks a method, or an empty channel.
 */
export function redisBus(options: RedisBusOptions): CacheBus {
  const { redis, subscriber, channel = 'tidegate:cache:1:bus', random = Math.random } = options
  checkMethods('redisBus', 'redis', redis, ['call'])
  checkMethods('redisBus', 'subscriber', subscriber, ['subscribe', 'onReset'])
  if (channel === '') throw new CacheError('invalid_option', 'redisBus: the channel is empty.')
  return {
    async publish(message) {
      await redis.call('PUBLISH', channel, message)
    },
    async subscribe(listener) {
      const listening = new Listening(subscriber, channel, listener, random)
      await listening.begin()
      return () => listening.end()
    },
  }
}

/** One listener: tries until it listens, and tells whenever it may have missed something. */
class Listening {
  readonly #subscriber: RedisSubscriber
  readonly #channel: string
  readonly #listener: Listener
  readonly #random: () => number
  readonly #forget: () => void
  #stop: (() => Promise<void>) | undefined
  #state: 'new' | 'lost' | 'listening' | 'ended' = 'new'
  #connectionLost = false
  #retry: NodeJS.Timeout | undefined
  #tries = 0

  constructor(
    subscriber: RedisSubscriber,
    channel: string,
    listener: Listener,
    random: () => number,
  ) {
    this.#subscriber = subscriber
    this.#channel = channel
    this.#listener = listener
    this.#random = random
    this.#forget = subscriber.onReset((state) => {
      this.#connectionLost = state === 'lost'
      this.#reset(state)
    })
  }

  async begin(): Promise<void> {
    try {
      const stop = await this.#subscriber.subscribe(this.#channel, (message) => {
        if (this.#state !== 'ended') this.#listener.onMessage(message)
      })
      if (this.#state === 'ended') return await stop()
      this.#stop = stop
      this.#tries = 0
      if (!this.#connectionLost) this.#reset('back')
    } catch {
      if (this.#state === 'ended') return
      this.#reset('lost')
      this.#tryAgain()
    }
  }

  async end(): Promise<void> {
    this.#state = 'ended'
    clearTimeout(this.#retry)
    this.#forget()
    await this.#stop?.()
  }

  #reset(reset: 'lost' | 'back'): void {
    const before = this.#state
    if (before === 'ended') return
    if (reset === 'lost') {
      this.#state = 'lost'
      if (before !== 'lost') this.#listener.onReset('lost')
      return
    }
    // The connection is back, but not yet with this channel.
    if (this.#stop === undefined) return
    this.#state = 'listening'
    if (before !== 'new') this.#listener.onReset('back')
  }

  #tryAgain(): void {
    this.#tries += 1
    const limit = Math.min(LONGEST_PAUSE_MS, 50 * 2 ** this.#tries)
    // Never at once, as a subscriber may reject at once.
    const pause = limit / 2 + (this.#random() * limit) / 2
    this.#retry = setTimeout(() => void this.begin(), pause).unref()
  }
}
