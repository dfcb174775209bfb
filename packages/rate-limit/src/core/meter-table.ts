import { hash } from 'node:crypto'
import { meterFactory } from './meters/create-meter.ts'
import { CELLS, type Meter } from './meters/meter.ts'
import type { Rule } from './rules.ts'

/** Longer subjects are kept as a hash, which is one longer than any that is kept as it is. */
const LONGEST_SUBJECT = 64

/** How many meters are looked at for each new one: when there is room, and when there is none. */
const SWEEP = 2
const SEARCH = 8

/** Who was here so lately, in milliseconds, is likely to come again: to make it anew costs more than to keep it. */
const LATELY_MS = 1_000

/** Row 0 is of no subject: it is where a meter is made that may never be kept. */
const DRAFT = 0
const FIRST_ROWS = 16

/**
 * The meters of one policy by subject, at most `maxKeys`: a row of numbers each, side by side in one
 * array, and one meter that is put on the row in question. So what `get` and `draft` return is good only
 * until the next call.
 *
 * Each new one looks at a few others in turn and forgets those that are as new and weren't seen lately. When all places are taken,
 * of those looked at the one that would be as new soonest makes room: fresh keys displace each other, and
 * who has used much stays limited.
 */
export class MeterTable {
  readonly #meter: Meter
  readonly #maxKeys: number
  /** The row of each subject, and the subject and holdings of each row. */
  readonly #rows = new Map<string, number>()
  readonly #keys: string[] = ['']
  readonly #holdings: unknown[] = [undefined]
  readonly #hasHoldings: boolean
  #hand = 0

  constructor(rule: Rule, maxKeys: number) {
    this.#meter = meterFactory(rule)(0)
    this.#meter.cells = new Float64Array(FIRST_ROWS * CELLS)
    this.#hasHoldings = this.#meter.holdings !== undefined
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#keys.length - 1
  }

  get(subject: string): Meter | undefined {
    const row = this.#rows.get(keyOf(subject))
    return row === undefined ? undefined : this.#on(row)
  }

  /** A meter as new, which is remembered only if it is kept. */
  draft(now: number): Meter {
    const meter = this.#on(DRAFT)
    meter.begin(now)
    return meter
  }

  /** Keeps the meter that was drafted last, for a subject that has none. */
  keep(subject: string, now: number): Meter {
    const { holdings } = this.#meter
    this.#makeRoom(now)
    const key = ownCopy(keyOf(subject))
    const row = this.#keys.push(key) - 1
    this.#holdings[row] = holdings
    this.#rows.set(key, row)
    this.#reach(row)
    this.#meter.cells.copyWithin(row * CELLS, DRAFT, CELLS)
    return this.#on(row)
  }

  delete(subject: string): void {
    const row = this.#rows.get(keyOf(subject))
    if (row !== undefined) this.#remove(row)
  }

  #on(row: number): Meter {
    const meter = this.#meter
    meter.at = row * CELLS
    if (this.#hasHoldings) meter.holdings = this.#holdings[row]
    return meter
  }

  #reach(row: number): void {
    const { cells } = this.#meter
    if ((row + 1) * CELLS <= cells.length) return
    const rows = Math.min(2 * row, this.#maxKeys + 1)
    this.#meter.cells = new Float64Array(rows * CELLS)
    this.#meter.cells.set(cells)
  }

  #makeRoom(now: number): void {
    const full = this.size >= this.#maxKeys
    let soonest = DRAFT
    let soonestMs = Number.POSITIVE_INFINITY
    for (let looks = Math.min(full ? SEARCH : SWEEP, this.size); looks > 0; looks -= 1) {
      if (this.size === 0) return
      this.#hand = (this.#hand % this.size) + 1
      const meter = this.#on(this.#hand)
      if (!full && Math.abs(now - meter.seen) < LATELY_MS) continue
      meter.advance(now)
      const keepMs = meter.keepMs()
      if (keepMs <= 0) this.#remove(this.#hand)
      else if (keepMs < soonestMs) {
        soonest = this.#hand
        soonestMs = keepMs
      }
    }
    if (this.size >= this.#maxKeys && soonest !== DRAFT) this.#remove(soonest)
  }

  /** The last row takes its place. */
  #remove(row: number): void {
    this.#rows.delete(this.#keys[row] ?? '')
    const key = this.#keys.pop()
    const holdings = this.#holdings.pop()
    const last = this.#keys.length
    if (key === undefined || last === row) return
    this.#rows.set(key, row)
    this.#keys[row] = key
    this.#holdings[row] = holdings
    this.#meter.cells.copyWithin(row * CELLS, last * CELLS, (last + 1) * CELLS)
  }
}

function keyOf(subject: string): string {
  return subject.length > LONGEST_SUBJECT ? `#${hash('sha256', subject, 'hex')}` : subject
}

/** A slice of a long text would keep all of it in memory. */
function ownCopy(key: string): string {
  return ` ${key}`.slice(1)
}
