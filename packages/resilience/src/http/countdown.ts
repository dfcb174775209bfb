/**
 * What an exchange waits for; each has its own limit. `rest`: what nobody will miss; `reader`: nothing but
 * its reader.
 */
export type Phase = 'connection' | 'firstByte' | 'body' | 'errorBody' | 'rest' | 'reader'

/** `setTimeout` fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Hears of it when a wait has lasted too long. */
export interface Waiting {
  /** `total`: the time for the whole call is up, whatever was being waited for. */
  expired(limit: Phase | 'total'): void
}

/**
 * Watches an exchange's limits with one timer. It fires at the earliest of them as known when it was
 * set, and is set again if that has moved: each byte costs a note of when it came, and no timer.
 *
 * Instants are those of `now`, in milliseconds.
 */
export class Countdown {
  readonly #now: () => number
  readonly #waiting: Waiting
  #deadlineAt: number
  #timer: NodeJS.Timeout | undefined
  #lastLook: NodeJS.Immediate | undefined
  #firesAt = 0
  #phase: Phase = 'connection'
  #limitMs = Number.POSITIVE_INFINITY
  #endsAt = Number.POSITIVE_INFINITY

  constructor(now: () => number, deadlineAt: number, waiting: Waiting) {
    this.#now = now
    this.#deadlineAt = deadlineAt
    this.#waiting = waiting
  }

  get phase(): Phase {
    return this.#phase
  }

  /** The current phase's limit. */
  get limitMs(): number {
    return this.#limitMs
  }

  /** Waits from `now` on for `phase`, at most for `limitMs`. */
  start(phase: Phase, limitMs: number, now: number): void {
    this.#phase = phase
    this.#limitMs = limitMs
    this.#endsAt = now + limitMs
    const due = Math.min(this.#endsAt, this.#deadlineAt)
    if (due === Number.POSITIVE_INFINITY) return
    if (this.#timer === undefined || due < this.#firesAt) this.#set(due, now)
  }

  /** Something came: the same wait begins anew. */
  restart(now: number): void {
    this.#endsAt = now + this.#limitMs
  }

  /** From here on the whole may take as long as it likes. */
  dropDeadline(): void {
    this.#deadlineAt = Number.POSITIVE_INFINITY
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#lastLook)
    this.#timer = undefined
  }

  /** @internal Called by the timer, and once more when what has arrived meanwhile has been read. */
  fire(isLastLook: boolean): void {
    this.#timer = undefined
    const now = this.#now()
    const due = Math.min(this.#endsAt, this.#deadlineAt)
    if (now < due) {
      if (due < Number.POSITIVE_INFINITY) this.#set(due, now)
    } else if (isLastLook) {
      this.#waiting.expired(now >= this.#deadlineAt ? 'total' : this.#phase)
    } else {
      // After a standstill of this process, timers fire before the sockets are read.
      this.#lastLook = setImmediate(fire, this, true)
    }
  }

  #set(due: number, now: number): void {
    clearTimeout(this.#timer)
    this.#firesAt = due
    // Timers may fire a fraction early: rounding up keeps that from costing a second one.
    const ms = Math.min(Math.max(1, Math.ceil(due - now)), LONGEST_TIMER_MS)
    this.#timer = setTimeout(fire, ms, this, false)
  }
}

function fire(countdown: Countdown, isLastLook: boolean): void {
  countdown.fire(isLastLook)
}
