import type { SessionAnswer, Sessions } from '@tidegate/rate-limit/sessions'

/** How long a store may take. */
const WAIT_MS = 500

/** How long a store that failed is left alone: at first, and at most. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 10_000

export interface SessionGateOptions {
  readonly sessions: Sessions
  /** Milliseconds, on any scale that never goes back. */
  readonly now?: () => number
  /** Told once when the store fails, and once when it answers again. */
  readonly onChange: (change: { readonly available: boolean; readonly error?: unknown }) => void
}

/**
 * Sessions that never stand in the way: while their store is away, requests pass without one. It is
 * waited for once; then it is left alone for a while, and after that asked about one request at a time,
 * which doesn't wait either.
 */
export class SessionGate {
  readonly #sessions: Sessions
  readonly #now: () => number
  readonly #onChange: SessionGateOptions['onChange']
  #available = true
  #pauseMs = FIRST_PAUSE_MS
  #askAgainAt = 0
  #probing = false

  constructor({ sessions, now, onChange }: SessionGateOptions) {
    this.#sessions = sessions
    this.#now = now ?? (() => performance.now())
    this.#onChange = onChange
  }

  /** What is said of the session; `undefined` while nobody can tell. */
  async touch(
    user: string,
    id: string,
    client: string | undefined,
  ): Promise<SessionAnswer | undefined> {
    const ask = (): Promise<SessionAnswer> => within(this.#sessions.touch(user, id, { client }))
    if (!this.#available) {
      if (!this.#probing && this.#now() >= this.#askAgainAt) void this.#probe(ask)
      return undefined
    }
    try {
      return await ask()
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  async #probe(ask: () => Promise<unknown>): Promise<void> {
    this.#probing = true
    try {
      await ask()
      this.#available = true
      this.#pauseMs = FIRST_PAUSE_MS
      this.#onChange({ available: true })
    } catch {
      this.#leaveAlone()
    } finally {
      this.#probing = false
    }
  }

  #failed(error: unknown): void {
    // Those that were on their way when it failed have nothing to add.
    if (!this.#available) return
    this.#available = false
    this.#leaveAlone()
    this.#onChange({ available: false, error })
  }

  #leaveAlone(): void {
    this.#askAgainAt = this.#now() + this.#pauseMs
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
  }
}

/** Rejects when the answer takes longer than a request may be held up for it. */
export function within<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`The sessions' store took over ${WAIT_MS} ms.`))
    const timer = setTimeout(late, WAIT_MS)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
