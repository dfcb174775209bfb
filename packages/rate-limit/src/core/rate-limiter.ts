import { randomUUID } from 'node:crypto'
import { type Decision, decisionOf, type Outcome, outcomeOf } from './decision.ts'
import { type Lease, StoreLease } from './lease.ts'
import { memoryStore } from './memory-store.ts'
import { type Asked, checkSubject, Policies, type PolicyRequest } from './policies.ts'
import type { Rule } from './rules.ts'
import type { Store, StoreRequest, Verdict } from './store.ts'

/** How {@link createRateLimiter} is told what to do. */
export interface RateLimiterOptions<Name extends string> {
  /** The policies by name: lower-case letters, digits, `-`, `_`, `.`, 64 at most. */
  readonly policies: Readonly<Record<Name, Rule>>
  /** Where the limits are kept. Default: a `memoryStore()` of its own. */
  readonly store?: Store | undefined
  /**
   * Milliseconds since 1970 (UTC). Default: the time of the process's start and what has passed since by
   * the monotonic clock. Stores that are shared use their own.
   */
  readonly now?: (() => number) | undefined
  /** Told of every `check`, `checkSync`, `checkAll` and `acquire`. What it throws is ignored. */
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

/** How something is acquired. */
export interface AcquireOptions {
  /**
   * Who holds, such as a session's id: what it holds already is renewed and costs nothing. Default: a
   * random one, which makes every acquisition another.
   */
  readonly id?: string | undefined
}

/** An outcome with what it holds; nothing when denied. */
export type Admission<Name extends string = string> =
  | (Outcome<Name> & { readonly allowed: true; readonly lease: Lease<Name> })
  | (Outcome<Name> & { readonly allowed: false; readonly lease: undefined })

/**
 * Decides who may do how much. A denial is a value. What is thrown, or rejected with, is a fault: the
 * store's own errors, an `InvalidRequestError`, or a `NeverAllowedError` for a cost that no waiting will
 * make fit (a shadow policy answers with `retryAfterMs: Infinity` instead).
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
  /** What `check` would say, without charging anything. */
  peek(policy: Name, subject: string, options?: CheckOptions): Promise<Decision<Name>>
  /** Takes `cost` whether it fits or not; what doesn't fit is owed. Tells what a cost of 1 would get. */
  penalty(policy: Name, subject: string, cost: number): Promise<Decision<Name>>
  /** Denies everything for so many milliseconds. A shorter block doesn't replace a longer one. */
  block(policy: Name, subject: string, durationMs: number): Promise<Decision<Name>>
  /** Forgets the subject: what was used, owed and held, and its block. */
  reset(policy: Name, subject: string): Promise<Decision<Name>>
}

/**
 * Makes a rate limiter.
 *
 * @throws InvalidRequestError for a policy's name that isn't allowed.
 */
export function createRateLimiter<Name extends string>(
  options: RateLimiterOptions<Name>,
): RateLimiter<Name> {
  return new StoreRateLimiter(options)
}

class StoreRateLimiter<Name extends string> implements RateLimiter<Name> {
  readonly #policies: Policies<Name>
  readonly #store: Store
  readonly #now: () => number
  readonly #onDecision: ((event: DecisionEvent<Name>) => void) | undefined

  constructor({ policies, store, now, onDecision }: RateLimiterOptions<Name>) {
    this.#policies = new Policies(policies)
    this.#store = store ?? memoryStore()
    this.#now = now ?? sinceStart
    this.#onDecision = onDecision
  }

  async check(policy: Name, subject: string, options?: CheckOptions): Promise<Decision<Name>> {
    const request = this.#policies.charge(policy, options?.cost)
    return this.#checked(subject, request, await this.#ask(subject, [request]))
  }

  checkSync(policy: Name, subject: string, options?: CheckOptions): Decision<Name> | undefined {
    const request = this.#policies.charge(policy, options?.cost)
    checkSubject(subject)
    const verdicts = this.#store.decideSync?.(subject, [request], Math.floor(this.#now()))
    return verdicts === undefined ? undefined : this.#checked(subject, request, verdicts)
  }

  async checkAll(
    subject: string,
    requests: readonly PolicyRequest<Name>[],
  ): Promise<Outcome<Name>> {
    const asked = this.#policies.chargeAll(requests)
    return this.#outcome(subject, asked, await this.#ask(subject, asked))
  }

  async acquire(
    subject: string,
    requests: PolicyRequest<Name> | readonly PolicyRequest<Name>[],
    { id = randomUUID() }: AcquireOptions = {},
  ): Promise<Admission<Name>> {
    const list = typeof requests === 'string' || 'policy' in requests ? [requests] : requests
    const asked = this.#policies.hold(list, id)
    const verdicts = await this.#ask(subject, asked)
    const outcome = this.#outcome(subject, asked, verdicts)
    if (!outcome.allowed) return { ...outcome, allowed: false, lease: undefined }
    const held = asked.filter((one, at) => one.id !== undefined && verdicts[at]?.applied === true)
    const lease = new StoreLease<Name>(id, held, (more) => this.#ask(subject, more))
    return { ...outcome, allowed: true, lease }
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

  async #ask(subject: string, requests: readonly StoreRequest[]): Promise<readonly Verdict[]> {
    checkSubject(subject)
    return this.#store.decide(subject, requests, Math.floor(this.#now()))
  }

  async #tell(subject: string, request: Asked<Name>): Promise<Decision<Name>> {
    return decisionOf(request.limit, only(await this.#ask(subject, [request])))
  }

  #checked(subject: string, request: Asked<Name>, verdicts: readonly Verdict[]): Decision<Name> {
    const decision = decisionOf(request.limit, only(verdicts))
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
    const outcome = outcomeOf(
      asked.map(({ limit }, at) => decisionOf(limit, verdicts[at] ?? only([]))),
    )
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

function only(verdicts: readonly Verdict[]): Verdict {
  const [verdict] = verdicts
  if (verdict === undefined) throw new TypeError('The store gave too few verdicts.')
  return verdict
}

function sinceStart(): number {
  return performance.timeOrigin + performance.now()
}
