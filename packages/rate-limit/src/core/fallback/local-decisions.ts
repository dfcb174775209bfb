import { memoryStore } from '../memory-store.ts'
import { capacityOf, concurrency, type Rule } from '../rules.ts'
import { type Limit, NOTHING_TAKEN, type StoreRequest, type Verdict } from '../store.ts'
import { shareOf } from './share-of-rule.ts'

/** Stamps of what was taken here begin here and go down, apart from all that stores give. */
const LOCAL_STAMP = -(2 ** 52)

/**
 * Decides without the store, as each policy says. What is taken here is remembered here: it is renewed,
 * settled, released and refunded here, also when the store is back.
 *
 * The share is by the number of processes last known. As long as that is what it was, use is remembered, also
 * from one outage to the next; when it has changed, use begins anew and only what is held stays.
 */
export class LocalDecisions {
  #shares: Shares | undefined
  #earlier: Shares | undefined

  /** Decides from now on as one of so many. */
  shareAmong(processes: number): void {
    if (processes === this.#shares?.processes) return
    this.#earlier = this.#shares
    this.#shares = new Shares(processes)
  }

  /** @param retryInMs when the store is asked again, at the earliest. */
  decide(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
    retryInMs: number,
  ): readonly Verdict[] {
    const refused = requests.some(
      ({ limit: { rule }, action }) =>
        action === 'take' && !rule.shadow && rule.onStoreError === 'deny',
    )
    this.#shares ??= new Shares(1)
    const shares = this.#shares
    const told = shares.memory.decide(
      subject,
      requests.map((request) => shares.requestFor(request, refused)),
      now,
    )
    return requests.map((request, at) => {
      const verdict = verdictOf(request, told[at], retryInMs)
      return { ...verdict, applied: verdict.applied || hasEffect(request, verdict, refused) }
    })
  }

  /** Carries out what concerns something that was taken here; `undefined` when that isn't so. */
  decideHeld(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): readonly Verdict[] | undefined {
    if (this.#shares === undefined || !requests.every(isOfBefore)) return undefined
    const shares = [this.#shares, this.#earlier].find((one) => one?.holds(subject, requests, now))
    const told = shares?.memory.decide(subject, requests.map(shares.heldRequestFor, shares), now)
    return told?.map((verdict, at) => verdictOf(requests[at], verdict, 0))
  }

  /** Gives up what ids hold here, since the store is asked to hold it. */
  handOver(subject: string, requests: readonly StoreRequest[], now: number): void {
    if (this.#shares === undefined) return
    const takes = requests.filter(({ action, id }) => action === 'take' && id !== undefined)
    if (takes.length === 0) return
    for (const shares of [this.#shares, this.#earlier]) {
      shares?.memory.decide(subject, shares.asking('release', takes), now)
    }
  }
}

/** What this process may do alone, being one of so many. */
class Shares {
  readonly processes: number
  readonly memory = memoryStore()
  readonly #limits = new WeakMap<Limit, Limit>()

  constructor(processes: number) {
    this.processes = processes
  }

  requestFor(request: StoreRequest, refused: boolean): StoreRequest {
    const { limit, action, amount, id } = request
    const share = this.#limitFor(limit)
    const { onStoreError } = limit.rule
    const counted = onStoreError === 'local' || (onStoreError === 'allow' && id !== undefined)
    if (!counted || isOfBefore(request)) return { limit: share, action: 'peek', amount: 1 }
    if (action === 'take' && refused) return { limit: share, action: 'peek', amount }
    return { ...request, limit: share }
  }

  heldRequestFor(request: StoreRequest): StoreRequest {
    const limit = this.#limitFor(request.limit)
    const { action, stamp = NOTHING_TAKEN } = request
    if (action === 'settle' && limit.rule.kind === 'concurrency') {
      return { ...request, limit, action: 'release' }
    }
    return { ...request, limit, stamp: mirrored(stamp) }
  }

  holds(subject: string, requests: readonly StoreRequest[], now: number): boolean {
    if (requests.some(({ stamp = NOTHING_TAKEN }) => stamp <= LOCAL_STAMP)) return true
    const renewed = this.memory.decide(subject, this.asking('renew', requests), now)
    return renewed.some(({ applied }) => applied)
  }

  asking(action: 'renew' | 'release', requests: readonly StoreRequest[]): readonly StoreRequest[] {
    return requests.map(({ limit, id }) => {
      return { limit: this.#limitFor(limit), action, amount: 0, id }
    })
  }

  #limitFor(limit: Limit): Limit {
    const known = this.#limits.get(limit)
    if (known !== undefined) return known
    const { policy, rule } = limit
    const share = { policy, rule: ruleFor(rule, this.processes) }
    this.#limits.set(limit, share)
    return share
  }
}

/** Of what is allowed to all, only who holds it is written down. */
function ruleFor(rule: Rule, processes: number): Rule {
  if (rule.onStoreError !== 'allow' || !('ttlMs' in rule)) return shareOf(rule, processes)
  return concurrency({ limit: Number.MAX_SAFE_INTEGER, ttlMs: rule.ttlMs, shadow: rule.shadow })
}

/** What concerns something that was taken before. */
function isOfBefore({ action }: StoreRequest): boolean {
  return ['renew', 'settle', 'release', 'refund'].includes(action)
}

/** Tells a stamp of here from one of the store, and back. */
function mirrored(stamp: number): number {
  return stamp === NOTHING_TAKEN ? stamp : LOCAL_STAMP - stamp
}

/** Whether what isn't counted has its effect all the same. */
function hasEffect(
  { action, limit }: StoreRequest,
  { allowed }: Verdict,
  refused: boolean,
): boolean {
  // A heartbeat that can't be delivered ends nothing: nobody knows of a hold that has lapsed.
  if (action === 'renew') return true
  return action === 'take' && limit.rule.onStoreError === 'allow' && allowed && !refused
}

/** What is told, as the policy says, of what its share said. */
function verdictOf(
  request: StoreRequest | undefined,
  told: Verdict | undefined,
  retryInMs: number,
): Verdict {
  if (request === undefined || told === undefined) throw new TypeError('Too few verdicts.')
  const { rule } = request.limit
  const capacity = capacityOf(rule)
  const asks = request.action === 'take' || request.action === 'peek'
  const never = asks && request.amount > capacity
  const verdict = { ...told, stamp: mirrored(told.stamp), source: `fallback-${rule.onStoreError}` }
  switch (rule.onStoreError) {
    case 'local':
      // More than a share ever holds may still fit into the whole.
      if (never || told.retryAfterMs !== Number.POSITIVE_INFINITY) return verdict
      return { ...verdict, retryAfterMs: retryInMs }
    case 'allow': {
      const retryAfterMs = never ? Number.POSITIVE_INFINITY : 0
      return { ...verdict, allowed: !never, remaining: capacity, retryAfterMs, resetMs: 0 }
    }
    case 'deny': {
      const waits = { retryAfterMs: retryInMs, resetMs: retryInMs }
      return { ...verdict, allowed: false, applied: false, remaining: 0, ...waits }
    }
  }
}
