const FIRST_OPEN_MS = 1_000
const MOST_OPEN_MS = 10_000

/** How far a time may be off, so that processes that failed together don't all come back together. */
const JITTER = 0.2

/** What a breaker lives by. */
export interface BreakerClock {
  /** Milliseconds that never go back. */
  readonly monotonic: () => number
  /** From 0 to below 1. */
  readonly random: () => number
}

/**
 * Whether the store is asked. One failure opens; while open, one probe at a time finds out whether to
 * close: the first after about a second, each later one after twice as long, up to ten. A store that fails
 * again within ten seconds of its recovery is left alone for longer, not for a second once more.
 */
export class Breaker {
  readonly #probeMs: number
  readonly #clock: BreakerClock
  #state: 'closed' | 'open' | 'probing' = 'closed'
  #openMs = 0
  /** When the next probe is due or, while there is one, has ended. */
  #until = 0
  #closedAt = Number.NEGATIVE_INFINITY

  /** @param probeMs how long a probe takes at most. */
  constructor(probeMs: number, clock: BreakerClock) {
    this.#probeMs = probeMs
    this.#clock = clock
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** Whole milliseconds until there is something new to learn, from 1. */
  get retryInMs(): number {
    return Math.max(1, Math.ceil(this.#until - this.#clock.monotonic()))
  }

  /** After a failure, of a call or of the probe. */
  open(): void {
    const now = this.#clock.monotonic()
    if (this.closed && now - this.#closedAt > MOST_OPEN_MS) this.#openMs = 0
    this.#openMs = Math.min(MOST_OPEN_MS, this.#openMs * 2 || FIRST_OPEN_MS)
    this.#until = now + this.#openMs * (1 - JITTER + 2 * JITTER * this.#clock.random())
    this.#state = 'open'
  }

  /** True for the one who is to probe; how that went is told by `open` or `close`. */
  startProbe(): boolean {
    const now = this.#clock.monotonic()
    if (this.#state !== 'open' || now < this.#until) return false
    this.#state = 'probing'
    this.#until = now + this.#probeMs
    return true
  }

  close(): void {
    this.#state = 'closed'
    this.#closedAt = this.#clock.monotonic()
  }
}
