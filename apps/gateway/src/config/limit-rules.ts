import {
  budget,
  concurrency,
  fixedWindow,
  type Rule,
  slidingWindow,
  tokenBucket,
} from '@tidegate/rate-limit'
import type { GatewayConfig } from './schema/gateway.ts'
import type { Settings, TierSettings } from './settings.ts'

type Limit = GatewayConfig['limits'][string]
type Tier = GatewayConfig['tiers'][string]

/** A slot that nobody renews is free after this: that long one of a crashed gateway stays taken. */
const SLOT_TTL_MS = 30_000

/** Whoever holds slots or reserved tokens renews them this often: one may be missed. */
export const RENEW_MS = 10_000

/**
 * A limit as the limiter knows it.
 *
 * @throws RateLimitError for numbers that can't be computed exactly.
 */
export function ruleOf({ rate, burst, algorithm, precision, onStoreError, shadow }: Limit): Rule {
  const window = { limit: rate.amount, windowMs: rate.windowMs, onStoreError, shadow }
  if (algorithm === 'sliding-window') return slidingWindow(window)
  // A window has no overshoot: the rules say so.
  if (algorithm === 'fixed-window') {
    return fixedWindow({ ...window, precision: precision === 'leased' ? precision : 'exact' })
  }
  return tokenBucket({ ...window, burst: burst ?? rate.amount, precision })
}

/**
 * A tier's limits as the limiter knows them.
 *
 * @throws RateLimitError for numbers that can't be computed exactly.
 */
export function rulesOf(tier: Tier): Omit<TierSettings, 'name'> {
  const { requests, burst, tokens, concurrent, onStoreError, shadow } = tier
  const common = { onStoreError, shadow }
  return {
    requests:
      requests &&
      tokenBucket({
        ...common,
        limit: requests.amount,
        windowMs: requests.windowMs,
        burst: burst ?? requests.amount,
      }),
    tokens: tokens && budget({ ...common, limit: tokens.amount, windowMs: tokens.windowMs }),
    concurrent:
      concurrent === undefined
        ? undefined
        : concurrency({ ...common, limit: concurrent, ttlMs: SLOT_TTL_MS }),
  }
}

/** Whether the configuration limits anything, be it by routes or by how many sessions there may be. */
export function isLimiting({ routes, sessions }: Pick<Settings, 'routes' | 'sessions'>): boolean {
  return sessions !== undefined || routes.some((route) => route.limits.length > 0)
}
