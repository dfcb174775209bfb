import type { FixedWindowRule } from '../rules.ts'
import { Meter } from './meter.ts'

/** Counts within the clock's own windows. When the clock steps back, the count goes with it. */
export class FixedWindowMeter extends Meter {
  readonly #rule: FixedWindowRule
  #window: number
  #count = 0
  #endsIn = 0

  constructor(rule: FixedWindowRule, now: number) {
    super(now)
    this.#rule = rule
    this.#window = Math.floor(now / rule.windowMs)
    this.drain(0, now)
  }

  take(cost: number): void {
    this.#count = Math.min(Number.MAX_SAFE_INTEGER, this.#count + cost)
  }

  /** The window's number. */
  override stamp(): number {
    return this.#window
  }

  override refund(amount: number, stamp: number): boolean {
    if (stamp !== this.#window) return false
    const given = Math.min(amount, this.#count)
    this.#count -= given
    return given > 0
  }

  protected override drain(_elapsed: number, now: number): void {
    const window = Math.floor(now / this.#rule.windowMs)
    if (window > this.#window) this.#count = 0
    this.#window = window
    this.#endsIn = (window + 1) * this.#rule.windowMs - now
  }

  protected override fitsIn(cost: number): number {
    return cost > this.#rule.limit - this.#count ? this.#endsIn : 0
  }

  protected override freshIn(): number {
    return this.#count > 0 ? this.#endsIn : 0
  }

  protected override room(): number {
    return this.#rule.limit - this.#count
  }
}
