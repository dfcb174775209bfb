import type { Connection, RedisValue } from './connection.ts'
import { RedisReplyError } from './errors.ts'
import type { RedisState } from './options.ts'
import type { Plan } from './plan.ts'
import { scan } from './scan.ts'
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
  /**
   * Walks the keys that match a pattern of `SCAN`, batch by batch, on every master of a Cluster, one
   * after the other. Every reply is given, also an empty one, as a sign that it goes on. What is there all
   * the while comes, and may come twice; a server that fails, one that was connected to anew meanwhile, or
   * slots that moved make it reject, as keys may have been left out.
   *
   * @param options `count` is how many keys Redis looks at before it lets others in. Default 100.
   */
  scan(
    match: string,
    options?: { readonly count?: number | undefined },
  ): AsyncIterable<readonly string[]>
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
    return this.#connection.run(command, (client) => client.call(command, ...sendable(args)))
  }

  callBuffer(name: string, ...args: readonly RedisValue[]): Promise<unknown> {
    const command = name.toLowerCase()
    return this.#connection.run(command, (client) => client.callBuffer(command, ...sendable(args)))
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

  scan(
    match: string,
    { count = 100 }: { readonly count?: number | undefined } = {},
  ): AsyncIterable<readonly string[]> {
    return scan(this.#connection, this.#plan.where, { match, count })
  }
}

/** Arguments as the client takes them: bytes that aren't a `Buffer` it would write out as a list. */
export function sendable(args: readonly RedisValue[]): readonly (string | number | Buffer)[] {
  return args.map((arg) =>
    arg instanceof Uint8Array && !Buffer.isBuffer(arg)
      ? Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength)
      : arg,
  )
}
