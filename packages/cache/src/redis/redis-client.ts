import { CacheError } from '../core/errors.ts'

type Argument = string | number | Buffer

/** What is needed of Redis: the `commands` of `@tidegate/redis`, or a few lines around another client. */
export interface RedisClient {
  /** Sends a command, once; on a Cluster to where its key lives. */
  call(name: string, ...args: readonly Argument[]): Promise<unknown>
  /** As `call`, with bytes in place of texts in the reply. */
  callBuffer(name: string, ...args: readonly Argument[]): Promise<unknown>
  /**
   * Sends `EVALSHA` with the script's `sha1` and, only when Redis answers `NOSCRIPT`, `EVAL` with its
   * source. On a Cluster it goes where the keys live, which all share one slot.
   */
  evaluate(
    script: { readonly source: string; readonly sha1: string },
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<unknown>
  /**
   * Walks the keys that match a pattern of `SCAN`, on every master of a Cluster, or rejects. Every reply
   * is given, also an empty one.
   */
  scan(match: string, options: { readonly count: number }): AsyncIterable<readonly string[]>
}

/** What a bus needs beside: `redis.subscriber()` of `@tidegate/redis`, or a few lines around a client. */
export interface RedisSubscriber {
  /** Listens to a channel, also on every later connection; rejects when it can't yet. Returns what ends it. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>
  /**
   * Tells when the connection is lost, and when it is back with its channels. Returns what ends that.
   */
  onReset(listener: (state: 'lost' | 'back') => void): () => void
  /** Gives the connection up for a new one, to another node if it can: it answers but hears nothing. */
  reconnect?(): void
}

/**
 * Refuses what lacks a method, such as a client itself: each call would fail, and the cache would go on
 * without its second tier.
 *
 * @throws CacheError `invalid_option`.
 */
export function checkMethods<T extends object>(
  of: string,
  option: string,
  given: T,
  methods: readonly (keyof T & string)[],
): void {
  const missing = methods.filter(
    (method) => typeof (given as T | undefined)?.[method] !== 'function',
  )
  if (missing.length === 0) return
  throw new CacheError(
    'invalid_option',
    `${of}: ${option} lacks ${missing.join(', ')}. Give what @tidegate/redis has, or a few lines around a client of yours (see the README).`,
  )
}
