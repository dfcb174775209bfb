import { type Client, makeClient } from './client-options.ts'
import { commandError, connectError } from './describe-error.ts'
import { type RedisConnectError, type RedisError, RedisUnavailableError } from './errors.ts'
import { connectMasters } from './masters.ts'
import type { RedisRole, RedisState, RedisStateChange } from './options.ts'
import type { Plan } from './plan.ts'

/** An argument of a command. */
export type RedisValue = string | number | Uint8Array

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: RedisError) => void
  /** Whether to wait through failures that may pass. */
  readonly patient: boolean
}

export interface ConnectionOptions {
  readonly plan: Plan
  readonly role: RedisRole
  /** How long the server may be silent while something waits for it, in milliseconds. */
  readonly silenceMs: number
  readonly onStateChange: ((change: RedisStateChange) => void) | undefined
  /** What has to be done on a new connection before it is ready. */
  readonly prepare?: (client: Client) => Promise<unknown>
}

/** One ioredis client: made when first needed, its state known, its errors put into words. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #waiters = new Set<Waiter>()
  #client: Client | undefined
  #state: RedisState = 'idle'
  #reason: RedisConnectError | undefined
  #running = 0
  #made = 0
  #settled: (() => void) | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get state(): RedisState {
    return this.#state
  }

  get client(): Client | undefined {
    return this.#client
  }

  /** Why the connection failed last; nothing once it is ready. */
  get reason(): RedisConnectError | undefined {
    return this.#reason
  }

  /** How many times it became ready: another number, another connection, maybe to another server. */
  get made(): number {
    return this.#made
  }

  /**
   * Runs commands on the client, once it is ready: waits for the first connection, never for a later one.
   * An error says `where`.
   */
  async run<T>(
    command: string,
    work: (client: Client) => Promise<T>,
    where = this.#options.plan.where,
  ): Promise<T> {
    const { plan } = this.#options
    if (this.#state === 'idle' || this.#state === 'connecting') {
      await this.#wait(plan.connectTimeoutMs, false, command)
    }
    if (this.#state !== 'ready' || this.#client === undefined) throw this.#unavailable(command)
    this.#running += 1
    try {
      return await work(this.#client)
    } catch (error) {
      throw commandError(error, command, where, plan.commandTimeoutMs)
    } finally {
      this.#running -= 1
      if (this.#running === 0) this.#settled?.()
    }
  }

  /** Waits, through failures that may pass, until commands can go out. */
  async ready(timeoutMs: number): Promise<void> {
    if (this.#state === 'closed') throw this.#unavailable()
    if (this.#state !== 'ready') await this.#wait(timeoutMs, true)
  }

  /** Gives the commands under way until `graceMs` to be answered, then closes. */
  async close(graceMs: number): Promise<void> {
    const client = this.#client
    const wasReady = this.#state === 'ready'
    if (this.#state === 'closed') return
    this.#set('closed')
    for (const waiter of [...this.#waiters]) waiter.reject(this.#unavailable())
    if (client === undefined) return
    if (wasReady && this.#running > 0) await this.#drained(graceMs)
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    const reconnecting = client.status === 'reconnecting' || client.status === 'end'
    client.disconnect()
    if (!reconnecting) await within(ended, 1_000)
  }

  async #drained(graceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#settled = resolve
    await within(promise, graceMs)
  }

  async #wait(timeoutMs: number, patient: boolean, command?: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { resolve, reject, patient }
    this.#waiters.add(waiter)
    const timer = setTimeout(() => reject(this.#reason ?? this.#unavailable(command)), timeoutMs)
    try {
      this.#start()
      if (this.#reason && isHopeless(this.#reason)) reject(this.#reason)
      await promise
    } finally {
      clearTimeout(timer)
      this.#waiters.delete(waiter)
    }
  }

  #start(): void {
    if (this.#client !== undefined) return
    const { plan, role, silenceMs } = this.#options
    const client = makeClient(plan, role, silenceMs)
    this.#client = client
    this.#set('connecting')
    client.on('error', (error: unknown) => this.#failed(connectError(error, plan.where)))
    client.on('node error', (error: unknown) => {
      this.#reason = connectError(error, plan.where)
    })
    client.on('close', () => this.#lost())
    client.on('ready', () => void this.#prepared(client))
    // Its outcome arrives as events as well.
    client.connect().catch(() => undefined)
  }

  async #prepared(client: Client): Promise<void> {
    try {
      // One that hangs must not keep the others from being used.
      await within(connectMasters(client), this.#options.plan.connectTimeoutMs / 2)
      await this.#options.prepare?.(client)
    } catch {
      client.disconnect(true)
      return
    }
    if (this.#state === 'closed' || client.status !== 'ready') return
    this.#reason = undefined
    this.#made += 1
    this.#set('ready')
    for (const waiter of [...this.#waiters]) waiter.resolve()
  }

  #failed(error: RedisConnectError): void {
    if (this.#state === 'closed') return
    this.#reason = error
    for (const waiter of [...this.#waiters]) {
      if (!waiter.patient || isHopeless(error)) waiter.reject(error)
    }
    if (this.#state === 'connecting') this.#set('reconnecting')
  }

  #lost(): void {
    if (this.#state === 'closed') return
    this.#set('reconnecting')
    for (const waiter of [...this.#waiters]) {
      if (!waiter.patient) waiter.reject(this.#unavailable())
    }
  }

  #set(to: RedisState): void {
    const from = this.#state
    if (from === to) return
    this.#state = to
    const { role, onStateChange } = this.#options
    const reason = to === 'reconnecting' ? this.#reason : undefined
    onStateChange?.({ connection: role, from, to, ...(reason === undefined ? {} : { reason }) })
  }

  #unavailable(command?: string): RedisUnavailableError {
    const { where } = this.#options.plan
    const why = this.#state === 'closed' ? 'is closed' : `is ${this.#state}`
    const what =
      command === undefined ? 'Nothing can be sent' : `${command.toUpperCase()} was not sent`
    const message = `${what}: the connection to Redis at ${where} ${why}.`
    return new RedisUnavailableError(message, this.#reason ? { cause: this.#reason } : {})
  }
}

/** Failures that no waiting mends. */
function isHopeless({ code }: RedisConnectError): boolean {
  return code !== 'connection_failed'
}

/** Waits for the promise, but no longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}
