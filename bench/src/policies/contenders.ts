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
    retry: cockatielRetry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    'circuit breaker': circuitBreaker(handleAll, {
      halfOpenAfter: 30_000,
      breaker: new ConsecutiveBreaker(5),
    }),
    timeout: cockatielTimeout(LIMIT_MS, TimeoutStrategy.Aggressive),
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
  const full = () =>
    r.compose(
      r.createRetry(),
      r.createCircuitBreaker(),
      r.createBulkhead({ max: 10 }),
      r.createTimeout({ ms: LIMIT_MS }),
    )
  const three = () =>
    r.compose(r.createRetry(), r.createCircuitBreaker(), r.createTimeout({ ms: LIMIT_MS }))
  const cockatiel = () =>
    wrap(
      cockatielRetry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
      circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) }),
      cockatielTimeout(LIMIT_MS, TimeoutStrategy.Aggressive),
    )
  return [
    ...variant('pipeline', cockatiel(), full(), three(), (policy) => policy.execute(answer)),
    ...variant('pipeline, the work reads its signal', cockatiel(), full(), three(), (policy) =>
      policy.execute(readsSignal),
    ),
    ...variant(
      'pipeline, the same and the caller has a signal',
      cockatiel(),
      full(),
      three(),
      (policy) => policy.execute(readsSignal, { signal }),
    ),
  ]
}
