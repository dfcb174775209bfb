import { meterFactory } from '../../core/meters/create-meter.ts'
import type { Meter } from '../../core/meters/meter.ts'
import { TokenBucketMeter, termsOf } from '../../core/meters/token-bucket.ts'
import { type QuotaLeaseTerms, quotaLeaseTermsOf } from '../../core/quota-lease-terms.ts'
import type { FixedWindowRule, Rule, TokenBucketRule } from '../../core/rules.ts'
import type { QuotaGrant } from '../backend.ts'

const NONE: QuotaGrant = { amount: 0, ttlMs: 0 }

/** Tokens in leases that may be alive, by the epoch of the grant, told apart by the meter's own time. */
class Escrow {
  readonly #terms: QuotaLeaseTerms
  #end = 0
  #older = 0
  #newer = 0

  constructor(terms: QuotaLeaseTerms) {
    this.#terms = terms
  }

  get out(): number {
    return this.#older + this.#newer
  }

  /** When the count falls next; `Infinity` when nothing is out. */
  get end(): number {
    return this.out === 0 ? Number.POSITIVE_INFINITY : this.#end
  }

  grant(want: number, room: number, time: number): number {
    const amount = Math.min(want, Math.floor(room / 2), this.#terms.escrow - this.out)
    if (amount <= 0) return 0
    if (this.out === 0) this.#end = time + this.#terms.epochMs
    this.#newer += amount
    return amount
  }

  turn(): void {
    this.#older = this.#newer
    this.#newer = 0
    this.#end += this.#terms.epochMs
  }
}

/** A token bucket whose debt stays at what strict leases hold, until these have lapsed. */
class LeasedBucketMeter extends TokenBucketMeter {
  readonly #escrow: Escrow
  readonly #leaseTerms: QuotaLeaseTerms

  constructor(rule: TokenBucketRule, terms: QuotaLeaseTerms, now: number) {
    super(termsOf(rule), now)
    this.#leaseTerms = terms
    this.#escrow = new Escrow(terms)
  }

  lease(want: number): QuotaGrant {
    const amount = this.#escrow.grant(want, this.remaining(), this.time)
    this.take(amount)
    return amount === 0 ? NONE : { amount, ttlMs: this.#leaseTerms.epochMs }
  }

  override refund(amount: number, stamp: number): boolean {
    const applied = super.refund(amount, stamp)
    this.debt = Math.max(this.#least(), this.debt)
    return applied
  }

  /** Millisecond by millisecond, so that nothing can be got wrong. */
  protected override drain(elapsed: number): void {
    for (let time = this.time - elapsed; time < this.time; time += 1) {
      if (this.#escrow.out === 0 && this.debt === 0) return
      if (time >= this.#escrow.end) this.#escrow.turn()
      this.debt = Math.max(this.#least(), this.debt - this.terms.rate.perMs)
    }
    if (this.time >= this.#escrow.end) this.#escrow.turn()
  }

  #least(): number {
    return this.#leaseTerms.strict ? this.#escrow.out * this.terms.rate.perToken : 0
  }
}

/** A fixed window whose leases end with it. */
class LeasedWindow {
  readonly #rule: FixedWindowRule
  readonly #terms: QuotaLeaseTerms
  #escrow: Escrow
  #window = Number.NaN

  constructor(rule: FixedWindowRule, terms: QuotaLeaseTerms) {
    this.#rule = rule
    this.#terms = terms
    this.#escrow = new Escrow(terms)
  }

  lease(meter: Meter, want: number, now: number): QuotaGrant {
    const window = Math.floor(now / this.#rule.windowMs)
    if (window !== this.#window) this.#escrow = new Escrow(this.#terms)
    this.#window = window
    while (now >= this.#escrow.end) this.#escrow.turn()
    const amount = this.#escrow.grant(want, meter.remaining(), now)
    meter.take(amount)
    const endsIn = (window + 1) * this.#rule.windowMs - now
    return amount === 0 ? NONE : { amount, ttlMs: Math.min(this.#terms.epochMs, endsIn) }
  }
}

/** A meter of the core, and what it leases. */
export interface ModelMeter {
  readonly meter: Meter
  lease(want: number, now: number): QuotaGrant
}

export function modelMeter(rule: Rule, now: number): ModelMeter {
  const terms = quotaLeaseTermsOf(rule)
  if (terms !== undefined && rule.kind === 'token-bucket') {
    const meter = new LeasedBucketMeter(rule, terms, now)
    return { meter, lease: (want) => meter.lease(want) }
  }
  const meter = meterFactory(rule)(now)
  if (terms === undefined || rule.kind !== 'fixed-window') return { meter, lease: () => NONE }
  const window = new LeasedWindow(rule, terms)
  return { meter, lease: (want, at) => window.lease(meter, want, at) }
}
