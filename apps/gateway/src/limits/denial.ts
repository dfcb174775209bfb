import type { Decision, Rule } from '@tidegate/rate-limit'
import { GatewayError, type GatewayErrorCode } from '../problems.ts'

/**
 * When a slot comes free nobody knows: at the latest when its holder falls silent. Streams end sooner, so
 * that is how long a client should wait before it asks again.
 */
const SLOT_RETRY_MS = 1_000

const CODES: Readonly<Record<Rule['kind'], GatewayErrorCode>> = {
  'token-bucket': 'rate_limit_exceeded',
  'sliding-window': 'rate_limit_exceeded',
  'fixed-window': 'rate_limit_exceeded',
  budget: 'token_limit_exceeded',
  concurrency: 'concurrency_limit_exceeded',
}

/** The error of a request that a limit denies. */
export function denialOf({ policy, limit, retryAfterMs, rule }: Decision): GatewayError {
  const isSlots = rule.kind === 'concurrency'
  const wait = isSlots ? Math.min(retryAfterMs, SLOT_RETRY_MS) : retryAfterMs
  const most = describe(limit, rule)
  const message = isSlots
    ? `The limit "${policy}" of ${most} is reached.`
    : `The limit "${policy}" of ${most} is used up; the next may come in ${inWords(wait)}.`
  return new GatewayError(CODES[rule.kind], message, { facts: { retryAfterMs: wait } })
}

/** The error of a request that asks for more than the limit ever holds. */
export function neverOf(policy: string, cost: number, capacity: number): GatewayError {
  const message = `This request may use ${cost} tokens, and the limit "${policy}" never allows more than ${capacity} at once.`
  return new GatewayError('request_exceeds_limit', message)
}

function describe(limit: number, rule: Rule): string {
  if (rule.kind === 'concurrency') return `${limit} at a time`
  const what = rule.kind === 'budget' ? 'tokens' : 'requests'
  return `${limit} ${what} in ${inWords(rule.windowMs)}`
}

function inWords(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)} ms`
  if (ms < 60_000) return `${Math.ceil(ms / 100) / 10} s`
  return `${Math.ceil(ms / 6000) / 10} min`
}
