import type { StoreRequest, Verdict } from '../../core/store.ts'
import type { BackendAnswer, BackendAsk } from '../backend.ts'
import type { Batcher, Parcel } from './batcher.ts'
import { type Caller, groupsOf, verdictsOfCaller } from './callers.ts'
import type { Moment } from './moment.ts'

/** How many asks of one subject go at once; those of equal callers are one. */
const MOST_ASKS = 50

/** A client that never answers must not keep a subject from being asked about for good. */
const STUCK_MS = 10_000

/** What a line needs of the tiers before it. */
export interface Tiers {
  /** A decision that needs nobody else; asked for those who waited, when something was learnt. */
  decideHere(subject: string, requests: readonly StoreRequest[]): readonly Verdict[] | undefined
  /** One per request: how many tokens to lease beside, of what is about to be sent. */
  wantsOf(subject: string, requests: readonly StoreRequest[]): readonly number[]
  /** Learns from what was sent at `sent` and answered; what it returns is what callers are told. */
  learn(ask: BackendAsk, answer: BackendAnswer, sent: Moment): BackendAnswer
  /** What was sent got no answer. */
  failed(ask: BackendAsk): void
}

/** Who keeps the lines. */
export interface LineKeeper {
  readonly batcher: Batcher
  readonly tiers: Tiers
  readonly moment: () => Moment
  /** So many have left a queue. */
  left(callers: number): void
}

/** Those who ask the same policies of one subject: some on their way, the others behind them. */
export class Line implements Parcel {
  readonly subject: string
  readonly #requests: readonly StoreRequest[]
  readonly #keeper: LineKeeper
  #queue: Caller[] = []
  #refill: StoreRequest | undefined
  #onTheWay: { asks: BackendAsk[]; groups: Caller[][]; sent: Moment } | undefined
  #scheduled = false

  constructor(subject: string, requests: readonly StoreRequest[], keeper: LineKeeper) {
    this.subject = subject
    this.#requests = requests
    this.#keeper = keeper
  }

  /** Whether nothing is on its way, and nobody waits. */
  get isIdle(): boolean {
    return this.#onTheWay === undefined && !this.#scheduled
  }

  /** Whether what is on its way has been there for so long that it won't come back. */
  get isStuck(): boolean {
    const sent = this.#onTheWay?.sent
    if (sent === undefined) return false
    return this.#keeper.moment().monotonic - sent.monotonic > STUCK_MS
  }

  isFor(requests: readonly StoreRequest[]): boolean {
    if (requests.length !== this.#requests.length) return false
    return this.#requests.every(({ limit }, at) => limit === requests[at]?.limit)
  }

  join(caller: Caller): void {
    this.#queue.push(caller)
    this.#schedule()
  }

  refill(request: StoreRequest): void {
    this.#refill = request
    this.#schedule()
  }

  /** Gives those behind up to another line. */
  abandon(): readonly Caller[] {
    return this.#queue.splice(0)
  }

  seal(): readonly BackendAsk[] {
    this.#scheduled = false
    const { tiers, moment } = this.#keeper
    const groups = groupsOf(this.#queue, MOST_ASKS)
    this.#leaveQueue(groups.reduce((sum, group) => sum + group.length, 0))
    const asks = groups.map((group) => this.#askOf(group[0]?.requests ?? [], group.length))
    if (groups.length === 0 && this.#refill !== undefined) asks.push(this.#askOf([this.#refill], 1))
    this.#refill = undefined
    const last = asks.pop()
    if (last !== undefined) {
      const wants = tiers.wantsOf(this.subject, last.requests)
      if (groups.length > 0 || wants.some((want) => want > 0)) asks.push({ ...last, wants })
    }
    this.#onTheWay = { asks, groups, sent: moment() }
    return asks
  }

  settled(outcomes: readonly PromiseSettledResult<BackendAnswer>[]): void {
    const { asks, groups, sent } = this.#leave()
    for (const [at, ask] of asks.entries()) {
      const outcome = outcomes[at]
      const group = groups[at] ?? []
      if (outcome?.status === 'fulfilled') {
        tell(group, this.#keeper.tiers.learn(ask, outcome.value, sent))
      } else {
        this.#keeper.tiers.failed(ask)
        for (const caller of group) caller.reject(outcome?.reason)
      }
    }
    this.#goOn()
  }

  #askOf(requests: readonly StoreRequest[], count: number): BackendAsk {
    return { subject: this.subject, requests, count, wants: requests.map(() => 0) }
  }

  #leaveQueue(callers: number): void {
    this.#queue.splice(0, callers)
    this.#keeper.left(callers)
  }

  #leave() {
    const left = this.#onTheWay ?? { asks: [], groups: [], sent: this.#keeper.moment() }
    this.#onTheWay = undefined
    return left
  }

  /** Those who waited are decided by what was just learnt, as far as it goes; the others are sent. */
  #goOn(): void {
    const { tiers } = this.#keeper
    let served = 0
    for (const caller of this.#queue) {
      const verdicts = tiers.decideHere(this.subject, caller.requests)
      if (verdicts === undefined) break
      caller.resolve(verdicts)
      served += 1
    }
    this.#leaveQueue(served)
    if (this.#queue.length > 0 || this.#refill !== undefined) this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#onTheWay !== undefined) return
    this.#scheduled = true
    this.#keeper.batcher.send(this)
  }
}

function tell(group: readonly Caller[], answer: BackendAnswer): void {
  for (const [place, caller] of group.entries()) {
    if (group.length === 1) caller.resolve(answer.verdicts)
    else caller.resolve(verdictsOfCaller(caller.requests, answer, place))
  }
}
