import type { Accessor } from '../access.ts'
import { Prediction, type PredictionSettings, type PredictionStats } from './prediction.ts'

/** One access of a trace: whose, to what, and how long after the one before. */
export interface Access {
  readonly caller: string
  readonly key: string
  readonly afterMs: number
}

export interface Replayed {
  /** The share of accesses that found their entry. */
  readonly hitRate: number
  readonly stats: PredictionStats
}

/** Who asks: the model has no namespaces. */
export const NOBODY: Accessor = { prefix: '', fetch: () => new Promise(() => undefined) }

/** Plays a trace against a cache whose entries live for `ttlMs` and take no time to make. */
export async function replay(
  trace: Iterable<Access>,
  { ttlMs, ...settings }: PredictionSettings & { readonly ttlMs: number },
): Promise<Replayed> {
  const expiry = new Map<string, number>()
  let [now, caller, hits, accesses] = [0, '', 0, 0]
  const has = (key: string) => (expiry.get(key) ?? 0) > now
  const store = (key: string) => {
    expiry.set(key, now + ttlMs)
    return key
  }
  const fetcher = { has, fetch: async (key: string) => store(key) }
  const prediction = new Prediction({ caller: () => caller, ...settings }, fetcher, () => now)
  for (const access of trace) {
    now += access.afterMs
    caller = access.caller
    const hit = has(access.key)
    accesses += 1
    if (hit) hits += 1
    prediction.accessed(access.key, hit, NOBODY)
    if (!hit) store(access.key)
    await Promise.resolve()
  }
  return { hitRate: hits / accesses, stats: prediction.stats }
}

/** The same numbers from 0 to below 1 in every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
