import type { ConcurrencyRule } from '../rules.ts'
import { Meter } from './meter.ts'

interface Slot {
  readonly cost: number
  readonly expiresAt: number
}

/** Slots by holder, the one that lapses first in front: all live equally long, a renewal goes to the end. */
export class SlotsMeter extends Meter {
  readonly #rule: ConcurrencyRule
  readonly #slots = new Map<string, Slot>()
  #held = 0
  #lapsesLast = 0

  constructor(rule: ConcurrencyRule, now: number) {
    super(now)
    this.#rule = rule
  }

  override holds(id: string): boolean {
    return this.#slots.has(id)
  }

  take(cost: number, id = ''): void {
    const held = this.#slots.get(id)
    this.#drop(id)
    this.#put(id, held?.cost ?? cost)
  }

  override renew(id: string): boolean {
    const slot = this.#slots.get(id)
    if (slot === undefined) return false
    this.#drop(id)
    this.#put(id, slot.cost)
    return true
  }

  override release(id: string): boolean {
    return this.#drop(id)
  }

  protected override drain(): void {
    for (const [id, slot] of this.#slots) {
      if (slot.expiresAt > this.time) return
      this.#drop(id)
    }
  }

  protected override fitsIn(cost: number): number {
    let excess = this.#held + cost - this.#rule.limit
    if (excess <= 0) return 0
    for (const slot of this.#slots.values()) {
      excess -= slot.cost
      if (excess <= 0) return slot.expiresAt - this.time
    }
    return 0
  }

  protected override freshIn(): number {
    return this.#slots.size === 0 ? 0 : this.#lapsesLast - this.time
  }

  protected override room(): number {
    return this.#rule.limit - this.#held
  }

  #put(id: string, cost: number): void {
    this.#lapsesLast = this.time + this.#rule.ttlMs
    this.#slots.set(id, { cost, expiresAt: this.#lapsesLast })
    this.#held += cost
  }

  #drop(id: string): boolean {
    const slot = this.#slots.get(id)
    if (slot === undefined) return false
    this.#slots.delete(id)
    this.#held -= slot.cost
    if (slot.expiresAt === this.#lapsesLast) this.#lapsesLast = this.#latest()
    return true
  }

  #latest(): number {
    let latest = this.time
    for (const { expiresAt } of this.#slots.values()) latest = Math.max(latest, expiresAt)
    return latest
  }
}
