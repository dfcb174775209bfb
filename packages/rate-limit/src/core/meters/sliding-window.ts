import type { SlidingWindowRule } from '../rules.ts'
import { Meter } from './meter.ts'

/** How many groups of admissions are told apart. Limits up to it are exact. */
const RESOLUTION = 32

/** How long admissions are kept as one. */
export function groupMsOf({ limit, windowMs }: SlidingWindowRule): number {
  return limit > RESOLUTION ? Math.ceil(windowMs / RESOLUTION) : 1
}

interface Group {
  /** Of the last admission in it. */
  at: number
  count: number
}

/** A log of admissions. Those close together are kept as one, as late as the last of them. */
export class SlidingWindowMeter extends Meter<Group[]> {
  readonly #rule: SlidingWindowRule
  readonly #groupMs: number

  constructor(rule: SlidingWindowRule, now: number) {
    super(now)
    this.#rule = rule
    this.#groupMs = groupMsOf(rule)
  }

  take(cost: number): void {
    if (cost === 0) return
    const last = this.holdings.at(-1)
    if (last !== undefined && this.#sameGroup(last.at, this.time)) {
      last.at = this.time
      last.count += cost
    } else this.holdings.push({ at: this.time, count: cost })
    this.amount += cost
  }

  override refund(amount: number, stamp: number): boolean {
    const at = this.holdings.findIndex((group) => this.#sameGroup(group.at, stamp))
    const group = this.holdings[at]
    if (group === undefined) return false
    const given = Math.min(amount, group.count)
    group.count -= given
    this.amount -= given
    if (group.count === 0) this.holdings.splice(at, 1)
    return given > 0
  }

  protected override nothing(): Group[] {
    return []
  }

  protected override drain(): void {
    let gone = 0
    for (const group of this.holdings) {
      if (this.time - group.at < this.#rule.windowMs) break
      this.amount -= group.count
      gone += 1
    }
    if (gone > 0) this.holdings.splice(0, gone)
  }

  protected override fitsIn(cost: number): number {
    let excess = this.amount + cost - this.#rule.limit
    for (const group of this.holdings) {
      if (excess <= 0) return 0
      excess -= group.count
      if (excess <= 0) return group.at + this.#rule.windowMs - this.time
    }
    return 0
  }

  protected override freshIn(): number {
    const last = this.holdings.at(-1)
    return last === undefined ? 0 : last.at + this.#rule.windowMs - this.time
  }

  protected override room(): number {
    return this.#rule.limit - this.amount
  }

  #sameGroup(one: number, other: number): boolean {
    return Math.floor(one / this.#groupMs) === Math.floor(other / this.#groupMs)
  }
}
