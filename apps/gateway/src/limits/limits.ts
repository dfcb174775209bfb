import {
  type Admission,
  createRateLimiter,
  type Decision,
  type RateLimiter,
  type Store,
} from '@tidegate/rate-limit'
import type { LimitSettings, TierSettings } from '../config/settings.ts'
import { HitLog } from './hit-log.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { LimitTally } from './limit-tally.ts'
import { type Ask, LimitPlan } from './plan.ts'
import { policiesOf } from './policies.ts'

/** A limit that was hit, now and then: what happened since it was last told of. */
export interface LimitHit {
  readonly policy: string
  readonly subject: string
  /** How many requests it has denied since, this one included. */
  readonly hits: number
  /** Whether it only reports. */
  readonly shadow: boolean
}

/** What the gateway's limits are made from. */
export interface LimitsOptions {
  readonly limits: readonly LimitSettings[]
  readonly tiers: readonly TierSettings[]
  /** Where they are kept. Absent: in this process. */
  readonly store?: Store | undefined
  /** How long the store may take before this gateway decides alone, in milliseconds. */
  readonly storeTimeoutMs?: number | undefined
  /** Told when the store is lost or back. */
  readonly onStoreChange?: ((change: StoreChange) => void) | undefined
  /** Told of what failed and concerns nobody's request. */
  readonly onError: (error: unknown) => void
}

/** The store can't be asked, or can again. */
interface StoreChange {
  readonly available: boolean
  readonly error?: unknown
}

/** All limits of the gateway: one limiter, what is held of it, and what it decided. */
export class Limits {
  readonly keeper: LeaseKeeper
  readonly #options: LimitsOptions
  readonly #limiter: RateLimiter<string>
  readonly #tally = new LimitTally()
  readonly #hits = new HitLog()
  #available = true

  constructor(options: LimitsOptions) {
    this.#options = options
    this.keeper = new LeaseKeeper(options.onError)
    const { store, storeTimeoutMs } = options
    this.#limiter = createRateLimiter({
      policies: policiesOf(options.limits, options.tiers),
      store,
      storeTimeoutMs,
      onStoreChange: (change) => {
        this.#available = change.available
        options.onStoreChange?.(change)
      },
    })
  }

  /** What a route's limits mean for its callers. */
  planOf(names: readonly string[]): LimitPlan {
    return new LimitPlan(names, this.#options.limits, this.#options.tiers)
  }

  /** Asks one policy that holds nothing: at once in memory. A store elsewhere is asked once, not tried first. */
  check(policy: string, ask: Ask, onHit: (hit: LimitHit) => void): Decision | Promise<Decision> {
    const decided = (decision: Decision): Decision => {
      this.#told([ask], [decision], decision.allowed, onHit)
      return decision
    }
    const inMemory = this.#options.store === undefined
    const decision = inMemory ? this.#limiter.checkSync(policy, ask.subject) : undefined
    return decision === undefined
      ? this.#limiter.check(policy, ask.subject).then(decided)
      : decided(decision)
  }

  /** Asks about a request, and takes hold of what it needs. */
  async acquire(asks: readonly Ask[], onHit: (hit: LimitHit) => void): Promise<Admission<string>> {
    const admission = await this.#limiter.acquireAll(asks)
    this.#told(asks, admission.decisions, admission.allowed, onHit)
    return admission
  }

  /** Where they are kept, if not in this process: what is counted elsewhere may be shared there as well. */
  get store(): Store | undefined {
    return this.#options.store
  }

  /** Whether they are where they are kept; otherwise each decides as it does without its store. */
  get available(): boolean {
    return this.#available
  }

  /** What was decided so far, by policy. */
  get counts(): LimitTally['policies'] {
    return this.#tally.policies
  }

  /** For operators. */
  get health(): object {
    const { store } = this.#options
    return {
      status: this.#available ? 'healthy' : 'degraded',
      store: store === undefined ? 'memory' : 'redis',
      shared: store !== undefined && this.#available,
      ...(store?.nodes !== undefined && { nodes: store.nodes }),
      held: this.keeper.size,
      ...this.#tally.report,
    }
  }

  async close(): Promise<void> {
    await this.#limiter.close()
  }

  #told(
    asks: readonly Ask[],
    decisions: readonly Decision[],
    allowed: boolean,
    onHit: (hit: LimitHit) => void,
  ): void {
    this.#tally.count(decisions, allowed)
    for (const { policy, allowed: fits, shadow } of decisions) {
      if (fits) continue
      const subject = subjectOf(asks, policy)
      const hits = this.#hits.hit(policy, subject)
      if (hits !== undefined) onHit({ policy, subject, hits, shadow })
    }
  }
}

function subjectOf(asks: readonly Ask[], policy: string): string {
  const asked = asks.find(({ requests }) =>
    requests.some((each) => (typeof each === 'string' ? each : each.policy) === policy),
  )
  return asked?.subject ?? ''
}
