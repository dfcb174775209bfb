import type { Client } from './client-options.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import type { RedisState, RedisStateChange } from './options.ts'
import type { Plan } from './plan.ts'

/** Takes a message that was published on a channel. */
export type MessageListener = (message: string, channel: string) => void

/** Takes that the connection was lost, or that it is back and listens to its channels again. */
export type ResetListener = (state: 'lost' | 'back') => void

/** The connection that listens to channels. All listeners share it. */
export interface RedisSubscriber {
  readonly state: RedisState
  /**
   * Listens to a channel, also on every later connection. Resolves once Redis has confirmed it, and
   * rejects when there is no connection within `connectTimeoutMs`. What is
   * published while the connection is down is lost: see `onReset`.
   *
   * @returns ends it
   */
  subscribe(channel: string, listener: MessageListener): Promise<() => Promise<void>>
  /**
   * Tells when the connection is lost, or closed, and when it is back: then the channels are subscribed
   * to anew, and what was published in between is lost. It may have been lost for a while before it is
   * noticed: two `commandTimeoutMs` at the most. The listener must not throw.
   *
   * @returns ends it
   */
  onReset(listener: ResetListener): () => void
  /**
   * Gives the present connection up and makes a new one, on a Cluster to the next node: for who has found
   * out that messages don't arrive, though the server answers.
   */
  reconnect(): void
}

/** A `RedisSubscriber` over a connection of its own. */
export class Subscriber implements RedisSubscriber {
  readonly #plan: Plan
  readonly #connection: Connection
  readonly #listeners = new Map<string, Set<MessageListener>>()
  readonly #resetListeners = new Set<ResetListener>()
  #heartbeat: NodeJS.Timeout | undefined

  constructor(options: Omit<ConnectionOptions, 'role' | 'prepare'>) {
    this.#plan = options.plan
    const prepare = (client: Client) => this.#prepare(client)
    const onStateChange = (change: RedisStateChange) => {
      options.onStateChange?.(change)
      this.#tell(change)
    }
    this.#connection = new Connection({ ...options, role: 'subscriber', prepare, onStateChange })
  }

  get state(): RedisState {
    return this.#connection.state
  }

  async subscribe(channel: string, listener: MessageListener): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    try {
      await this.#connection.ready(this.#plan.connectTimeoutMs)
      await this.#connection.run('subscribe', (client) => client.subscribe(channel))
    } catch (error) {
      this.#forget(channel, listener)
      throw error
    }
    return async () => {
      if (!this.#forget(channel, listener) || this.state !== 'ready') return
      // Should it fail, the connection is lost, and the next one won't ask for the channel.
      await this.#connection
        .run('unsubscribe', (client) => client.unsubscribe(channel))
        .catch(() => undefined)
    }
  }

  onReset(listener: ResetListener): () => void {
    // A function of its own, as the same listener may be given twice.
    const own: ResetListener = (state) => listener(state)
    this.#resetListeners.add(own)
    return () => void this.#resetListeners.delete(own)
  }

  reconnect(): void {
    if (this.state === 'ready') this.#connection.client?.disconnect(true)
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#listeners.clear()
    await this.#connection.close(0)
    this.#resetListeners.clear()
  }

  #tell({ from, to }: RedisStateChange): void {
    const isBack = to === 'ready' && this.#connection.made > 1
    if (from !== 'ready' && !isBack) return
    for (const listener of [...this.#resetListeners]) listener(isBack ? 'back' : 'lost')
  }

  /** Says whether the channel has no listener left. */
  #forget(channel: string, listener: MessageListener): boolean {
    const listeners = this.#listeners.get(channel)
    if (!listeners?.delete(listener) || listeners.size > 0) return false
    return this.#listeners.delete(channel)
  }

  async #prepare(client: Client): Promise<void> {
    if (this.#heartbeat === undefined) this.#begin(client)
    const channels = [...this.#listeners.keys()]
    if (channels.length > 0) await client.subscribe(...channels)
  }

  #begin(client: Client): void {
    client.on('message', (channel: string, message: string) => {
      for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener(message, channel)
    })
    // A connection that only listens can't tell a quiet server from a dead one.
    const beat = () => void client.ping().catch(() => undefined)
    this.#heartbeat = setInterval(beat, this.#plan.commandTimeoutMs).unref()
  }
}
