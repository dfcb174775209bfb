import { RateLimitError } from '../../core/errors.ts'
import type { StoreRequest, Verdict } from '../../core/store.ts'
import type { BackendAnswer, BackendAsk } from '../backend.ts'
import type { Batcher, Parcel } from './batcher.ts'
import { type Caller, groupsOf, verdictsOfCaller } from './callers.ts'
import type { Moment } from './moment.ts'

/** How many asks of one subject go at once; those of equal callers are one. */
const MOST_ASKS = 50

/** A client that never answers must not keep a subject from being asked about for good. */
const STUCK_MS = 10_000

/** What the coalescer needs of the tiers before it. */
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

/** How a {@link Coalescer} is made. */
export interface CoalescerOptions {
  readonly batcher: Batcher
  readonly tiers: Tiers
  /** How many callers may wait, over all subjects. */
  readonly maxWaiting: number
  readonly moment: () => Moment
}

/**
 * Keeps at most one call on its way for a subject and the policies asked. Those who come meanwhile wait,
 * and go together: equal ones as one ask, decided in the order in which they came.
 */
export class Coalescer {
  readonly #options: CoalescerOptions
  readonly #lines = new Map<string, Line[]>()
  #waiting = 0

  constructor(options: CoalescerOptions) {
    this.#options = options
  }

  /** Decides `take`s without ids, now or when those before them are decided. */
  decide(subject: string, requests: readonly StoreRequest[]): Promise<readonly Verdict[]> {
    if (this.#waiting >= this.#options.maxWaiting) return Promise.reject(busy(this.#waiting))
    const { promise, resolve, reject } = Promise.withResolvers<readonly Verdict[]>()
    this.#waiting += 1
    this.#lineOf(subject, requests).join({ requests, resolve, reject })
    return promise
  }

  /** Leases tokens for what will be asked, taking none, unless something is on its way already. */
  refill(subject: string, request: StoreRequest): void {
    if (this.#find(subject, [request]) !== undefined) return
    this.#lineOf(subject, [request]).refill({ ...request, amount: 0 })
  }

  #find(subject: string, requests: readonly StoreRequest[]): Line | undefined {
    return this.#lines.get(subject)?.find((line) => line.isFor(requests))
  }

  #lineOf(subject: string, requests: readonly StoreRequest[]): Line {
    const known = this.#find(subject, requests)
    if (known !== undefined && !known.isStuck) return known
    if (known !== undefined) this.#close(subject, known)
    const line: Line = new Line(subject, requests, {
      ...this.#options,
      onDone: () => this.#close(subject, line),
      onLeft: (callers) => {
        this.#waiting -= callers
      },
    })
    for (const caller of known?.abandon() ?? []) line.join(caller)
    const lines = this.#lines.get(subject)
    if (lines === undefined) this.#lines.set(subject, [line])
    else lines.push(line)
    return line
  }

  #close(subject: string, line: Line): void {
    const others = this.#lines.get(subject)?.filter((other) => other !== line) ?? []
    if (others.length === 0) this.#lines.delete(subject)
    else this.#lines.set(subject, others)
  }
}

interface LineOptions extends CoalescerOptions {
  readonly onDone: () => void
  readonly onLeft: (callers: number) => void
}

/** Those who ask the same policies of one subject: some on their way, the others behind them. */
class Line implements Parcel {
  readonly #subject: string
  readonly #requests: readonly StoreRequest[]
  readonly #options: LineOptions
  #queue: Caller[] = []
  #refill: StoreRequest | undefined
  #onTheWay: { asks: BackendAsk[]; groups: Caller[][]; sent: Moment } | undefined
  #scheduled = false

  constructor(subject: string, requests: readonly StoreRequest[], options: LineOptions) {
    this.#subject = subject
    this.#requests = requests
    this.#options = options
  }

  /** Whether what is on its way has been there for so long that it won't come back. */
  get isStuck(): boolean {
    const sent = this.#onTheWay?.sent
    if (sent === undefined) return false
    return this.#options.moment().monotonic - sent.monotonic > STUCK_MS
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
    const { tiers, moment } = this.#options
    const groups = groupsOf(this.#queue, MOST_ASKS)
    this.#leaveQueue(groups.reduce((sum, group) => sum + group.length, 0))
    const asks = groups.map((group) => this.#askOf(group[0]?.requests ?? [], group.length))
    if (groups.length === 0 && this.#refill !== undefined) asks.push(this.#askOf([this.#refill], 1))
    this.#refill = undefined
    const last = asks.pop()
    if (last !== undefined) {
      const wants = tiers.wantsOf(this.#subject, last.requests)
      if (groups.length > 0 || wants.some((want) => want > 0)) asks.push({ ...last, wants })
    }
    this.#onTheWay = { asks, groups, sent: moment() }
    return asks
  }

  answered(answers: readonly BackendAnswer[]): void {
    const { asks, groups, sent } = this.#leave()
    const { tiers } = this.#options
    const told = asks.map((ask, at) => {
      const answer = answers[at]
      return answer === undefined ? undefined : tiers.learn(ask, answer, sent)
    })
    for (const [at, group] of groups.entries()) {
      const answer = told[at]
      for (const [place, caller] of group.entries()) {
        if (answer === undefined) caller.reject(new TypeError('A call got no answer.'))
        else if (group.length === 1) caller.resolve(answer.verdicts)
        else caller.resolve(verdictsOfCaller(caller.requests, answer, place))
      }
    }
    this.#goOn()
  }

  failed(error: unknown): void {
    const { asks, groups } = this.#leave()
    for (const ask of asks) this.#options.tiers.failed(ask)
    for (const caller of groups.flat()) caller.reject(error)
    this.#goOn()
  }

  #askOf(requests: readonly StoreRequest[], count: number): BackendAsk {
    return { subject: this.#subject, requests, count, wants: requests.map(() => 0) }
  }

  #leaveQueue(callers: number): void {
    this.#queue.splice(0, callers)
    this.#options.onLeft(callers)
  }

  #leave() {
    const left = this.#onTheWay ?? { asks: [], groups: [], sent: this.#options.moment() }
    this.#onTheWay = undefined
    return left
  }

  /** Those who waited are decided by what was just learnt, as far as it goes; the others are sent. */
  #goOn(): void {
    const { tiers, onDone } = this.#options
    let served = 0
    for (const caller of this.#queue) {
      const verdicts = tiers.decideHere(this.#subject, caller.requests)
      if (verdicts === undefined) break
      caller.resolve(verdicts)
      served += 1
    }
    this.#leaveQueue(served)
    if (this.#queue.length === 0 && this.#refill === undefined) onDone()
    else this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#onTheWay !== undefined) return
    this.#scheduled = true
    this.#options.batcher.send(this)
  }
}

function busy(waiting: number): RateLimitError {
  return new RateLimitError(
    'store_busy',
    `redisStore: ${waiting} calls wait for an answer of Redis already. See whether it is slow, and ask less.`,
  )
}
