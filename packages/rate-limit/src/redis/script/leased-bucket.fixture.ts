import type { QuotaLeaseTerms } from '../../core/quota-lease-terms.ts'
import { rateOf, type TokenBucketRule } from '../../core/rules.ts'

/** The rules of a leased bucket, told a millisecond at a time. */
export class BucketModel {
  readonly rule: TokenBucketRule
  readonly terms: QuotaLeaseTerms
  debt = 0
  epochEndsIn = 0
  older = 0
  newer = 0

  constructor(rule: TokenBucketRule, terms: QuotaLeaseTerms) {
    this.rule = rule
    this.terms = terms
  }

  get out(): number {
    return this.older + this.newer
  }

  get room(): number {
    return Math.floor(this.rule.burst - this.debt / rateOf(this.rule).perToken)
  }

  pass(ms: number): void {
    const { perToken, perMs } = rateOf(this.rule)
    for (let passed = 0; passed < ms; passed += 1) {
      this.debt = Math.max(this.terms.strict ? this.out * perToken : 0, this.debt - perMs)
      if (this.out === 0) continue
      this.epochEndsIn -= 1
      if (this.epochEndsIn > 0) continue
      this.older = this.newer
      this.newer = 0
      this.epochEndsIn = this.terms.epochMs
    }
  }

  take(cost: number): boolean {
    if (cost > this.room) return false
    this.debt += cost * rateOf(this.rule).perToken
    return true
  }

  grant(want: number): number {
    const amount = Math.max(
      0,
      Math.min(want, Math.floor(this.room / 2), this.terms.escrow - this.out),
    )
    if (amount === 0) return 0
    if (this.out === 0) this.epochEndsIn = this.terms.epochMs
    this.newer += amount
    this.take(amount)
    return amount
  }

  /** Milliseconds until it is so, if nothing else happens. */
  until(isSo: (model: BucketModel) => boolean): number {
    const copy = Object.assign(new BucketModel(this.rule, this.terms), this)
    let ms = 0
    for (; !isSo(copy); ms += 1) copy.pass(1)
    return ms
  }
}

/** What was let through at some time from `from` to `to`, and who knows when. */
export interface Admitted {
  readonly from: number
  readonly to: number
  readonly amount: number
}

/** By how many tokens more than a bucket allows may have been let through in some interval. */
export function excessOf(admitted: readonly Admitted[], rule: TokenBucketRule): number {
  const { perToken, perMs } = rateOf(rule)
  let excess = 0
  for (const { to: begin } of admitted) {
    for (const { from } of admitted) {
      const end = Math.max(begin, from)
      const within = admitted.filter((one) => one.from <= end && one.to >= begin)
      const amount = within.reduce((sum, one) => sum + one.amount, 0)
      excess = Math.max(excess, amount - rule.burst - ((end - begin) * perMs) / perToken)
    }
  }
  return excess
}
