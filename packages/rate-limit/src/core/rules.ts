import { RateLimitError } from './errors.ts'

/**
 * The largest product of capacity and window, after both were divided by their common divisor: up to
 * here a bucket is computed in whole numbers without rounding, and a penalty still fits above it.
 */
export const MAX_UNITS = 2 ** 50

/** About a hundred years. */
export const MAX_MS = 2 ** 42

/** What all rules may say. */
export interface RuleOptions {
  /** Decide and report, but never deny. Default false. */
  readonly shadow?: boolean | undefined
  /** What is answered while the store fails or is silent. Default `local`. */
  readonly onStoreError?: OnStoreError | undefined
}

/**
 * What a policy does without its store: `local` decides in this process by its share of the limit, `allow`
 * and `deny` do so to all.
 */
export type OnStoreError = 'local' | 'allow' | 'deny'

/**
 * How a shared store may decide: `exact` asks it each time. `leased` lets a process take a part in advance
 * and spend it alone: the same bound, while up to half of the burst may be tied up in other processes.
 * `maxOvershoot`, above 0 up to 1, ties up nothing: the bound then is `burst · (1 + maxOvershoot)`. Stores
 * in memory, and rules too small to gain by it (a burst below 20), decide exactly.
 */
export type Precision = 'exact' | 'leased' | { readonly maxOvershoot: number }

/** A limit per time. */
export interface WindowOptions extends RuleOptions {
  /** How much is allowed in each window; a whole number from 1. */
  readonly limit: number
  /** The length of the window in whole milliseconds. */
  readonly windowMs: number
}

/** A window of the clock. */
export interface FixedWindowOptions extends WindowOptions {
  /** Default `exact`. A lease never outlives its window, so `leased` keeps the bound. */
  readonly precision?: Exclude<Precision, object> | undefined
}

/** A limit per time that may be used in a burst. */
export interface BucketOptions extends WindowOptions {
  /** How much may be used at once after a pause; a whole number from 1. Default: `limit`. */
  readonly burst?: number | undefined
}

/** A token bucket. */
export interface TokenBucketOptions extends BucketOptions {
  /** Default `exact`. */
  readonly precision?: Precision | undefined
}

/** A limit per time on amounts that are known only afterwards. */
export interface BudgetOptions extends BucketOptions {
  /** Milliseconds after which a reservation that nobody renewed stays charged for good. Default 600,000. */
  readonly ttlMs?: number | undefined
}

/** A limit on what goes on at the same time. */
export interface ConcurrencyOptions extends RuleOptions {
  /** How many slots there are; a whole number from 1. */
  readonly limit: number
  /** Milliseconds after which a slot that nobody renewed is free again. Default 60,000. */
  readonly ttlMs?: number | undefined
}

interface RuleBase {
  readonly limit: number
  readonly shadow: boolean
  readonly onStoreError: OnStoreError
}

/** See {@link tokenBucket}. */
export interface TokenBucketRule extends RuleBase {
  readonly kind: 'token-bucket'
  readonly windowMs: number
  readonly burst: number
  readonly precision: Precision
}

/** See {@link slidingWindow}. */
export interface SlidingWindowRule extends RuleBase {
  readonly kind: 'sliding-window'
  readonly windowMs: number
}

/** See {@link fixedWindow}. */
export interface FixedWindowRule extends RuleBase {
  readonly kind: 'fixed-window'
  readonly windowMs: number
  readonly precision: Exclude<Precision, object>
}

/** See {@link concurrency}. */
export interface ConcurrencyRule extends RuleBase {
  readonly kind: 'concurrency'
  readonly ttlMs: number
}

/** See {@link budget}. */
export interface BudgetRule extends RuleBase {
  readonly kind: 'budget'
  readonly windowMs: number
  readonly burst: number
  readonly ttlMs: number
}

/** A checked policy, as data: all that a store needs to know of it. */
export type Rule =
  | TokenBucketRule
  | SlidingWindowRule
  | FixedWindowRule
  | ConcurrencyRule
  | BudgetRule

/**
 * A token bucket (GCRA), computed in whole numbers: in every interval Δ it admits at most
 * `burst + limit · Δ / windowMs`.
 *
 * @throws RateLimitError `invalid_limit` for numbers that aren't whole, positive and within bounds.
 */
export function tokenBucket(options: TokenBucketOptions): TokenBucketRule {
  const precision = precisionOf('tokenBucket', options.precision)
  return Object.freeze({ kind: 'token-bucket', ...bucketOf('tokenBucket', options), precision })
}

/**
 * A sliding window: it never admits more than `limit` in any interval of `windowMs`, wherever it begins
 * (the end not included). Up to a limit of 32 every admission is forgotten exactly `windowMs` after it;
 * above, those of the same 32nd of the window are forgotten with the last of them: capacity may come back
 * up to `windowMs / 32` late, and never early.
 *
 * @throws RateLimitError `invalid_limit` for numbers that aren't whole, positive and within bounds.
 */
export function slidingWindow(options: WindowOptions): SlidingWindowRule {
  return Object.freeze({ kind: 'sliding-window', ...windowOf('slidingWindow', options) })
}

/**
 * A window that begins at whole multiples of `windowMs` since 1970 (UTC): at most `limit` in each, and so
 * up to twice as much around a boundary.
 *
 * @throws RateLimitError `invalid_limit` for numbers that aren't whole, positive and within bounds.
 */
