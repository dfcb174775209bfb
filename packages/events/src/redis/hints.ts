import type { EventsSubscriber } from './port.ts'

/** How long until a subscription that failed is tried again. */
const AGAIN_MS = 5_000

/** How often to look without hints that can be relied on, and with them: they may be lost all the same. */
const POLL_MS = { alone: 100, hinted: 1_000 }

/** Listens to one channel, whatever becomes of its connection. */
export class Hints {
  readonly #subscriber: EventsSubscriber | undefined
  readonly #channel: string
  readonly #listener: (message: string) => void
  #end: (() => Promise<void>) | undefined
  #asking = false
  #askAt = 0
  #closed = false

  constructor(
    subscriber: EventsSubscriber | undefined,
    channel: string,
    listener: (message: string) => void,
  ) {
    this.#subscriber = subscriber
    this.#channel = channel
    this.#listener = listener
  }

  /** How long to wait for a hint before looking without one. Listens, if it doesn't yet. */
  get pollMs(): number {
    if (this.#subscriber !== undefined && this.#end === undefined) this.#listen(this.#subscriber)
    return this.reliable ? POLL_MS.hinted : POLL_MS.alone
  }

  /** Whether hints come, as far as is known. */
  get reliable(): boolean {
    return this.#end !== undefined && (this.#subscriber?.state ?? 'ready') === 'ready'
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#end?.().catch(() => undefined)
  }

  #listen(subscriber: EventsSubscriber): void {
    if (this.#asking || this.#closed || performance.now() < this.#askAt) return
    this.#asking = true
    subscriber
      .subscribe(this.#channel, (message) => this.#listener(message))
      .then(
        (end) => {
          this.#end = end
          // Whatever was told before it listened.
          this.#listener('')
          if (this.#closed) return end()
          return undefined
        },
        () => {
          this.#askAt = performance.now() + AGAIN_MS
        },
      )
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false
      })
  }
}
