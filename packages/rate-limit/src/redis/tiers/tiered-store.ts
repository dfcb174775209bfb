import type { Store, StoreAction, StoreRequest, Verdict } from '../../core/store.ts'
import type { Backend, BackendAnswer, BackendAsk } from '../backend.ts'
import { Batcher } from './batcher.ts'
import { Coalescer } from './coalescer.ts'
import { DenyCache } from './deny-cache.ts'
import type { Tiers } from './line.ts'
import { type Clocks, type Moment, momentOf } from './moment.ts'
import { QuotaLeases } from './quota-leases.ts'

const MAX_WAITING = 50_000

/** What the tiers are told. */
export interface TieredStoreOptions {
  readonly backend: Backend
  readonly clocks: Clocks
  /** The longest time a denial is believed, in milliseconds; 0 remembers none. */
  readonly denyCacheMs: number
  /** How many subjects are remembered: of denials, and of leases. */
  readonly maxSubjects: number
  /** How many calls may wait for those before them. Default 50,000. */
  readonly maxWaiting?: number
  /** Runs what it is given at the end of the turn. Default `setImmediate`. */
  readonly defer?: (flush: () => void) => void
}

const NEW = { mayDeny: true, isNew: true }
const KNOWN = { mayDeny: true, isNew: false }

/** What gives something back, or takes more away: what was said before isn't believed any more. */
const CHANGES: readonly StoreAction[] = ['reset', 'refund', 'settle', 'penalty', 'block']

/** After these nothing that was leased before is spent. */
const ENDS_LEASES: readonly StoreAction[] = ['reset', 'penalty', 'block']

/**
 * A store before a backend that is far away. What can decide first, does:
 *
 * 1. `QuotaLeases` spends what was charged in advance, for policies that aren't `exact`.
 * 2. `DenyCache` denies what was denied before, until it would fit.
 * 3. `Coalescer` sends one call at a time for a subject, with all who came meanwhile.
 * 4. `Batcher` sends what is asked of all subjects in a turn of the event loop together.
 */
export class TieredStore implements Store, Tiers {
  readonly #clocks: Clocks
  readonly #batcher: Batcher
  readonly #denials: DenyCache
  readonly #leases: QuotaLeases
  readonly #coalescer: Coalescer

