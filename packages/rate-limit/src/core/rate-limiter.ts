import { randomUUID } from 'node:crypto'
import {
  type AcquireOptions,
  type Acquisition,
  type Admission,
  acquireInOrder,
  type SubjectRequests,
} from './admission.ts'
import { type AtOnce, admitAtOnce } from './admit-at-once.ts'
import { type Decision, decisionOf, type Outcome, outcomeOf } from './decision.ts'
import { InvalidRequestError } from './errors.ts'
import { checkTimeout, FallbackStore, type StoreChange } from './fallback/fallback-store.ts'
import type { Ask } from './lease.ts'
import { type InMemory, ownMemory } from './memory-store.ts'
import { type Asked, checkSubject, Policies, type PolicyRequest } from './policies.ts'
import type { Rule } from './rules.ts'
import type { Store, Verdict } from './store.ts'

/** How {@link createRateLimiter} is told what to do. */
export interface RateLimiterOptions<Name extends string> {
  /** The policies by name: lower-case letters, digits, `-`, `_`, `.`, 64 at most. */
  readonly policies: Readonly<Record<Name, Rule>>
  /** Where the limits are kept. Default: a `memoryStore()` of its own. */
  readonly store?: Store | undefined
  /**
   * How many milliseconds the store may take for an answer, before each policy's `onStoreError` answers.
   * Default 500.
   */
  readonly storeTimeoutMs?: number | undefined
  /** Told when the store is asked no more, and when it is again. What it throws is ignored. */
  readonly onStoreChange?: ((change: StoreChange) => void) | undefined
  /**
   * Milliseconds since 1970 (UTC). Default: the time of the process's start and what has passed since by
   * the monotonic clock. Stores that are shared use their own.
   */
  readonly now?: (() => number) | undefined
  /**
   * Told of every `check`, `checkSync`, `checkAll` and `acquire`, and of each subject that an `acquireAll`
   * asked. What it throws is ignored.
   */
  readonly onDecision?: ((event: DecisionEvent<Name>) => void) | undefined
}

/** What `onDecision` is told. */
export interface DecisionEvent<Name extends string = string> {
  readonly subject: string
  readonly outcome: Outcome<Name>
}

/** How one policy is asked. */
export interface CheckOptions {
  /** A whole number from 0. Default 1. */
  readonly cost?: number | undefined
}

/**
 * Decides who may do how much. A denial is a value. What is thrown, or rejected with, is the caller's
 * fault: an `InvalidRequestError`, or a `NeverAllowedError` for a cost that no waiting will make fit (a
 * shadow policy answers with `retryAfterMs: Infinity` instead). A store that fails or is silent is no
 * fault: each policy's `onStoreError` answers, and `source` says so.
 *
 * Subjects are text that isn't empty, such as an address or the id of a key. Each policy knows its own.
 */
export interface RateLimiter<Name extends string = string> {
  /** Asks one policy and charges the cost if it fits. Slots are for `acquire`. */
  check(policy: Name, subject: string, options?: CheckOptions): Promise<Decision<Name>>
  /** Like `check`, at once; `undefined` when the store can't answer without waiting: use `check`. */
  checkSync(policy: Name, subject: string, options?: CheckOptions): Decision<Name> | undefined
  /** Asks several policies as one step: all are charged, or none is. Each is named once. */
  checkAll(subject: string, requests: readonly PolicyRequest<Name>[]): Promise<Outcome<Name>>
  /**
   * Like `checkAll`, and holds what is to be given back: slots of `concurrency`, reservations of `budget`,
   * for which the cost is the estimate. Other policies are charged as ever.
   */
  acquire(
    subject: string,
    requests: PolicyRequest<Name> | readonly PolicyRequest<Name>[],
    options?: AcquireOptions,
  ): Promise<Admission<Name>>
  /**
   * Like `acquire`, of several subjects, such as an address and a user: they are asked in order, each as
   * one step. When one denies, those after it aren't asked, and what those before it granted is given
   * back: in between nobody gets too much, and others may get less for a moment. The outcome is over all
   * decisions asked; the lease covers all that is held. Each subject is named once.
   */
  acquireAll(
    asks: readonly SubjectRequests<Name>[],
    options?: AcquireOptions,
  ): Promise<Admission<Name>>
  /** What `check` would say, without charging anything. */
  peek(policy: Name, subject: string, options?: CheckOptions): Promise<Decision<Name>>
  /** Takes `cost` whether it fits or not; what doesn't fit is owed. Tells what a cost of 1 would get. */
  penalty(policy: Name, subject: string, cost: number): Promise<Decision<Name>>
  /** Denies everything for so many milliseconds. A shorter block doesn't replace a longer one. */
  block(policy: Name, subject: string, durationMs: number): Promise<Decision<Name>>
  /** Forgets the subject: what was used, owed and held, and its block. */
  reset(policy: Name, subject: string): Promise<Decision<Name>>
  /** Closes the store, as far as it has something to close. Leases are left to lapse. */
  close(): Promise<void>
}

