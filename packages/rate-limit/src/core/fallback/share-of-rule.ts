import {
  budget,
  concurrency,
  fixedWindow,
  MAX_MS,
  MAX_UNITS,
  type Rule,
  rateOf,
  slidingWindow,
  tokenBucket,
} from '../rules.ts'

/** A number of processes that nothing can be divided by is none. */
const MOST_NODES = 1_000_000

interface Flow {
  readonly limit: number
  readonly windowMs: number
}

/**
 * What each of so many processes may do alone, so that all together keep to the rule: a rate is stretched
 * over as many windows, and so is exact; windows and slots are divided. Where a part would be nothing it
 * is the smallest there is: one slot, a burst of 1, or 1 per as many windows as have room for all.
 */
export function shareOf(rule: Rule, processes: number): Rule {
  const nodes = Math.min(MOST_NODES, Math.max(1, Math.floor(processes) || 1))
  const { shadow } = rule
  switch (rule.kind) {
    case 'token-bucket':
      return tokenBucket({ ...flowShare(rule, rule.burst, nodes), shadow })
    case 'budget':
      return budget({ ...flowShare(rule, rule.burst, nodes), ttlMs: rule.ttlMs, shadow })
    case 'sliding-window':
      return slidingWindow({ ...windowShare(rule, nodes), shadow })
    case 'fixed-window':
      return fixedWindow({ ...windowShare(rule, nodes), shadow })
    case 'concurrency':
      return concurrency({ limit: partOf(rule.limit, nodes), ttlMs: rule.ttlMs, shadow })
  }
}

function flowShare({ limit, windowMs }: Flow, burst: number, nodes: number) {
  const exact = { limit, windowMs: windowMs * nodes, burst: partOf(burst, nodes) }
  const { perToken, perMs } = rateOf(exact)
  const units = Math.max(exact.burst * perToken, perMs)
  if (exact.windowMs <= MAX_MS && units <= MAX_UNITS) return exact
  // Beyond what can be computed exactly: one at a time, and rather too slowly than too fast.
  const slow = Math.min(MAX_MS, Math.ceil(exact.windowMs / limit))
  return { limit: 1, windowMs: slow, burst: Math.min(exact.burst, Math.floor(MAX_UNITS / slow)) }
}

function windowShare({ limit, windowMs }: Flow, nodes: number): Flow {
  if (limit >= nodes) return { limit: Math.floor(limit / nodes), windowMs }
  return { limit: 1, windowMs: Math.min(MAX_MS, windowMs * Math.ceil(nodes / limit)) }
}

function partOf(whole: number, nodes: number): number {
  return Math.max(1, Math.floor(whole / nodes))
}
