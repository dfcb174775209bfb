/** What is being waited for; each has its own limit. */
export type Phase = 'firstByte' | 'idle' | 'write'

/** `setTimeout` fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A timer that fires this late says that it was us who stood still, not who is waited for. */
const STALL_MS = 50

/** Hears of it when a wait has lasted too long. */
export interface Waiting {
  /** `deadline`: the time for the whole is up, whatever was being waited for. */
  expired(limit: Phase | 'deadline'): void
}

/**
 * Watches the limits of one request with one timer, which fires at the earliest of them as it was
 * known when the timer was set and is set again if the limit has moved since. So a byte costs nothing
 * but a note of when it came.
 *
 * After a standstill of our own a limit that has run out meanwhile is given a little longer, once: the
 * answer may be lying unread.
 *
 * Limits are milliseconds, instants those of `performance.now()`.
 */
export class Countdown {
  readonly #limits: Readonly<Record<Phase, number>>
  readonly #deadlineAt: number
  readonly #waiting: Waiting
  #timer: NodeJS.Timeout | undefined
  #firesAt = 0
  #phase: Phase = 'firstByte'
  #endsAt = Number.POSITIVE_INFINITY
  #forgiven = false

  constructor(limits: Readonly<Record<Phase, number>>, deadlineAt: number, waiting: Waiting) {
    this.#limits = limits
    this.#deadlineAt = deadlineAt
    this.#waiting = waiting
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Waits from `now` on for `phase`; from Infinity on: only the deadline holds for the time being. */
  start(phase: Phase, now: number): void {
    this.#phase = phase
    this.#forgiven = false
    this.#endsAt = now + this.#limits[phase]
    const due = Math.min(this.#endsAt, this.#deadlineAt)
    if (this.#timer === undefined || due < this.#firesAt) this.#set(due)
  }

  /** Something came: the same wait begins anew. */
  restart(now: number): void {
    this.#forgiven = false
    this.#endsAt = now + this.#limits[this.#phase]
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** @internal Called by the timer. */
  fire(): void {
    const now = performance.now()
    const due = Math.min(this.#endsAt, this.#deadlineAt)
    if (now < due) {
      this.#set(due)
    } else if (now - due > STALL_MS && !this.#forgiven && due !== this.#deadlineAt) {
      // Timers run before what has arrived is read: what we wait for may be there already.
      this.#forgiven = true
      this.#endsAt = now + STALL_MS
      this.#set(Math.min(this.#endsAt, this.#deadlineAt))
    } else {
      this.#waiting.expired(now >= this.#deadlineAt ? 'deadline' : this.#phase)
    }
  }

  #set(due: number): void {
    clearTimeout(this.#timer)
    this.#firesAt = due
    // Timers may fire a fraction early: rounding up keeps that from costing a second one. What is due
    // already, after a standstill of ours, is at once: of less than nothing Node warns.
    const left = Math.max(0, Math.ceil(due - performance.now()))
    const ms = Math.min(left, LONGEST_TIMER_MS)
    this.#timer = setTimeout(fire, ms, this)
  }
}

function fire(countdown: Countdown): void {
  countdown.fire()
}
