import type { FixedWindowRule } from '../rules.ts'
import { Meter } from './meter.ts'

/** Counts within the clock's own windows. When the clock steps back, the count goes with it. */
export class FixedWindowMeter extends Meter<undefined> {
  readonly #rule: FixedWindowRule

  constructor(rule: FixedWindowRule, now: number) {
    super(now)
    this.#rule = rule
  }

  take(cost: number): void {
    this.amount = Math.min(Number.MAX_SAFE_INTEGER, this.amount + cost)
  }

  /** The window's number. */
  override stamp(): number {
    return this.#windowAt(this.seen)
  }

  override refund(amount: number, stamp: number): boolean {
    if (stamp !== this.stamp()) return false
    const given = Math.min(amount, this.amount)
    this.amount -= given
    return given > 0
  }

  protected override nothing(): undefined {
    return undefined
  }

  protected override drain(_elapsed: number, before: number): void {
    if (this.stamp() > this.#windowAt(before)) this.amount = 0
  }

  protected override fitsIn(cost: number): number {
    return cost > this.#rule.limit - this.amount ? this.#endsIn : 0
  }

  protected override freshIn(): number {
    return this.amount > 0 ? this.#endsIn : 0
  }

  protected override room(): number {
    return this.#rule.limit - this.amount
  }

  get #endsIn(): number {
    return (this.stamp() + 1) * this.#rule.windowMs - this.seen
  }

  #windowAt(now: number): number {
    return Math.floor(now / this.#rule.windowMs)
  }
}
