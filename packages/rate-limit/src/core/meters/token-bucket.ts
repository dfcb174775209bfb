import { type BudgetRule, type Rate, rateOf, type TokenBucketRule } from '../rules.ts'
import { Meter } from './meter.ts'

/** Debts beyond this are cut, so that sums of whole units stay exact. */
export const MAX_DEBT = 2 ** 51

/** The terms of a bucket's rule. */
export function termsOf(rule: TokenBucketRule | BudgetRule): BucketTerms {
  const rate = rateOf(rule)
  return { rate, capacity: rule.burst * rate.perToken }
}

/** A rule of a bucket with its rate, computed once for all subjects. */
export interface BucketTerms {
  readonly rate: Rate
  /** The burst in units of the rate. */
  readonly capacity: number
}

/** GCRA told as a debt: what was taken and has not come back yet, in whole units of the rate. */
export abstract class BucketMeter<Holdings> extends Meter<Holdings> {
  protected readonly terms: BucketTerms

  constructor(terms: BucketTerms, now: number) {
    super(now)
    this.terms = terms
  }

  protected get debt(): number {
    return this.amount
  }

  protected set debt(debt: number) {
    this.amount = debt
  }

  take(cost: number, _id?: string): void {
    this.debt = Math.min(MAX_DEBT, this.debt + cost * this.terms.rate.perToken)
  }

  /**
   * The debt with a take exceeds the debt without it by what was taken, less at most what drained since: so
   * much comes back, and the debt is never below what it would be without that take.
   */
  override refund(amount: number, stamp: number): boolean {
    const since = this.time - stamp
    if (stamp < 0 || since < 0) return false
    const units = amount * this.terms.rate.perToken - since * this.terms.rate.perMs
    const given = Math.min(this.debt, Math.max(0, units))
    this.debt -= given
    return given > 0
  }

  protected override drain(elapsed: number, _before: number): void {
    this.debt = Math.max(0, this.debt - elapsed * this.terms.rate.perMs)
  }

  protected override fitsIn(cost: number): number {
    const { rate, capacity } = this.terms
    const excess = this.debt + cost * rate.perToken - capacity
    return excess > 0 ? Math.ceil(excess / rate.perMs) : 0
  }

  protected override freshIn(): number {
    return Math.ceil(this.debt / this.terms.rate.perMs)
  }

  protected override room(): number {
    return Math.floor((this.terms.capacity - this.debt) / this.terms.rate.perToken)
  }
}

export class TokenBucketMeter extends BucketMeter<undefined> {
  protected override nothing(): undefined {
    return undefined
  }
}
