/** Numbers that a meter keeps: its time, the clock it has seen, until when it is blocked, what counts. */
export const CELLS = 4

const TIME = 0
const SEEN = 1
const BLOCKED_UNTIL = 2
const AMOUNT = 3

/**
 * What one policy remembers of one subject. Its time is the sum of the clock's forward movements that it
 * has seen: after a step back, time goes on from where it was, so nothing is given twice and nobody waits
 * for the clock to catch up.
 *
 * Its state is four numbers, and for some kinds `holdings`. Those can lie anywhere: a table of many
 * subjects has one meter, which it puts where each one's numbers are. A meter of its own for each, with a
 * box around each of its numbers, costs several times as much as the decision, as none of it is in the
 * processor's cache.
 */
export abstract class Meter<Holdings = unknown> {
  cells = new Float64Array(CELLS)
  /** Where in `cells` its numbers begin. */
  at = 0
  holdings: Holdings
  /** Whether any subject was ever blocked: hardly any is, and then nobody has to be looked at for it. */
  #blocks = false

  constructor(now: number) {
    this.holdings = this.nothing()
    this.begin(now)
  }

  /** Makes it as new. */
  begin(now: number): void {
    this.cells[this.at + TIME] = now
    this.cells[this.at + SEEN] = now
    this.cells[this.at + BLOCKED_UNTIL] = 0
    this.cells[this.at + AMOUNT] = 0
    this.holdings = this.nothing()
  }

  /**
   * Milliseconds of this meter's own time. It begins where the clock is, so that what was taken from a
   * meter that was forgotten since isn't taken for newer than it is.
   */
  protected get time(): number {
    return this.cells[this.at + TIME] as number
  }

  /** The clock as it was last. */
  get seen(): number {
    return this.cells[this.at + SEEN] as number
  }

  /** What counts against the limit, in the kind's own unit. */
  protected get amount(): number {
    return this.cells[this.at + AMOUNT] as number
  }

  protected set amount(amount: number) {
    this.cells[this.at + AMOUNT] = amount
  }

  /** Brings the meter to `now` (whole milliseconds). Everything else is told as of the last call. */
  advance(now: number): void {
    const { seen } = this
    if (now === seen) return
    const elapsed = now > seen ? now - seen : 0
    this.cells[this.at + SEEN] = now
    this.cells[this.at + TIME] = this.time + elapsed
    this.drain(elapsed, seen)
  }

  /** Milliseconds until `cost` fits if nothing else happens; 0 is now. What `id` holds already fits. */
  waitMs(cost: number, id?: string): number {
    if (id !== undefined && this.holds(id)) return 0
    return Math.max(this.fitsIn(cost), this.blockedFor)
  }

  /** Milliseconds until the meter is as new. */
  resetMs(): number {
    return Math.max(this.freshIn(), this.blockedFor)
  }

  /** Milliseconds until it can be forgotten without loss. */
  keepMs(): number {
    return this.resetMs()
  }

  /** How much fits now; 0 while blocked. */
  remaining(): number {
    return this.blockedFor > 0 ? 0 : Math.max(0, this.room())
  }

  /** Denies everything for `ms`; a shorter block doesn't replace a longer one. */
  block(ms: number): void {
    this.#blocks = true
    const until = this.cells[this.at + BLOCKED_UNTIL] as number
    this.cells[this.at + BLOCKED_UNTIL] = Math.max(until, this.time + ms)
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

  /** The holdings of a new meter. */
  protected abstract nothing(): Holdings
  /** Lets `elapsed` milliseconds pass; the clock stood at `before` and is at `seen` now. */
  protected abstract drain(elapsed: number, before: number): void
  protected abstract fitsIn(cost: number): number
  protected abstract freshIn(): number
  protected abstract room(): number

  protected get blockedFor(): number {
    return this.#blocks ? (this.cells[this.at + BLOCKED_UNTIL] as number) - this.time : -1
  }
}
