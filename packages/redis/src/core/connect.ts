import { Commands, type RedisCommands, sendable } from './commands.ts'
import { Connection, type RedisValue } from './connection.ts'
import { commandError } from './describe-error.ts'
import { type RedisError, RedisReplyError, RedisUnavailableError } from './errors.ts'
import type { RedisOptions, RedisState } from './options.ts'
import { type Plan, planOf } from './plan.ts'
import { type RedisSubscriber, Subscriber } from './subscriber.ts'

/** A connection for reads that wait at the server; closed with the others, or alone. */
export interface RedisBlocking extends AsyncDisposable {
  readonly state: RedisState
  /** Sends a command that may wait at the server: no longer than the `maxBlockMs` it was made with. */
  call(name: string, ...args: readonly RedisValue[]): Promise<unknown>
  close(): Promise<void>
}

/** How Redis is. */
export type RedisHealth =
  | { readonly status: 'up'; readonly latencyMs: number }
  | { readonly status: 'down'; readonly latencyMs: number; readonly error: RedisError }

/** Everything one application needs of one Redis. */
export interface RedisConnections extends AsyncDisposable {
  /** Where it is, without credentials. */
  readonly where: string
  /** Connects on the first command. */
  readonly commands: RedisCommands
  /** The state of the connection for commands. */
  readonly state: RedisState
  /**
   * Waits until commands can go out, through failures that may pass. Rejects at once where waiting won't
   * help (TLS, password), and after `timeoutMs` (default: `connectTimeoutMs`) with the last failure.
   */
  ready(options?: { readonly timeoutMs?: number }): Promise<void>
  /** The connection that listens to channels: always the same one. */
  subscriber(): RedisSubscriber
  /**
   * A new connection for reads that wait (`BLPOP`, `XREAD BLOCK`): one per loop that reads, as they wait
   * behind each other. `maxBlockMs` is the longest any of them waits; a server silent for longer than
   * that and the command's time limit is taken for dead. Default 10,000.
   */
  blocking(options?: { readonly maxBlockMs?: number }): RedisBlocking
  /** Asks Redis for a sign of life, a Cluster whether all slots are served. Never rejects. */
  health(options?: { readonly timeoutMs?: number }): Promise<RedisHealth>
  /** Lets commands under way be answered, within their time limit, and closes every connection. */
  close(): Promise<void>
}

/**
 * Connects to Redis: one server, a Cluster, or what Sentinels watch. Nothing is opened before it is
 * used; call `ready()` to know at the start.
 *
 * @throws {RedisSettingsError} with everything that is wrong with the options
 */
export function connectRedis(options: RedisOptions): RedisConnections {
  return new Connections(planOf(options), options.onStateChange)
}

class Connections implements RedisConnections {
  readonly commands: RedisCommands
  readonly #plan: Plan
  readonly #onStateChange: RedisOptions['onStateChange']
  readonly #connection: Connection
  readonly #blocking = new Set<RedisBlocking>()
  #subscriber: Subscriber | undefined
  #closed = false

  constructor(plan: Plan, onStateChange: RedisOptions['onStateChange']) {
    this.#plan = plan
    this.#onStateChange = onStateChange
    const silenceMs = plan.commandTimeoutMs
    this.#connection = new Connection({ plan, role: 'commands', silenceMs, onStateChange })
    this.commands = new Commands(plan, this.#connection)
  }

  get where(): string {
    return this.#plan.where
  }

  get state(): RedisState {
    return this.#connection.state
  }

  ready({ timeoutMs = this.#plan.connectTimeoutMs } = {}): Promise<void> {
    return this.#connection.ready(timeoutMs)
  }

  subscriber(): RedisSubscriber {
    if (this.#subscriber !== undefined) return this.#subscriber
    this.#admit()
    this.#subscriber = new Subscriber({
      plan: this.#plan,
      silenceMs: this.#plan.commandTimeoutMs,
      onStateChange: this.#onStateChange,
    })
    return this.#subscriber
  }

  blocking({ maxBlockMs = 10_000 } = {}): RedisBlocking {
    this.#admit()
    const plan = this.#plan
    const silenceMs = maxBlockMs + plan.commandTimeoutMs
    const onStateChange = this.#onStateChange
    const connection = new Connection({ plan, role: 'blocking', silenceMs, onStateChange })
    const close = async () => {
      this.#blocking.delete(blocking)
      await connection.close(0)
    }
    const blocking: RedisBlocking = {
      get state() {
        return connection.state
      },
      call: async (name, ...args) => {
        // A loop that reads has nothing to do meanwhile but to wait.
        await connection.ready(plan.connectTimeoutMs)
        const command = name.toLowerCase()
        return await connection.run(command, (client) => client.call(command, ...sendable(args)))
      },
      close,
      [Symbol.asyncDispose]: close,
    }
    this.#blocking.add(blocking)
    return blocking
  }

  async health({ timeoutMs = this.#plan.commandTimeoutMs } = {}): Promise<RedisHealth> {
    const begun = performance.now()
    const passed = () => Math.round((performance.now() - begun) * 1000) / 1000
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error('Command timed out')), timeoutMs)
    try {
      await Promise.race([this.#probe(), promise])
      return { status: 'up', latencyMs: passed() }
    } catch (error) {
      const down = commandError(error, 'ping', this.where, timeoutMs)
      return { status: 'down', latencyMs: passed(), error: down }
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const { commandTimeoutMs } = this.#plan
    const blocking = [...this.#blocking].map((connection) => connection.close())
    const commands = this.#connection.close(commandTimeoutMs)
    await Promise.all([commands, this.#subscriber?.close(), ...blocking])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #probe(): Promise<void> {
    if (this.#plan.target.kind !== 'cluster') return void (await this.commands.call('ping'))
    const info = String(await this.commands.call('cluster', 'info'))
    if (!info.includes('cluster_state:ok')) {
      throw new RedisReplyError('The Cluster does not serve all of its slots.', 'CLUSTERDOWN')
    }
  }

  #admit(): void {
    const open = 1 + (this.#subscriber === undefined ? 0 : 1) + this.#blocking.size
    if (this.#closed) {
      throw new RedisUnavailableError(`The connections to Redis at ${this.where} are closed.`)
    }
    if (open < this.#plan.maxConnections) return
    const message = `No further connection to Redis at ${this.where}: maxConnections is ${this.#plan.maxConnections}.`
    throw new RedisUnavailableError(message)
  }
}