  constructor(options: TieredStoreOptions) {
    const { backend, clocks, denyCacheMs, maxSubjects, defer = setImmediate } = options
    this.#clocks = clocks
    this.#batcher = new Batcher(backend, (flush) => void defer(flush))
    this.#denials = new DenyCache({
      mostMs: denyCacheMs,
      maxSubjects,
      monotonic: clocks.monotonic,
    })
    this.#leases = new QuotaLeases({
      clocks,
      maxSubjects,
      mostPaceMs: denyCacheMs,
      refill: (subject, request) => this.#coalescer.refill(subject, request),
    })
    this.#coalescer = new Coalescer({
      batcher: this.#batcher,
      tiers: this,
      maxWaiting: options.maxWaiting ?? MAX_WAITING,
      moment: () => momentOf(clocks),
    })
  }

  decide(
    subject: string,
    requests: readonly StoreRequest[],
  ): readonly Verdict[] | Promise<readonly Verdict[]> {
    if (requests.length === 0) return []
    if (!requests.every(isTake)) return this.#tell(subject, requests)
    const here = this.#decideHere(subject, requests, true)
    if (here !== undefined) return here
    const parts = this.#partsOf(subject, requests)
    return parts === undefined ? this.#ask(subject, requests) : this.#join(subject, requests, parts)
  }

  decideSync(subject: string, requests: readonly StoreRequest[]): readonly Verdict[] | undefined {
    if (requests.length === 0) return []
    if (!requests.every(isTake)) return undefined
    const here = this.#decideHere(subject, requests, true)
    if (here !== undefined) return here
    const parts = this.#partsOf(subject, requests)
    if (parts !== undefined) {
      const denied = this.#denials.answer(subject, parts.exact)
      if (denied !== undefined) return this.#merge(subject, requests, parts, denied)
      this.#leases.putBack(subject, parts.leased, parts.spent)
    }
    for (const request of requests) {
      if (this.#leases.isWorthwhile(subject, request)) this.#coalescer.refill(subject, request)
    }
    return undefined
  }

  decideHere(subject: string, requests: readonly StoreRequest[]): readonly Verdict[] | undefined {
    return this.#decideHere(subject, requests, false)
  }

  wantsOf(subject: string, requests: readonly StoreRequest[]): readonly number[] {
    return this.#leases.wantsOf(subject, requests)
  }

  learn(ask: BackendAsk, answer: BackendAnswer, sent: Moment): BackendAnswer {
    const told = this.#leases.learn(ask, answer, sent)
    if (told.admitted < ask.count) {
      this.#denials.remember(ask.subject, ask.requests, told.verdicts, sent.monotonic)
    }
    return told
  }

  failed(ask: BackendAsk): void {
    this.#leases.failed(ask)
  }

  /** How many entries there are of subjects. */
  get remembered(): number {
    return this.#denials.size + this.#leases.size
  }

  /** Forgets what is known here. What is leased lapses. */
  forget(): void {
    this.#leases.clear()
    this.#denials.clear()
  }

  #decideHere(subject: string, requests: readonly StoreRequest[], isNew: boolean) {
    const leased = requests.every((request) => this.#leases.covers(request))
    const how = isNew ? NEW : KNOWN
    const spent = leased ? this.#leases.spend(subject, requests, how) : undefined
    return spent ?? this.#denials.answer(subject, requests)
  }

  /** Asks the backend: alone what holds something, as each has an id of its own, together all else. */
  #ask(subject: string, requests: readonly StoreRequest[]): Promise<readonly Verdict[]> {
    const holds = requests.some(({ id }) => id !== undefined)
    return holds ? this.#askAlone(subject, requests) : this.#coalescer.decide(subject, requests)
  }

  async #askAlone(subject: string, requests: readonly StoreRequest[]): Promise<readonly Verdict[]> {
    let ask: BackendAsk = { subject, requests, count: 1, wants: requests.map(() => 0) }
    let sent = momentOf(this.#clocks)
    try {
      const answer = await this.#batcher.decide(() => {
        sent = momentOf(this.#clocks)
        ask = { ...ask, wants: this.wantsOf(subject, requests) }
        return ask
      })
      return this.learn(ask, answer, sent).verdicts
    } catch (error) {
      this.failed(ask)
      throw error
    }
  }

  /** Takes the leased part of a call from what is here, if all of it is. */
  #partsOf(subject: string, requests: readonly StoreRequest[]): Parts | undefined {
    const leased = requests.filter((request) => this.#leases.covers(request))
    if (leased.length === 0 || leased.length === requests.length) return undefined
    const spent = this.#leases.spend(subject, leased, { mayDeny: false, isNew: true })
    if (spent === undefined) return undefined
    const exact = requests.filter((request) => !this.#leases.covers(request))
    return { leased, spent, exact }
  }

  /** Asks the other part of the call, of which the leased part is taken. */
  #join(
    subject: string,
    requests: readonly StoreRequest[],
    parts: Parts,
  ): readonly Verdict[] | Promise<readonly Verdict[]> {
    const denied = this.#denials.answer(subject, parts.exact)
    if (denied !== undefined) return this.#merge(subject, requests, parts, denied)
    return this.#ask(subject, parts.exact).then(
      (verdicts) => this.#merge(subject, requests, parts, verdicts),
      (error: unknown) => {
        this.#leases.putBack(subject, parts.leased, parts.spent)
        throw error
      },
    )
  }

  #merge(
    subject: string,
    requests: readonly StoreRequest[],
    { leased, spent, exact }: Parts,
    verdicts: readonly Verdict[],
  ): readonly Verdict[] {
    const admitted = exact.every(({ limit }, at) => limit.rule.shadow || verdicts[at]?.allowed)
    const here = [...(admitted ? spent : this.#leases.putBack(subject, leased, spent))]
    const there = [...verdicts]
    return requests.flatMap(
      (request) => (this.#leases.covers(request) ? here : there).shift() ?? [],
    )
  }

  /** Carries out what isn't only `take`s. */
  async #tell(subject: string, requests: readonly StoreRequest[]): Promise<readonly Verdict[]> {
    this.#forget(subject, requests)
    const here = requests.map((request) =>
      request.action === 'refund' ? this.#leases.refund(subject, request) : undefined,
    )
    const others = requests.filter((_, at) => here[at] === undefined)
    const wants = others.map(() => 0)
    const ask = { subject, requests: others, count: 1, wants }
    const there = others.length === 0 ? [] : [...(await this.#batcher.decide(() => ask)).verdicts]
    // Once more, as what was asked before it may have been answered meanwhile.
    this.#forget(subject, others)
    return requests.flatMap((request, at) => {
      const verdict = here[at] ?? there.shift()
      if (verdict === undefined) return []
      return request.action === 'peek' ? this.#leases.look(subject, request, verdict) : verdict
    })
  }

  #forget(subject: string, requests: readonly StoreRequest[]): void {
    if (requests.some(({ action }) => CHANGES.includes(action))) this.#denials.forget(subject)
    for (const { action, limit } of requests) {
      if (ENDS_LEASES.includes(action)) this.#leases.drop(subject, limit)
    }
  }
}

/** A call of which only some policies are leased. */
interface Parts {
  readonly leased: readonly StoreRequest[]
  readonly spent: readonly Verdict[]
  readonly exact: readonly StoreRequest[]
}

function isTake({ action }: StoreRequest): boolean {
  return action === 'take'
}
