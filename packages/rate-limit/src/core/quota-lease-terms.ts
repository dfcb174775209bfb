import type { Rule } from './rules.ts'

/** Below this a process would hold so little in advance that asking each time is as good. */
const LEAST_BURST = 20
const LEAST_ESCROW = 10

/** A lease that lasts shorter is spent by the time it has arrived. */
const LEAST_EPOCH_MS = 20

/** Longer, and tokens that nobody spends are kept from others for too long. */
const MOST_EPOCH_MS = 5_000

/** How much of a limit processes may hold in advance, and for how long. */
export interface QuotaLeaseTerms {
  /** The most tokens that all processes together hold in advance. */
  readonly escrow: number
  /** Milliseconds that a lease lasts: what hasn't been spent by then is lost. */
  readonly epochMs: number
  /** Whether what is held in advance counts against the burst, so that the bound stays as it is. */
  readonly strict: boolean
}

/**
 * The terms on which a rule's tokens are leased; `undefined` where each decision is to be exact: because
 * the rule says so, its kind can't be leased, or it is too small to gain by it.
 *
 * The escrow is half of what may be used at once, or the overshoot that the rule allows. An epoch is so
 * long that the full rate flows through leases when two epochs' refill fits into the escrow.
 */
export function quotaLeaseTermsOf(rule: Rule): QuotaLeaseTerms | undefined {
  if (rule.kind !== 'token-bucket' && rule.kind !== 'fixed-window') return undefined
  const { precision } = rule
  if (precision === 'exact') return undefined
  const atOnce = rule.kind === 'token-bucket' ? rule.burst : rule.limit
  const strict = precision === 'leased'
  const escrow = Math.floor(strict ? atOnce / 2 : atOnce * precision.maxOvershoot)
  const lasting =
    rule.kind === 'token-bucket' ? (escrow * rule.windowMs) / (2 * rule.limit) : rule.windowMs / 8
  const epochMs = Math.min(MOST_EPOCH_MS, Math.floor(lasting))
  if (atOnce < LEAST_BURST || escrow < LEAST_ESCROW || epochMs < LEAST_EPOCH_MS) return undefined
  return { escrow, epochMs, strict }
}
