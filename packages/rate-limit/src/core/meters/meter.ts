/**
 * What one policy remembers of one subject. Its time is the sum of the clock's forward movements that it
 * has seen: after a step back, time goes on from where it was, so nothing is given twice and nobody waits
 * for the clock to catch up.
 */
export abstract class Meter {
  /**
   * Milliseconds of this meter's own time. It begins where the clock is, so that what was taken from a
   * meter that was forgotten since isn't taken for newer than it is.
   */
  protected time: number
  #seen: number
  #blockedUntil = 0

  constructor(now: number) {
    this.#seen = now
    this.time = now
  }

  /** Brings the meter to `now` (whole milliseconds). Everything else is told as of the last call. */
  advance(now: number): void {
    if (now === this.#seen) return
    const elapsed = now > this.#seen ? now - this.#seen : 0
    this.#seen = now
    this.time += elapsed
    this.drain(elapsed, now)
  }

  /** Milliseconds until `cost` fits if nothing else happens; 0 is now. What `id` holds already fits. */
  waitMs(cost: number, id?: string): number {
    if (id !== undefined && this.holds(id)) return 0
    return Math.max(this.fitsIn(cost), this.#blockedUntil - this.time)
  }

  /** Milliseconds until the meter is as new. */
  resetMs(): number {
    return Math.max(this.freshIn(), this.#blockedUntil - this.time)
  }

  /** Milliseconds until it can be forgotten without loss. */
  keepMs(): number {
    return this.resetMs()
  }

  /** How much fits now; 0 while blocked. */
  remaining(): number {
    return this.#blockedUntil > this.time ? 0 : Math.max(0, this.room())
  }

  /** Denies everything for `ms`; a shorter block doesn't replace a longer one. */
  block(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.time + ms)
  }

  /** Takes `cost`, whether it fits or not; what `id` holds already is renewed instead. */
  abstract take(cost: number, id?: string): void

  /** What tells a `refund` when a take was: the meter's time, unless it counts otherwise. */
  stamp(): number {
    return this.time
  }

  /** Undoes a take of `amount` at `stamp`, as far as it still weighs. False: nothing came back. */
  refund(_amount: number, _stamp: number): boolean {
    return false
  }

  /** Whether something is held under `id`. */
  holds(_id: string): boolean {
    return false
  }

  /** Lets what is held under `id` live on. False: it isn't held any more. */
  renew(_id: string): boolean {
    return false
  }

  /** Gives up what is held under `id`; what was reserved stays taken. False: it isn't held any more. */
  release(_id: string): boolean {
    return false
  }

  /** Gives up what is held under `id`, of which `actual` was used. False: it isn't held any more. */
  settle(_id: string, _actual: number, _estimate: number): boolean {
    return false
  }

  protected abstract drain(elapsed: number, now: number): void
  protected abstract fitsIn(cost: number): number
  protected abstract freshIn(): number
  protected abstract room(): number
}
