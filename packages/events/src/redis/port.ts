import { EventsError } from '../core/errors.ts'

/** A script and its name in Redis's script cache. */
export interface EventsScript {
  readonly source: string
  /** SHA-1 of the source, in hexadecimal. */
  readonly sha1: string
}

/**
 * What is needed of Redis, from 6.0 on, or Valkey: the `commands` of `@tidegate/redis`, or a few lines around
 * another client. On a Cluster each call goes where its key lives. Nothing here is sent twice on its own.
 */
export interface EventsRedis {
  /** Sends a command; texts of the reply come as bytes. */
  callBuffer(name: string, ...args: readonly (string | number)[]): Promise<unknown>
  /** Sends `EVALSHA` and, only when Redis answers `NOSCRIPT`, `EVAL`. All keys share one slot. */
  evaluate(
    script: EventsScript,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
  ): Promise<unknown>
}

/** The `subscriber` of `@tidegate/redis`, or a few lines around another client. */
export interface EventsSubscriber {
  /** When given, and not `ready`, messages may be lost: the log is looked at more often. */
  readonly state?: string
  /** Listens to a channel, also on every later connection, once it has resolved; returns what ends it. */
  subscribe(
    channel: string,
    listener: (message: string, channel: string) => void,
  ): Promise<() => Promise<void>>
}

/**
 * Refuses what can't send what is needed, such as a client itself.
 *
 * @throws EventsError `invalid_option`.
 */
export function checkRedis(what: string, redis: EventsRedis): void {
  const given: Partial<EventsRedis> | undefined = redis
  if (typeof given?.evaluate === 'function' && typeof given.callBuffer === 'function') return
  throw new EventsError(
    'invalid_option',
    `${what}: redis must have the methods evaluate and callBuffer: the commands of @tidegate/redis, or a few lines around a client of yours (see the README).`,
  )
}
