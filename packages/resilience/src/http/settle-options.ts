import { type Backoff, createBackoff } from '../core/backoff.ts'
import { createRetryBudget, type RetryBudget } from '../core/retry-budget.ts'
import type { TlsOptions } from './connector.ts'
import type { Egress } from './egress.ts'
import { createEmit, type Emit } from './events.ts'
import type { HttpClientOptions } from './options.ts'
import { RETRYABLE_STATUSES } from './semantics.ts'

/** A client's options with every default in its place. Times are milliseconds. */
export interface Settings {
  readonly connections: number
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
  readonly keepAliveMs: number
  readonly maxResponseBytes: number
  readonly bulkhead: { readonly max: number; readonly queue: number }
  readonly breaker: { readonly failures: number; readonly openForMs: number } | undefined
  /** `undefined`: one attempt. */
  readonly retry: RetrySettings | undefined
  readonly tls: TlsOptions | undefined
  readonly egress: Egress | undefined
  readonly limit: HttpClientOptions['limit']
  readonly emit: Emit
  readonly now: () => number
  readonly random: () => number
}

/** How failed attempts are repeated. */
interface RetrySettings {
  readonly retries: number
  readonly backoff: Backoff
  readonly statuses: ReadonlySet<number>
  readonly budget: RetryBudget | undefined
}

const MEBIBYTE = 1024 * 1024

/** Fills in the defaults. */
export function settleOptions(options: HttpClientOptions): Settings {
  const { timeouts = {}, bulkhead = {}, connections = 100 } = options
  const now = options.now ?? (() => performance.now())
  const random = options.random ?? Math.random
  return {
    connections,
    // undici's way to say that there is no limit.
    connectMs: timeouts.connectMs === Number.POSITIVE_INFINITY ? 0 : (timeouts.connectMs ?? 5_000),
    firstByteMs: limitOf(timeouts.firstByteMs, 30_000),
    idleMs: limitOf(timeouts.idleMs, 30_000),
    totalMs: limitOf(timeouts.totalMs, 60_000),
    keepAliveMs: options.keepAliveMs ?? 30_000,
    maxResponseBytes: options.maxResponseBytes ?? 10 * MEBIBYTE,
    bulkhead: { max: bulkhead.max ?? connections, queue: bulkhead.queue ?? 1_000 },
    breaker: settleBreaker(options.breaker),
    retry: settleRetry(options.retry, now, random),
    tls: options.tls,
    egress: options.egress,
    limit: options.limit,
    emit: createEmit(options.onEvent),
    now,
    random,
  }
}

/** 0 stands for no limit. */
export function limitOf(ms: number | undefined, fallback: number): number {
  if (ms === 0) return Number.POSITIVE_INFINITY
  return ms ?? fallback
}

function settleBreaker(breaker: HttpClientOptions['breaker']): Settings['breaker'] {
  if (breaker === false) return undefined
  return { failures: breaker?.failures ?? 5, openForMs: breaker?.openForMs ?? 30_000 }
}

function settleRetry(
  retry: HttpClientOptions['retry'],
  now: () => number,
  random: () => number,
): RetrySettings | undefined {
  if (retry === false) return undefined
  const {
    retries = 2,
    initial,
    max,
    multiplier,
    statuses = RETRYABLE_STATUSES,
    budget,
  } = retry ?? {}
  return {
    retries,
    backoff: createBackoff({ initial, max, multiplier, random }),
    statuses: new Set(statuses),
    budget: budget === false ? undefined : createRetryBudget({ ...budget, now }),
  }
}
