/**
 * What is asked: always the same key; 10,000 keys, drawn evenly; a key whose limit is used up; or as many
 * as a limit of 10,000 per second lets through, and then as many again.
 */
export type Workload = 'hot' | 'many' | 'denied' | 'saturated'

/** A limit as all contenders understand it. */
export interface Quota {
  readonly limit: number
  readonly windowMs: number
}

const HOT = ['user-0']

/** The rest is never denied, but for what was used up before the first round. */
export const quotas: Readonly<Record<Workload, Quota>> = {
  hot: { limit: 1e9, windowMs: 60_000 },
  many: { limit: 1e9, windowMs: 60_000 },
  denied: { limit: 1, windowMs: 3_600_000 },
  saturated: { limit: 10_000, windowMs: 1_000 },
}

export function keysOf(workload: Workload): readonly string[] {
  return workload === 'many' ? Array.from({ length: 10_000 }, (_, i) => `user-${i}`) : HOT
}

/** Draws keys evenly, always in the same order, for next to nothing. */
export function drawFrom(keys: readonly string[], seed: number): () => string {
  const [only = ''] = keys
  if (keys.length === 1) return () => only
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return keys[Math.floor((state / 2 ** 32) * keys.length)] ?? ''
  }
}