export function fixedWindow(options: FixedWindowOptions): FixedWindowRule {
  const precision = precisionOf('fixedWindow', options.precision)
  if (typeof precision === 'object') {
    throw new RateLimitError(
      'invalid_limit',
      "fixedWindow: precision is 'exact' or 'leased'; only a tokenBucket has a maxOvershoot.",
    )
  }
  return Object.freeze({ kind: 'fixed-window', ...windowOf('fixedWindow', options), precision })
}

/**
 * Slots for what lasts (streams, sessions): at most `limit` at a time. A slot is held until it is
 * released, or until `ttlMs` passed without a renewal.
 *
 * @throws RateLimitError `invalid_limit` for numbers that aren't whole, positive and within bounds.
 */
export function concurrency(options: ConcurrencyOptions): ConcurrencyRule {
  const name = 'concurrency'
  return Object.freeze({
    kind: name,
    limit: count(name, 'limit', options.limit, Number.MAX_SAFE_INTEGER),
    ttlMs: count(name, 'ttlMs', options.ttlMs ?? 60_000, MAX_MS),
    ...conductOf(name, options),
  })
}

/**
 * A token bucket for amounts that are known only afterwards: an estimate is reserved, the actual amount
 * settled, and what was too much comes back exactly as if it had never been taken. What was admitted,
 * as settled, stays within `burst + limit · Δ / windowMs` as long as no actual amount exceeds its
 * estimate; what exceeds it is owed, and what comes next waits for it.
 *
 * @throws RateLimitError `invalid_limit` for numbers that aren't whole, positive and within bounds.
 */
export function budget(options: BudgetOptions): BudgetRule {
  const ttlMs = count('budget', 'ttlMs', options.ttlMs ?? 600_000, MAX_MS)
  return Object.freeze({ kind: 'budget', ...bucketOf('budget', options), ttlMs })
}

const KINDS: readonly unknown[] = [
  'token-bucket',
  'sliding-window',
  'fixed-window',
  'concurrency',
  'budget',
] satisfies Rule['kind'][]

/** Tells a rule from options that no function has checked. */
export function isRule(value: unknown): value is Rule {
  return (
    typeof value === 'object' && value !== null && 'kind' in value && KINDS.includes(value.kind)
  )
}

/** The largest cost that the rule can ever allow at once. */
export function capacityOf(rule: Rule): number {
  return 'burst' in rule ? rule.burst : rule.limit
}

/**
 * What tells one limit from another, as text: the rule's kind and numbers. How it is enforced (`shadow`,
 * `onStoreError`, `precision`) isn't part of it, so that changing that forgets nothing.
 */
export function meaningOf(rule: Rule): string {
  const enforced = ['shadow', 'onStoreError', 'precision']
  const numbers = Object.entries(rule).filter(([name]) => !enforced.includes(name))
  return JSON.stringify(numbers.sort())
}

/** A rate in lowest terms: one token is `perToken` units, and `perMs` units come back each millisecond. */
export interface Rate {
  readonly perToken: number
  readonly perMs: number
}

/** The rate of a bucket in whole units, so that nothing is ever rounded. */
export function rateOf(rule: { readonly limit: number; readonly windowMs: number }): Rate {
  const divisor = greatestCommonDivisor(rule.limit, rule.windowMs)
  return { perToken: rule.windowMs / divisor, perMs: rule.limit / divisor }
}

function windowOf(name: string, options: WindowOptions) {
  return {
    limit: count(name, 'limit', options.limit, Number.MAX_SAFE_INTEGER),
    windowMs: count(name, 'windowMs', options.windowMs, MAX_MS),
    ...conductOf(name, options),
  }
}

function conductOf(name: string, { shadow = false, onStoreError = 'local' }: RuleOptions) {
  if (typeof shadow !== 'boolean') {
    throw new RateLimitError('invalid_limit', `${name}: shadow must be true or false.`)
  }
  if (['local', 'allow', 'deny'].includes(onStoreError)) return { shadow, onStoreError }
  throw new RateLimitError(
    'invalid_limit',
    `${name}: onStoreError must be 'local', 'allow' or 'deny'.`,
  )
}

function precisionOf(name: string, precision: Precision = 'exact'): Precision {
  if (precision === 'exact' || precision === 'leased') return precision
  const maxOvershoot: unknown = Object(precision).maxOvershoot
  if (typeof maxOvershoot === 'number' && maxOvershoot > 0 && maxOvershoot <= 1)
    return Object.freeze({ maxOvershoot })
  throw new RateLimitError(
    'invalid_limit',
    `${name}: precision must be 'exact', 'leased', or { maxOvershoot } above 0 up to 1.`,
  )
}

function bucketOf(name: string, options: BucketOptions) {
  const window = windowOf(name, options)
  const burst = count(name, 'burst', options.burst ?? options.limit, Number.MAX_SAFE_INTEGER)
  const { perToken, perMs } = rateOf(window)
  if (burst * perToken > MAX_UNITS || perMs > MAX_UNITS) {
    throw new RateLimitError(
      'invalid_limit',
      `${name}: ${window.limit} per ${window.windowMs} ms with a burst of ${burst} can't be computed exactly. Choose rounder numbers, or a shorter window.`,
    )
  }
  return { ...window, burst }
}

function count(rule: string, option: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value
  const found = typeof value === 'number' ? String(value) : typeof value
  throw new RateLimitError(
    'invalid_limit',
    `${rule}: ${option} must be a whole number from 1 to ${max}, not ${found}.`,
  )
}

function greatestCommonDivisor(a: number, b: number): number {
  let [high, low] = [a, b]
  while (low > 0) [high, low] = [low, high % low]
  return high
}
