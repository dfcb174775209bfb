import { RateLimitError } from './errors.ts'
import { MeterTable } from './meter-table.ts'
import type { Meter } from './meters/meter.ts'
import { capacityOf, meaningOf } from './rules.ts'
import { type Limit, NOTHING_TAKEN, type Store, type StoreRequest, type Verdict } from './store.ts'

/** How many subjects a store remembers that nobody has sized. */
const MAX_KEYS = 100_000

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
export function memoryStore({ maxKeys = MAX_KEYS }: MemoryStoreOptions = {}): MemoryStore {
  if (!Number.isSafeInteger(maxKeys) || maxKeys < 1) {
    throw new RateLimitError('invalid_limit', 'memoryStore: maxKeys must be a whole number from 1.')
  }
  const memory = new InMemory(maxKeys)
  // As functions of their own: a store may be taken apart, or spread into another one.
  const decide: MemoryStore['decide'] = (subject, requests, now) =>
    memory.decide(subject, requests, now)
  return {
    decide,
    decideSync: decide,
    get size() {
      return memory.size
    },
  }
}

/** What {@link memoryStore} decides with. */
export class InMemory {
  readonly #tables: Tables

  constructor(maxKeys: number) {
    this.#tables = new Tables(maxKeys)
  }

  get size(): number {
    return this.#tables.size
  }

  decide(subject: string, requests: readonly StoreRequest[], now: number): readonly Verdict[] {
    const first = requests[0]
    return requests.length === 1 && first?.action === 'take'
      ? [this.take(first, subject, now)]
      : decideTogether(requests, this.#tables, subject, now)
  }

  /** Decides one `take`, which nearly everybody asks, without the lists that it would come and go in. */
  take(request: StoreRequest, subject: string, now: number): Verdict {
    return takeAlone(request, this.#tables.of(request.limit), subject, now)
  }
}

/** The store of a limiter that was given none. */
export function ownMemory(): InMemory {
  return new InMemory(MAX_KEYS)
}

/** The tables by policy; limiters that share the store and mean the same by a name share its table. */
class Tables {
  readonly #maxKeys: number
  readonly #byLimit = new WeakMap<Limit, MeterTable>()
  readonly #byMeaning = new Map<string, MeterTable>()
  #lastLimit: Limit | undefined
  #last: MeterTable | undefined

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  get size(): number {
    let size = 0
    for (const table of this.#byMeaning.values()) size += table.size
    return size
  }

  of(limit: Limit): MeterTable {
    // Often the same policy is asked again and again.
    if (limit === this.#lastLimit && this.#last !== undefined) return this.#last
    this.#last = this.#byLimit.get(limit) ?? this.#find(limit)
    this.#lastLimit = limit
    return this.#last
  }

  #find(limit: Limit): MeterTable {
    const meaning = `${limit.policy} ${meaningOf(limit.rule)}`
    const table = this.#byMeaning.get(meaning) ?? new MeterTable(limit.rule, this.#maxKeys)
    this.#byMeaning.set(meaning, table)
    this.#byLimit.set(limit, table)
    return table
  }
}

/** What nearly everybody asks, one `take`: decided as by a step of its own, without making one. */
function takeAlone(
  request: StoreRequest,
  table: MeterTable,
  subject: string,
  now: number,
): Verdict {
  const known = table.get(subject)
  known?.advance(now)
  const meter = known ?? table.draft(now)
  const waitMs = waitOf(request, meter)
  if (waitMs > 0) return verdictOf(meter, waitMs, false, NOTHING_TAKEN)
  const stamp = take(request, meter)
  if (known === undefined) table.keep(subject, now)
  return verdictOf(meter, waitMs, true, stamp)
}

function waitOf({ amount, id, limit }: StoreRequest, meter: Meter): number {
  return amount > capacityOf(limit.rule) ? Number.POSITIVE_INFINITY : meter.waitMs(amount, id)
}

/** Takes what fits, and tells when: nothing is taken where `id` holds it already. */
function take({ amount, id }: StoreRequest, meter: Meter): number {
  const stamp = id === undefined || !meter.holds(id) ? meter.stamp() : NOTHING_TAKEN
  meter.take(amount, id)
  return stamp
}

function verdictOf(meter: Meter, waitMs: number, applied: boolean, stamp: number): Verdict {
  return {
    allowed: waitMs <= 0,
    applied,
    remaining: meter.remaining(),
    retryAfterMs: Math.max(0, waitMs),
    resetMs: Math.max(0, meter.resetMs()),
    source: 'memory',
    stamp,
  }
}

function decideTogether(
  requests: readonly StoreRequest[],
  tables: Tables,
  subject: string,
  now: number,
): readonly Verdict[] {
  const steps = requests.map((request) => new Step(request, tables.of(request.limit), subject, now))
  const admitted = steps.every((step) => step.admits)
  return steps.map((step) => step.carryOut(admitted))
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
    this.#meter = known ?? table.draft(now)
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
    return verdictOf(this.#meter, waitMs, applied, this.#stamp)
  }

  #wait(): number {
    const { action } = this.#request
    return action === 'take' || action === 'peek' ? waitOf(this.#request, this.#meter) : 0
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
    this.#stamp = take(this.#request, this.#meter)
    return this.#keep()
  }

  #keep(): true {
    if (this.#fresh) this.#meter = this.#table.keep(this.#subject, this.#now)
    return true
  }

  #reset(): boolean {
    this.#table.delete(this.#subject)
    this.#meter = this.#table.draft(this.#now)
    return !this.#fresh
  }
}
