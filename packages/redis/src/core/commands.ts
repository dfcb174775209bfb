import type { Connection, RedisValue } from './connection.ts'
import { RedisReplyError } from './errors.ts'
import type { RedisState } from './options.ts'
import type { Plan } from './plan.ts'
import type { RedisScript } from './script.ts'

/** A command and its arguments: `['SET', 'key', 'value']`. */
export type RedisCommand = readonly [name: string, ...args: readonly RedisValue[]]

/** Sends commands. On a Cluster each goes where its key lives. */
export interface RedisCommands {
  readonly state: RedisState
  /**
   * Sends a command, once. Waits for the first connection, never for a later one. Replies are the same
   * over RESP2 and RESP3; `HGETALL` gives an object.
   *
   * @throws {RedisError} `mayHaveRun` says whether it may have been carried out
   */
  call(name: string, ...args: readonly RedisValue[]): Promise<unknown>
  /** As `call`, with bytes in place of texts in the reply. */
  callBuffer(name: string, ...args: readonly RedisValue[]): Promise<unknown>
  /**
   * As `call`, for a command that only reads: one that got no answer is sent a second time, when the
   * connection is back within the command's time limit.
   */
  read(name: string, ...args: readonly RedisValue[]): Promise<unknown>
  /** Sends commands together and settles with every outcome, in order. Not a transaction. */
  batch(commands: readonly RedisCommand[]): Promise<readonly PromiseSettledResult<unknown>[]>
  /**
   * Runs a script by its digest, and by its source when Redis doesn't have it (`NOSCRIPT`: it hasn't
   * run). For no other reason is it sent again. On a Cluster all keys have to share one slot.
   */
  evaluate(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisValue[],
  ): Promise<unknown>
}

/** `RedisCommands` over one connection. */
export class Commands implements RedisCommands {
  readonly #plan: Plan
  readonly #connection: Connection

  constructor(plan: Plan, connection: Connection) {
    this.#plan = plan
    this.#connection = connection
  }

  get state(): RedisState {
    return this.#connection.state
  }

  call(name: string, ...args: readonly RedisValue[]): Promise<unknown> {
    const command = name.toLowerCase()
    return this.#connection.run(command, (client) => client.call(command, ...args))
  }

  callBuffer(name: string, ...args: readonly RedisValue[]): Promise<unknown> {
    const command = name.toLowerCase()
    return this.#connection.run(command, (client) => client.callBuffer(command, ...args))
  }

  async read(name: string, ...args: readonly RedisValue[]): Promise<unknown> {
    const begun = performance.now()
    try {
      return await this.call(name, ...args)
    } catch (error) {
      const left = this.#plan.commandTimeoutMs - (performance.now() - begun)
      if (error instanceof RedisReplyError || left <= 0 || this.state === 'closed') throw error
      await this.#connection.ready(left).catch(() => {
        throw error
      })
      return await this.call(name, ...args)
    }
  }

  async batch(
    commands: readonly RedisCommand[],
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    return await Promise.allSettled(commands.map(([name, ...args]) => this.call(name, ...args)))
  }

  async evaluate(
    { source, sha1 }: RedisScript,
    keys: readonly string[],
    args: readonly RedisValue[],
  ): Promise<unknown> {
    try {
      return await this.call('evalsha', sha1, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof RedisReplyError) || error.reply !== 'NOSCRIPT') throw error
      return await this.call('eval', source, keys.length, ...keys, ...args)
    }
  }
}