/**
 * Makes a rate limiter.
 *
 * @throws InvalidRequestError for a policy's name that isn't allowed, or a policy that no function of this
 *   package made; RateLimitError `invalid_limit` for a `storeTimeoutMs` that isn't a whole number from 1.
 */
export function createRateLimiter<Name extends string>(
  options: RateLimiterOptions<Name>,
): RateLimiter<Name> {
  return new StoreRateLimiter(options)
}

class StoreRateLimiter<Name extends string> implements RateLimiter<Name> {
  readonly #policies: Policies<Name>
  readonly #store: Store
  /** The same, where it is this limiter's own memory. */
  readonly #memory: InMemory | undefined
  readonly #now: () => number
  readonly #onDecision: ((event: DecisionEvent<Name>) => void) | undefined
  /** Random once, then counted, which is as unique and costs less. */
  readonly #ids = randomUUID()
  #acquisitions = 0
  readonly #ask: Ask = (subject, requests) => {
    checkSubject(subject)
    return this.#store.decide(subject, requests, this.#now())
  }
  readonly #reportEach: Acquisition<Name>['report']
  /** Absent where the store may have to be waited for, or each decision is told of. */
  readonly #atOnce: AtOnce<Name> | undefined = undefined

  constructor(options: RateLimiterOptions<Name>) {
    const { policies, store, storeTimeoutMs = 500, now = sinceStart } = options
    checkTimeout(storeTimeoutMs)
    this.#policies = new Policies(policies)
    this.#now = () => Math.floor(now())
    this.#onDecision = options.onDecision
    this.#reportEach =
      options.onDecision && ((subject, decisions) => this.#report(subject, outcomeOf(decisions)))
    if (store !== undefined) {
      const onChange = options.onStoreChange
      const fallback = { timeoutMs: storeTimeoutMs, now: this.#now, onChange }
      this.#store = new FallbackStore(store, fallback)
      return
    }
    const memory = ownMemory()
    this.#store = memory
    this.#memory = memory
    if (options.onDecision !== undefined) return
    const [newId, ask] = [() => this.#newId(), this.#ask]
    this.#atOnce = { store: memory, policies: this.#policies, newId, ask }
  }

  /** Not `async`: where there is nothing to wait for, that would double its cost. */
  check(policy: Name, subject: string, options?: CheckOptions): Promise<Decision<Name>> {
    try {
      const request = this.#policies.charge(policy, options?.cost)
      checkSubject(subject)
      if (this.#memory !== undefined) {
        const verdict = this.#memory.take(request, subject, this.#now())
        return Promise.resolve(this.#checked(subject, request, verdict))
      }
      const answer = this.#store.decide(subject, [request], this.#now())
      return 'then' in answer
        ? answer.then(([verdict]) => this.#checked(subject, request, verdict))
        : Promise.resolve(this.#checked(subject, request, answer[0]))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  checkSync(policy: Name, subject: string, options?: CheckOptions): Decision<Name> | undefined {
    const request = this.#policies.charge(policy, options?.cost)
    checkSubject(subject)
    if (this.#memory !== undefined) {
      return this.#checked(subject, request, this.#memory.take(request, subject, this.#now()))
    }
    const verdicts = this.#store.decideSync?.(subject, [request], this.#now())
    return verdicts === undefined ? undefined : this.#checked(subject, request, verdicts[0])
  }

  async checkAll(
    subject: string,
    requests: readonly PolicyRequest<Name>[],
  ): Promise<Outcome<Name>> {
    const asked = this.#policies.chargeAll(requests)
    return this.#outcome(subject, asked, await this.#ask(subject, asked))
  }

  acquire(
    subject: string,
    requests: PolicyRequest<Name> | readonly PolicyRequest<Name>[],
    options?: AcquireOptions,
  ): Promise<Admission<Name>> {
    return this.acquireAll([{ subject, requests }], options)
  }

  async acquireAll(
    asks: readonly SubjectRequests<Name>[],
    { id }: AcquireOptions = {},
  ): Promise<Admission<Name>> {
    if (asks.length === 0 || asks.some(isNamedBefore)) {
      throw new InvalidRequestError('Ask at least one subject, and each of them once.')
    }
    if (this.#atOnce !== undefined && id === undefined) {
      const admission = admitAtOnce(asks, this.#now(), this.#atOnce)
      if (admission !== undefined) return admission
    }
    return await this.#acquireInOrder(asks, id ?? this.#newId())
  }

  #acquireInOrder(asks: readonly SubjectRequests<Name>[], id: string): Promise<Admission<Name>> {
    // All are checked before the first is asked, so that nothing is charged for what is asked wrongly.
    const steps = asks.map(({ subject, requests }) => {
      checkSubject(subject)
      const list = typeof requests === 'string' || 'policy' in requests ? [requests] : requests
      return { subject, asked: this.#policies.hold(list, id) }
    })
    return acquireInOrder({ id, steps, ask: this.#ask, report: this.#reportEach })
  }

  async peek(policy: Name, subject: string, options?: CheckOptions): Promise<Decision<Name>> {
    return this.#tell(subject, this.#policies.peek(policy, options?.cost))
  }

  async penalty(policy: Name, subject: string, cost: number): Promise<Decision<Name>> {
    return this.#tell(subject, this.#policies.penalty(policy, cost))
  }

  async block(policy: Name, subject: string, durationMs: number): Promise<Decision<Name>> {
    return this.#tell(subject, this.#policies.block(policy, durationMs))
  }

  async reset(policy: Name, subject: string): Promise<Decision<Name>> {
    return this.#tell(subject, this.#policies.reset(policy))
  }

  async close(): Promise<void> {
    await this.#store.close?.()
  }

  #newId(): string {
    this.#acquisitions += 1
    return `${this.#ids}.${this.#acquisitions}`
  }

  async #tell(subject: string, request: Asked<Name>): Promise<Decision<Name>> {
    return decisionOf(request.limit, (await this.#ask(subject, [request]))[0])
  }

  #checked(subject: string, request: Asked<Name>, verdict: Verdict | undefined): Decision<Name> {
    const decision = decisionOf(request.limit, verdict)
    if (this.#onDecision === undefined && !decision.shadow) return decision
    const outcome = outcomeOf([decision])
    this.#report(subject, outcome)
    const { decisions: _, ...told } = outcome
    return told
  }

  #outcome(
    subject: string,
    asked: readonly Asked<Name>[],
    verdicts: readonly Verdict[],
  ): Outcome<Name> {
    const outcome = outcomeOf(asked.map(({ limit }, at) => decisionOf(limit, verdicts[at])))
    this.#report(subject, outcome)
    return outcome
  }

  #report(subject: string, outcome: Outcome<Name>): void {
    try {
      this.#onDecision?.({ subject, outcome })
    } catch {
      // An observer that fails doesn't undo a decision that was made.
    }
  }
}

function isNamedBefore(
  { subject }: SubjectRequests,
  at: number,
  asks: readonly SubjectRequests[],
): boolean {
  for (let before = 0; before < at; before += 1) if (asks[before]?.subject === subject) return true
  return false
}

const { timeOrigin } = performance

function sinceStart(): number {
  return timeOrigin + performance.now()
}
