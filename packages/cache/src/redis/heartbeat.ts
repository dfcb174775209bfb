import { randomUUID } from 'node:crypto'
import type { RedisClient, RedisSubscriber } from './redis-client.ts'

/** How a {@link Heartbeat} is made. */
export interface HeartbeatOptions {
  readonly redis: Pick<RedisClient, 'call'>
  readonly subscriber: RedisSubscriber
  readonly channel: string
  /** 0: never. */
  readonly heartbeatMs: number
  /** Whether the subscriber has a connection at all. */
  readonly isConnected: () => boolean
  /** Told when messages don't arrive any more, and when they do again. */
  readonly onChange: (audible: boolean) => void
}

/** Tells whether what is published arrives, by what it sends to itself on a channel of its own. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #channel: string
  #timer: NodeJS.Timeout | undefined
  #stop: (() => Promise<void>) | undefined
  #state: 'new' | 'audible' | 'deaf' | 'stopped' = 'new'
  /** The numbers of the beats that were sent, that Redis took, and that came back. */
  #sent = 0
  #taken = 0
  #heard = 0

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#channel = `${options.channel}:beat:${randomUUID()}`
  }

  start(): void {
    const { heartbeatMs } = this.#options
    if (heartbeatMs === 0 || this.#state !== 'new') return
    this.#state = 'audible'
    void this.#listen()
    this.#timer = setInterval(() => this.#beat(), heartbeatMs).unref()
  }

  async stop(): Promise<void> {
    this.#state = 'stopped'
    clearInterval(this.#timer)
    await this.#stop?.()
  }

  async #listen(): Promise<void> {
    const stop = await this.#options.subscriber
      .subscribe(this.#channel, (beat) => this.#hear(Number(beat)))
      .catch(() => undefined)
    if (this.#state === 'stopped') await stop?.()
    else this.#stop ??= stop
  }

  #beat(): void {
    if (!this.#options.isConnected()) {
      // That it hears nothing is known; and what was sent before won't come.
      this.#heard = this.#sent
      return
    }
    if (this.#stop === undefined) return void this.#listen()
    const last = this.#sent
    // A process that was busy has it waiting at its socket, which is read before this is called.
    if (this.#heard < last) setImmediate(() => this.#miss(last))
    this.#sent += 1
    const beat = this.#sent
    this.#options.redis.call('PUBLISH', this.#channel, String(beat)).then(
      () => {
        this.#taken = beat
      },
      // Then nobody hears anything, which the missing beat says.
      () => undefined,
    )
  }

  #miss(beat: number): void {
    if (this.#heard >= beat || this.#state === 'stopped') return
    if (this.#state === 'audible') {
      this.#state = 'deaf'
      this.#options.onChange(false)
    }
    // Where publishing works and listening doesn't, it is this connection's fault.
    if (this.#taken >= beat && this.#options.isConnected()) this.#options.subscriber.reconnect?.()
  }

  #hear(beat: number): void {
    this.#heard = Math.max(this.#heard, beat)
    if (this.#state !== 'deaf') return
    this.#state = 'audible'
    this.#options.onChange(true)
  }
}
