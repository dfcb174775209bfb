import type { SessionAnswer } from './session.ts'

/** How many sessions' last answers are kept. */
const MOST = 10_000

interface Confirmed {
  readonly sentAt: number
  readonly answer: Promise<SessionAnswer>
}

/**
 * The store's last answers about open sessions, each good for a short time from when it was asked for.
 * Whoever asks meanwhile waits for the same answer.
 */
export class ConfirmedTouches {
  readonly #forMs: number
  readonly #byHandle = new Map<string, Confirmed>()

  constructor(forMs: number) {
    this.#forMs = forMs
  }

  /** The answer at hand, or the one that `ask` gets. Refusals and failures are not kept. */
  touch(handle: string, now: number, ask: () => Promise<SessionAnswer>): Promise<SessionAnswer> {
    if (this.#forMs === 0) return ask()
    const known = this.#byHandle.get(handle)
    if (known !== undefined && now >= known.sentAt && now < known.sentAt + this.#forMs) {
      return known.answer.then(renewed)
    }
    const answer = ask()
    const confirmed = { sentAt: now, answer }
    this.#byHandle.delete(handle)
    this.#byHandle.set(handle, confirmed)
    this.#makeRoom()
    const drop = (): void => {
      if (this.#byHandle.get(handle) === confirmed) this.#byHandle.delete(handle)
    }
    answer.then(({ allowed }) => allowed || drop(), drop)
    return answer
  }

  /** Forgets one answer, or all. */
  forget(handle?: string): void {
    if (handle === undefined) this.#byHandle.clear()
    else this.#byHandle.delete(handle)
  }

  #makeRoom(): void {
    if (this.#byHandle.size <= MOST) return
    const [oldest] = this.#byHandle.keys()
    if (oldest !== undefined) this.#byHandle.delete(oldest)
  }
}

function renewed(answer: SessionAnswer): SessionAnswer {
  return answer.allowed && answer.opened ? { ...answer, opened: false } : answer
}
