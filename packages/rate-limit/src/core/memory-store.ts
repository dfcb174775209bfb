import { RateLimitError } from './errors.ts'
import { MeterTable } from './meter-table.ts'
import type { Meter } from './meters/meter.ts'
import { capacityOf, meaningOf } from './rules.ts'
import { type Limit, NOTHING_TAKEN, type Store, type StoreRequest, type Verdict } from './store.ts'

/** How {@link memoryStore} is made. */
export interface MemoryStoreOptions {
  /** How many subjects are remembered for each policy. Default 100,000. */
  readonly maxKeys?: number | undefined
}

/** Limits in this process's memory; it answers at once. */
export interface MemoryStore extends Store {
  decide(subject: string, requests: readonly StoreRequest[], now: number): readonly Verdict[]
  decideSync(subject: string, requests: readonly StoreRequest[], now: number): readonly Verdict[]
  /** How many subjects are remembered, over all policies. */
  readonly size: number
}

/**
 * A store in memory. It has no timers: what is as new is forgotten while others come.
 *
 * Beyond `maxKeys` a new subject displaces, out of eight looked at in turn, the one that would be as new
 * soonest. What is lost is what that one had used, or held: it begins anew. A flood of fresh subjects so
 * displaces itself, and neither a block nor a spent limit can be shaken off by it.
 *
 * @throws RateLimitError `invalid_limit` for a `maxKeys` that isn't a whole number from 1.
 */
export function memoryStore({ maxKeys = 100_000 }: MemoryStoreOptions = {}): MemoryStore {
  if (!Number.isSafeInteger(maxKeys) || maxKeys < 1) {
    throw new RateLimitError('invalid_limit', 'memoryStore: maxKeys must be a whole number from 1.')
  }
  const tables = new Tables(maxKeys)
  const decide = (subject: string, requests: readonly StoreRequest[], now: number) => {
    const steps = requests.map(
      (request) => new Step(request, tables.of(request.limit), subject, now),
    )
    const admitted = steps.every((step) => step.admits)
    return steps.map((step) => step.carryOut(admitted))
  }
  return {
    decide,
    decideSync: decide,
    get size() {
      return tables.size
    },
  }
}

/** The tables by policy; limiters that share the store and mean the same by a name share its table. */
class Tables {
  readonly #maxKeys: number
  readonly #byLimit = new WeakMap<Limit, MeterTable>()
  readonly #byMeaning = new Map<string, MeterTable>()

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  get size(): number {
    let size = 0
    for (const table of this.#byMeaning.values()) size += table.size
    return size
  }

  of(limit: Limit): MeterTable {
    return this.#byLimit.get(limit) ?? this.#find(limit)
  }

  #find(limit: Limit): MeterTable {
    const meaning = `${limit.policy} ${meaningOf(limit.rule)}`
    const table = this.#byMeaning.get(meaning) ?? new MeterTable(limit.rule, this.#maxKeys)
    this.#byMeaning.set(meaning, table)
    this.#byLimit.set(limit, table)
    return table
  }
}

/** One request on its way: looked at first, carried out when all others were looked at too. */
class Step {
  readonly #request: StoreRequest
  readonly #table: MeterTable
  readonly #subject: string
  readonly #now: number
  #meter: Meter
  readonly #fresh: boolean
  readonly #waitMs: number
  #stamp = NOTHING_TAKEN

  constructor(request: StoreRequest, table: MeterTable, subject: string, now: number) {
    const known = table.get(subject)
    known?.advance(now)
    this.#request = request
    this.#table = table
    this.#subject = subject
    this.#now = now
    this.#meter = known ?? table.create(now)
    this.#fresh = known === undefined
    this.#waitMs = this.#wait()
  }

  /** Whether nothing here keeps the other requests from being charged. */
  get admits(): boolean {
    const { action, limit } = this.#request
    return action !== 'take' || limit.rule.shadow || this.#waitMs <= 0
  }

  carryOut(admitted: boolean): Verdict {
    const { action } = this.#request
    const asked = action === 'take' || action === 'peek'
    const applied = this.#apply(admitted)
    const waitMs = asked ? this.#waitMs : this.#meter.waitMs(1)
    return {
      allowed: waitMs <= 0,
      applied,
      remaining: this.#meter.remaining(),
      retryAfterMs: Math.max(0, waitMs),
      resetMs: Math.max(0, this.#meter.resetMs()),
      source: 'memory',
      stamp: this.#stamp,
    }
  }

  #wait(): number {
    const { amount, id, limit, action } = this.#request
    if (action !== 'take' && action !== 'peek') return 0
    if (amount > capacityOf(limit.rule)) return Number.POSITIVE_INFINITY
    return this.#meter.waitMs(amount, id)
  }

  #apply(admitted: boolean): boolean {
    const { action, amount, id = '', estimate = 0, stamp = NOTHING_TAKEN } = this.#request
    switch (action) {
      case 'peek':
        return false
      case 'take':
        return admitted && this.#waitMs <= 0 && this.#take()
      case 'penalty':
        this.#meter.take(amount)
        return this.#keep()
      case 'block':
        this.#meter.block(amount)
        return this.#keep()
      case 'refund':
        return this.#meter.refund(amount, stamp)
      case 'reset':
        return this.#reset()
      case 'renew':
        return this.#meter.renew(id)
      case 'release':
        return this.#meter.release(id)
      case 'settle': {
        const found = this.#meter.settle(id, amount, estimate)
        this.#keep()
        return found
      }
    }
  }

  #take(): true {
    const { amount, id } = this.#request
    if (id === undefined || !this.#meter.holds(id)) this.#stamp = this.#meter.stamp()
    this.#meter.take(amount, id)
    return this.#keep()
  }

  #keep(): true {
    if (this.#fresh) this.#table.add(this.#subject, this.#meter, this.#now)
    return true
  }

  #reset(): boolean {
    this.#table.delete(this.#subject)
    this.#meter = this.#table.create(this.#now)
    return !this.#fresh
  }
}
