/** What an {@link Outage} lives by. */
export interface OutageOptions {
  /** How long a call may take, in milliseconds. */
  readonly limitMs: number
  /** From 0 to below 1. */
  readonly random: () => number
  /** Does what has to be done before the second tier is believed again; rejects when it can't yet. */
  readonly recover: () => Promise<void>
  /** Whether nothing is left to be done, asked right before it is believed. */
  readonly isSettled: () => boolean
  readonly onError: (error: unknown) => void
  readonly onAway: () => void
  readonly onRecovered: () => void
}

const FIRST_MS = 1_000
const MOST_MS = 10_000
/** How far a time may be off, so that processes that failed together don't all come back together. */
const JITTER = 0.2

/**
 * Whether the second tier is asked. One failure, or no answer in time, and it isn't for about a second;
 * then one attempt finds out whether it is back, each later one after twice as long, up to ten. What fails
 * again within ten seconds of its recovery is left alone for longer.
 */
export class Outage {
  readonly #options: OutageOptions
  #state: 'up' | 'away' | 'closed' = 'up'
  #waitMs = 0
  #upSince = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(options: OutageOptions) {
    this.#options = options
  }

  get up(): boolean {
    return this.#state === 'up'
  }

  /** Makes a call that counts: its failure is the beginning of an outage. Rejects with that failure. */
  async ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.within(call)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /** Makes a call that may take `limitMs`, and rejects when it takes longer: its outcome isn't known then. */
  async within<T>(call: () => Promise<T>): Promise<T> {
    const { limitMs } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`The second tier hasn't answered within ${limitMs} ms.`))
      }, limitMs)
    })
    try {
      return await Promise.race([call(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#state = 'closed'
    clearTimeout(this.#timer)
  }

  #fail(error: unknown): void {
    this.#options.onError(error)
    if (this.#state !== 'up') return
    if (performance.now() - this.#upSince > MOST_MS) this.#waitMs = 0
    this.#state = 'away'
    this.#options.onAway()
    this.#wait()
  }

  #wait(): void {
    if (this.#state !== 'away') return
    this.#waitMs = Math.min(MOST_MS, this.#waitMs * 2 || FIRST_MS)
    const inMs = this.#waitMs * (1 - JITTER + 2 * JITTER * this.#options.random())
    this.#timer = setTimeout(() => void this.#tryAgain(), inMs).unref()
  }

  async #tryAgain(): Promise<void> {
    try {
      do await this.#options.recover()
      while (this.#state === 'away' && !this.#options.isSettled())
    } catch (error) {
      this.#options.onError(error)
      this.#wait()
      return
    }
    if (this.#state !== 'away') return
    this.#state = 'up'
    this.#upSince = performance.now()
    this.#options.onRecovered()
  }
}
