import { invalidOption } from '../core/option-checks.ts'

/** A script and its name in Redis's script cache. */
export interface TelemetryScript {
  readonly source: string
  /** SHA-1 of the source, in hexadecimal. */
  readonly sha1: string
}

/**
 * What is needed of Redis, from 6.0 on, or Valkey: the `commands` of `@tidegate/redis`, or a few lines around
 * another client. On a Cluster each call goes where its keys live. Each has a time limit of its own.
 */
export interface TelemetryRedis {
  /** Sends a command; texts of the reply come as bytes. */
  callBuffer(name: string, ...args: readonly (string | number)[]): Promise<unknown>
  /** Sends `EVALSHA` and, only when Redis answers `NOSCRIPT`, `EVAL`. All keys share one slot. */
  evaluate(
    script: TelemetryScript,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
  ): Promise<unknown>
}

/**
 * Refuses what can't send what is needed, such as a client itself.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function checkRedis(what: string, redis: TelemetryRedis): void {
  const given: Partial<TelemetryRedis> | undefined = redis
  if (typeof given?.evaluate === 'function' && typeof given.callBuffer === 'function') return
  throw invalidOption(
    `${what}: redis must have the methods evaluate and callBuffer: the commands of @tidegate/redis, or a few lines around a client of yours (see the README).`,
  )
}
