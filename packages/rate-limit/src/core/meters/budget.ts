import type { BudgetRule } from '../rules.ts'
import { BucketMeter, type BucketTerms } from './token-bucket.ts'

/** Further reservations make the oldest one final. */
export const MAX_RESERVATIONS = 1024

interface Reservation {
  readonly cost: number
  expiresAt: number
  /** The debt, in units, that what came after this reservation would have made alone. */
  later: number
}

/**
 * A token bucket with reservations. To give back exactly what a reservation took, and nothing of what has
 * drained meanwhile, each remembers the debt as it would be without it and all before it: a refund never
 * goes below that.
 */
export class BudgetMeter extends BucketMeter<Map<string, Reservation>> {
  readonly #ttlMs: number

  constructor(terms: BucketTerms, rule: BudgetRule, now: number) {
    super(terms, now)
    this.#ttlMs = rule.ttlMs
  }

  override holds(id: string): boolean {
    return this.holdings.has(id)
  }

  override take(cost: number, id?: string): void {
    if (id !== undefined && this.renew(id)) return
    super.take(cost)
    for (const other of this.holdings.values()) other.later += cost * this.terms.rate.perToken
    if (id === undefined) return
    if (this.holdings.size >= MAX_RESERVATIONS) this.#forgetOldest()
    this.holdings.set(id, { cost, expiresAt: this.time + this.#ttlMs, later: 0 })
  }

  override refund(amount: number, stamp: number): boolean {
    const given = super.refund(amount, stamp)
    // What came after a reservation can't have made more debt than there is.
    for (const other of this.holdings.values()) other.later = Math.min(other.later, this.debt)
    return given
  }

  /** Who holds a reservation is to be recognised, also when its debt has long drained. */
  override keepMs(): number {
    let lastsUntil = this.time
    for (const { expiresAt } of this.holdings.values()) {
      lastsUntil = Math.max(lastsUntil, expiresAt)
    }
    return Math.max(super.keepMs(), lastsUntil - this.time)
  }

  override renew(id: string): boolean {
    const reservation = this.holdings.get(id)
    if (reservation === undefined) return false
    reservation.expiresAt = this.time + this.#ttlMs
    return true
  }

  override release(id: string): boolean {
    return this.holdings.delete(id)
  }

  override settle(id: string, actual: number, estimate: number): boolean {
    const reservation = this.holdings.get(id)
    const excess = actual - (reservation?.cost ?? estimate)
    if (reservation !== undefined && excess < 0) this.#giveBack(id, reservation, -excess)
    this.holdings.delete(id)
    if (excess > 0) this.take(excess)
    return reservation !== undefined
  }

  protected override nothing(): Map<string, Reservation> {
    return new Map()
  }

  protected override drain(elapsed: number, before: number): void {
    super.drain(elapsed, before)
    for (const [id, reservation] of this.holdings) {
      if (reservation.expiresAt <= this.time) this.holdings.delete(id)
      else reservation.later = Math.max(0, reservation.later - elapsed * this.terms.rate.perMs)
    }
  }

  #giveBack(id: string, { later }: Reservation, amount: number): void {
    const units = amount * this.terms.rate.perToken
    this.debt = Math.max(later, this.debt - units)
    for (const [other, earlier] of this.holdings) {
      if (other === id) return
      earlier.later = Math.max(later, earlier.later - units)
    }
  }

  #forgetOldest(): void {
    for (const id of this.holdings.keys()) {
      this.holdings.delete(id)
      return
    }
  }
}
