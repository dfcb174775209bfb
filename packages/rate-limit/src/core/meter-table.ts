import { hash } from 'node:crypto'
import { meterFactory } from './meters/create-meter.ts'
import type { Meter } from './meters/meter.ts'
import type { Rule } from './rules.ts'

/** Longer subjects are kept as a hash, which is one longer than any that is kept as it is. */
const LONGEST_SUBJECT = 64

/** How many meters are looked at for each new one: when there is room, and when there is none. */
const SWEEP = 2
const SEARCH = 8

interface Entry {
  readonly key: string
  readonly meter: Meter
  index: number
}

/**
 * The meters of one policy by subject, at most `maxKeys`. Each new one looks at a few others in turn and
 * forgets those that are as new. When all places are taken, of those looked at the one that would be as
 * new soonest makes room: fresh keys displace each other, and who has used much stays limited.
 */
export class MeterTable {
  readonly create: (now: number) => Meter
  readonly #maxKeys: number
  readonly #byKey = new Map<string, Entry>()
  readonly #entries: Entry[] = []
  #hand = 0

  constructor(rule: Rule, maxKeys: number) {
    this.create = meterFactory(rule)
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#entries.length
  }

  get(subject: string): Meter | undefined {
    return this.#byKey.get(keyOf(subject))?.meter
  }

  add(subject: string, meter: Meter, now: number): void {
    this.#makeRoom(now)
    const key = ownCopy(keyOf(subject))
    const entry = { key, meter, index: this.#entries.length }
    this.#entries.push(entry)
    this.#byKey.set(key, entry)
  }

  delete(subject: string): void {
    const entry = this.#byKey.get(keyOf(subject))
    if (entry !== undefined) this.#remove(entry)
  }

  #makeRoom(now: number): void {
    const full = this.#entries.length >= this.#maxKeys
    let soonest: Entry | undefined
    let soonestMs = Number.POSITIVE_INFINITY
    for (let looks = Math.min(full ? SEARCH : SWEEP, this.size); looks > 0; looks -= 1) {
      this.#hand = (this.#hand + 1) % this.size
      const entry = this.#entries[this.#hand]
      if (entry === undefined) continue
      entry.meter.advance(now)
      const keepMs = entry.meter.keepMs()
      if (keepMs <= 0) this.#remove(entry)
      else if (keepMs < soonestMs) {
        soonest = entry
        soonestMs = keepMs
      }
      if (this.size === 0) return
    }
    if (this.size >= this.#maxKeys && soonest !== undefined) this.#remove(soonest)
  }

  #remove(entry: Entry): void {
    this.#byKey.delete(entry.key)
    const last = this.#entries.pop()
    if (last === undefined || last === entry) return
    last.index = entry.index
    this.#entries[entry.index] = last
  }
}

function keyOf(subject: string): string {
  return subject.length > LONGEST_SUBJECT ? `#${hash('sha256', subject, 'hex')}` : subject
}

/** A slice of a long text would keep all of it in memory. */
function ownCopy(key: string): string {
  return ` ${key}`.slice(1)
}
