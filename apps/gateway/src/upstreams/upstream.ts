import {
  type Backoff,
  type Bulkhead,
  createBackoff,
  createBulkhead,
  createHedgeBudget,
  createQuantile,
  createRetryBudget,
  type HedgeBudget,
  pickEndpoint,
  type Quantile,
  type RetryBudget,
} from '@tidegate/resilience'
import type { UpstreamSettings } from '../config/settings.ts'
import { createEndpoint, type Endpoint } from './endpoint.ts'

/** One upstream, built once at start: its endpoints and what guards the calls to them. */
export interface Upstream extends Omit<UpstreamSettings, 'endpoints'> {
  readonly endpoints: readonly Endpoint[]
  readonly bulkhead: Bulkhead
  readonly backoff: Backoff
  /** What repeated tries on this upstream are taken from. */
  readonly budget: RetryBudget
  /** What hedges are taken from; absent where hedging is off. */
  readonly hedgeBudget: HedgeBudget | undefined
  /** Times from a request to its answer's first byte, in milliseconds, where hedging goes by them. */
  readonly latency: Quantile | undefined
}

export function createUpstream(settings: UpstreamSettings): Upstream {
  const { retry, concurrency, hedge } = settings
  return {
    ...settings,
    endpoints: settings.endpoints.map((each, index) => createEndpoint(settings, each, index)),
    bulkhead: createBulkhead(concurrency),
    backoff: createBackoff({ initial: retry.initial, max: retry.max }),
    budget: createRetryBudget({ ratio: retry.budget, perSecond: retry.budgetFloor }),
    hedgeBudget: hedge === undefined ? undefined : createHedgeBudget({ ratio: hedge.budget }),
    latency: hedge?.after === 'p95' ? createQuantile() : undefined,
  }
}

/**
 * The endpoint for the next attempt: one whose breaker lets it through and that is not `spent`, by
 * weight and by how busy it is.
 */
export function chooseEndpoint(
  { endpoints }: Upstream,
  spent: readonly Endpoint[],
): Endpoint | undefined {
  return pickEndpoint(
    endpoints,
    (endpoint) => !spent.includes(endpoint) && endpoint.breaker?.canEnter !== false,
  )
}

/** Milliseconds until one of the upstream's open breakers lets a probe through. */
export function opensIn({ endpoints }: Upstream): number {
  return Math.min(...endpoints.map(({ breaker }) => breaker?.retryAfterMs ?? 0))
}
