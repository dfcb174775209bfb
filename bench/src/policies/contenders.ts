import {
  ConsecutiveBreaker,
  circuitBreaker,
  bulkhead as cockatielBulkhead,
  retry as cockatielRetry,
  timeout as cockatielTimeout,
  ExponentialBackoff,
  handleAll,
  type IPolicy,
  TimeoutStrategy,
  wrap,
} from 'cockatiel'
import CircuitBreaker from 'opossum'

/** Measured as built, so that it is what users get. */
const BUILT = new URL('../../../packages/resilience/dist/index.js', import.meta.url)
type Resilience = typeof import('../../../packages/resilience/src/index.ts')

/** A way of calling the same work. */
export interface Contender {
  readonly name: string
  /** What else stands in the table with it; the first of a group is what the others are divided by. */
  readonly group: string
  /** Calls the work once. */
  readonly call: () => unknown
}

const LIMIT_MS = 1000
const signal = new AbortController().signal

const answer = async (): Promise<number> => 1
/** As whatever passes its signal on does, such as a fetch. */
const readsSignal = async (context: { readonly signal: AbortSignal }): Promise<number> =>
  context.signal.aborted ? 0 : 1

export async function contenders(): Promise<Contender[]> {
  const resilience = (await import(BUILT.href).catch((cause: unknown) => {
    throw new Error('Run `npx -y pnpm@12 build` in the root first.', { cause })
  })) as Resilience
  return [
    { name: 'the work alone', group: 'base', call: () => answer() },
    ...single(resilience),
    ...pipelines(resilience),
    ...permits(resilience),
  ]
}

function single(r: Resilience): Contender[] {
  const ours = {
    retry: r.createRetry(),
    'circuit breaker': r.createCircuitBreaker(),
    timeout: r.createTimeout({ ms: LIMIT_MS }),
    bulkhead: r.createBulkhead({ max: 10 }),
  }
  const theirs: Record<keyof typeof ours, IPolicy> = {
    retry: cockatielParts().retry,
    'circuit breaker': cockatielParts().breaker,
    timeout: cockatielParts().timeout,
    bulkhead: cockatielBulkhead(10),
  }
  const names = Object.keys(ours) as (keyof typeof ours)[]
  return [
    ...names.flatMap((group) => [
      { group, name: 'cockatiel', call: () => theirs[group].execute(answer) },
      { group, name: 'tidegate', call: () => ours[group].execute(answer) },
    ]),
    ...onlyOurs(r),
  ]
}

/** With `abortOnReturn`, which is its default, its timeout aborts the signal after each success. */
function cockatielParts(abortOnReturn = false) {
  return {
    retry: cockatielRetry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    breaker: circuitBreaker(handleAll, {
      halfOpenAfter: 30_000,
      breaker: new ConsecutiveBreaker(5),
    }),
    timeout: cockatielTimeout(LIMIT_MS, { strategy: TimeoutStrategy.Aggressive, abortOnReturn }),
  }
}

function cockatielPipeline(abortOnReturn?: boolean): IPolicy {
  const { retry, breaker, timeout } = cockatielParts(abortOnReturn)
  return wrap(retry, breaker, timeout)
}

/** What the others don't have, or not in that form. */
function onlyOurs(r: Resilience): Contender[] {
  const rates = { failureRate: 0.5, slowRate: 0.5, slowMs: 100 }
  const policies = {
    'circuit breaker over 100 calls': r.createCircuitBreaker({
      trip: { kind: 'count', size: 100, ...rates },
    }),
    'circuit breaker over 10 s': r.createCircuitBreaker({
      trip: { kind: 'time', windowMs: 10_000, ...rates },
    }),
    'retry with a budget': r.createRetry({ budget: r.createRetryBudget() }),
    'hedge after 1 s': r.createHedge({ after: 1000 }),
    'hedge after the 95th percentile': r.createHedge({
      after: { quantile: 0.95, initialMs: 1000 },
      when: () => false,
    }),
    fallback: r.createFallback({ fallback: () => 0 }),
    limit: r.createLimit({ limit: () => ({ allowed: true }) }),
  }
  return Object.entries(policies).map(([group, policy]) => ({
    group,
    name: 'tidegate',
    call: () => policy.execute(answer),
  }))
}

function pipelines(r: Resilience): Contender[] {
  const retry = r.createRetry()
  const breaker = r.createCircuitBreaker()
  const bulkhead = r.createBulkhead({ max: 10 })
  const timeout = r.createTimeout({ ms: LIMIT_MS })
  const three = r.compose(retry, breaker, timeout)
  const four = r.compose(retry, breaker, bulkhead, timeout)
  const cockatiel = cockatielPipeline()
  const byDefault = cockatielPipeline(true)
  const opossum = new CircuitBreaker(answer, { timeout: LIMIT_MS, capacity: 10 })
  const theirs = 'cockatiel: retry, breaker, timeout'
  const same = 'tidegate: retry, breaker, timeout'
  const full = 'tidegate: retry, breaker, bulkhead, timeout'
  const plain = 'pipeline'
  const reads = 'pipeline, the work reads its signal'
  const given = 'pipeline, and the caller gives a signal as well'
  return [
    { group: plain, name: theirs, call: () => cockatiel.execute(answer) },
    { group: plain, name: `${theirs}, defaults`, call: () => byDefault.execute(answer) },
    { group: plain, name: same, call: () => three.execute(answer) },
    { group: plain, name: full, call: () => four.execute(answer) },
    { group: plain, name: 'opossum: breaker, bulkhead, timeout', call: () => opossum.fire() },
    { group: reads, name: theirs, call: () => cockatiel.execute(readsSignal) },
    { group: reads, name: same, call: () => three.execute(readsSignal) },
    { group: reads, name: full, call: () => four.execute(readsSignal) },
    { group: given, name: theirs, call: () => cockatiel.execute(readsSignal, signal) },
    { group: given, name: same, call: () => three.execute(readsSignal, { signal }) },
    { group: given, name: full, call: () => four.execute(readsSignal, { signal }) },
  ]
}

/** What a call costs that asks for its permit or its place itself, as the gateway's do. */
function permits(r: Resilience): Contender[] {
  const breaker = r.createCircuitBreaker()
  const bulkhead = r.createBulkhead({ max: 10 })
  const quantile = r.createQuantile()
  const endpoints = [1, 2, 3].map((weight) => ({ weight, pending: weight }))
  let ms = 0
  const measured = (): void => {
    ms = (ms * 7 + 11) % 1009
    quantile.record(ms)
  }
  return [
    { group: 'tryEnter and succeed', call: () => breaker.tryEnter()?.succeed() },
    { group: 'tryAcquire and release', call: () => bulkhead.tryAcquire()?.release() },
    { group: 'pickEndpoint of 3', call: () => r.pickEndpoint(endpoints, () => true) },
    { group: 'quantile: record', call: measured },
  ].map((contender) => ({ ...contender, name: 'tidegate, without a promise' }))
}
