import type { ConcurrencyRule } from '../rules.ts'
import { Meter } from './meter.ts'

interface Slot {
  readonly cost: number
  readonly expiresAt: number
}

interface Slots {
  /** By holder, the one that lapses first in front: all live equally long, a renewal goes to the end. */
  readonly byHolder: Map<string, Slot>
  lapsesLast: number
}

/** Counts what is held until it is given up, or lapses. */
export class SlotsMeter extends Meter<Slots> {
  readonly #rule: ConcurrencyRule

  constructor(rule: ConcurrencyRule, now: number) {
    super(now)
    this.#rule = rule
  }

  override holds(id: string): boolean {
    return this.holdings.byHolder.has(id)
  }

  take(cost: number, id = ''): void {
    const held = this.holdings.byHolder.get(id)
    this.#drop(id)
    this.#put(id, held?.cost ?? cost)
  }

  override renew(id: string): boolean {
    const slot = this.holdings.byHolder.get(id)
    if (slot === undefined) return false
    this.#drop(id)
    this.#put(id, slot.cost)
    return true
  }

  override release(id: string): boolean {
    return this.#drop(id)
  }

  protected override nothing(): Slots {
    return { byHolder: new Map(), lapsesLast: 0 }
  }

  protected override drain(): void {
    for (const [id, slot] of this.holdings.byHolder) {
      if (slot.expiresAt > this.time) return
      this.#drop(id)
    }
  }

  protected override fitsIn(cost: number): number {
    let excess = this.amount + cost - this.#rule.limit
    if (excess <= 0) return 0
    for (const slot of this.holdings.byHolder.values()) {
      excess -= slot.cost
      if (excess <= 0) return slot.expiresAt - this.time
    }
    return 0
  }

  protected override freshIn(): number {
    return this.holdings.byHolder.size === 0 ? 0 : this.holdings.lapsesLast - this.time
  }

  protected override room(): number {
    return this.#rule.limit - this.amount
  }

  #put(id: string, cost: number): void {
    this.holdings.lapsesLast = this.time + this.#rule.ttlMs
    this.holdings.byHolder.set(id, { cost, expiresAt: this.holdings.lapsesLast })
    this.amount += cost
  }

  #drop(id: string): boolean {
    const slot = this.holdings.byHolder.get(id)
    if (slot === undefined) return false
    this.holdings.byHolder.delete(id)
    this.amount -= slot.cost
    if (slot.expiresAt === this.holdings.lapsesLast) this.holdings.lapsesLast = this.#latest()
    return true
  }

  #latest(): number {
    let latest = this.time
    for (const { expiresAt } of this.holdings.byHolder.values())
      latest = Math.max(latest, expiresAt)
    return latest
  }
}
