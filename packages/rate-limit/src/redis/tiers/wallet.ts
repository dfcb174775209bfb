import type { QuotaLeaseTerms } from '../../core/quota-lease-terms.ts'
import type { Limit, Verdict } from '../../core/store.ts'
import type { QuotaGrant } from '../backend.ts'
import { Demand } from './demand.ts'
import type { Moment } from './moment.ts'

/** By how much two clocks may run apart: a lease ends here before it ends there. */
const DRIFT = 0.01

/** Grants follow one another before the one before is spent; older ones are all but spent. */
const MOST_LOTS = 4

/** What is left of a grant when the next one is asked for, so that it is there in time. */
const LOW_WATER = 1 / 4

/** The part of an epoch after which a grant is renewed although it isn't spent. */
const RENEWAL = 3 / 4

/** For how much of an epoch tokens are left to gather when there were too few. */
const PACE = 1 / 4

/** A grant that hasn't come by then won't come any more. */
const STUCK_MS = 10_000

/** Lots are told apart by stamps below all that stores give: -2 and less. */
let stamps = -1

interface Lot {
  readonly stamp: number
  tokens: number
  readonly monotonicEnd: number
  readonly wallEnd: number
}

/** The tokens of one subject and limit that this process holds in advance, and what it knows beside. */
export class Wallet {
  readonly limit: Limit
  readonly terms: QuotaLeaseTerms
  readonly demand: Demand
  #pacedUntil = Number.NEGATIVE_INFINITY
  #idleUntil = Number.NEGATIVE_INFINITY
  #askedAt = Number.NEGATIVE_INFINITY
  #lots: Lot[] = []
  #elsewhere = 0
  #resetMs = 0
  #toldAt = 0
  #lowWater = 0
  #renewAt = Number.POSITIVE_INFINITY

  constructor(limit: Limit, terms: QuotaLeaseTerms, now: number) {
    this.limit = limit
    this.terms = terms
    this.demand = new Demand(terms.epochMs, now)
  }

  /** How long the next grant is left to others when there were too few tokens. */
  get paceMs(): number {
    return this.terms.epochMs * PACE
  }

  balance(now: Moment): number {
    let balance = 0
    for (const lot of this.#lots) if (isAlive(lot, now)) balance += lot.tokens
    return balance
  }

  /** Takes the amount, all of it or nothing. The stamp of what was taken, or 0 when there isn't as much. */
  spend(amount: number, now: Moment): number {
    const [first] = this.#lots
    if (first === undefined) return 0
    if (first.tokens >= amount && isAlive(first, now)) {
      first.tokens -= amount
      return first.stamp
    }
    return this.#spendSeveral(amount, now)
  }

  /** Puts back what was taken with this stamp, if it hasn't lapsed meanwhile. */
  putBack(amount: number, stamp: number, now: Moment): boolean {
    const lot = this.#lots.find((one) => one.stamp === stamp)
    if (lot === undefined || !isAlive(lot, now)) return false
    lot.tokens += amount
    return true
  }

  /** Milliseconds for which what isn't here is denied without asking. */
  pacedForMs(now: Moment): number {
    return Math.max(0, Math.ceil(this.#pacedUntil - now.monotonic))
  }

  /** Whether it is time to ask for more, before there is none. */
  runsLow({ monotonic }: Moment, balance: number): boolean {
    if (balance > this.#lowWater && monotonic < this.#renewAt) return false
    return monotonic >= this.#pacedUntil && monotonic >= this.#idleUntil && !this.#asks(monotonic)
  }

  /** How much to ask for: what is expected to be needed, if no grant is on its way. */
  wants(now: Moment): number {
    if (this.#asks(now.monotonic)) return 0
    const expected = this.demand.expected(now.monotonic)
    return Math.max(0, Math.min(expected, this.terms.escrow) - this.balance(now))
  }

  /** A grant is on its way; nothing else is asked for until it is there, or has been gone for too long. */
  asked(now: Moment): void {
    this.#askedAt = now.monotonic
  }

  /** What was asked for didn't come. For a while, only who can't do without asks again. */
  failed(now: Moment): void {
    this.#askedAt = Number.NEGATIVE_INFINITY
    this.#idleUntil = now.monotonic + this.paceMs
  }

  /** Adds what was granted of what was wanted. The verdict is that before the grant. */
  deposit(grant: QuotaGrant, wanted: number, verdict: Verdict, sent: Moment, now: Moment): void {
    const lastsMs = grant.ttlMs * (1 - DRIFT)
    this.#askedAt = Number.NEGATIVE_INFINITY
    if (grant.amount > 0) {
      stamps -= 1
      const alive = this.#lots.filter((lot) => isAlive(lot, now)).slice(1 - MOST_LOTS)
      const lot = {
        stamp: stamps,
        tokens: grant.amount,
        monotonicEnd: sent.monotonic + lastsMs,
        wallEnd: sent.wall + lastsMs,
      }
      this.#lots = [...alive.filter(({ tokens }) => tokens > 0), lot]
      this.#renewAt = sent.monotonic + grant.ttlMs * RENEWAL
    }
    this.#lowWater = Math.floor(grant.amount * LOW_WATER)
    this.learn(verdict, grant.amount, now)
    if (grant.amount < wanted && this.#isScarce(now)) {
      this.#pacedUntil = sent.monotonic + this.paceMs
    }
  }

  /** Keeps what an answer said of what is left for all. */
  learn(verdict: Verdict, granted: number, now: Moment): void {
    this.#elsewhere = Math.max(0, verdict.remaining - granted)
    this.#resetMs = Math.max(verdict.resetMs, granted > 0 ? this.terms.epochMs : 0)
    this.#toldAt = now.monotonic
  }

  /** What is left for all, as far as was told. */
  get elsewhere(): number {
    return this.#elsewhere
  }

  resetMs(now: Moment): number {
    return Math.max(0, Math.ceil(this.#resetMs - (now.monotonic - this.#toldAt)))
  }

  #spendSeveral(amount: number, now: Moment): number {
    const balance = this.balance(now)
    if (balance < amount || balance === 0) return 0
    // What comes back goes where it lapses soonest.
    let stamp = 0
    let left = amount
    for (const lot of this.#lots) {
      if (!isAlive(lot, now) || lot.tokens === 0) continue
      const part = Math.min(lot.tokens, left)
      lot.tokens -= part
      left -= part
      if (stamp === 0) stamp = lot.stamp
      if (left === 0) break
    }
    return stamp
  }

  #asks(monotonic: number): boolean {
    return monotonic - this.#askedAt < STUCK_MS
  }

  /** Whether what is left, here and elsewhere, won't last for as long as it would be left to gather. */
  #isScarce(now: Moment): boolean {
    return this.#elsewhere + this.balance(now) < this.demand.expected(now.monotonic) * PACE
  }
}

/** Both clocks have to say so: one stands still while the machine sleeps, the other may be set back. */
function isAlive({ monotonicEnd, wallEnd }: Lot, now: Moment): boolean {
  return now.monotonic < monotonicEnd && now.wall < wallEnd
}
