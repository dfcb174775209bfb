import type { Accessor } from '../access.ts'
import type { Entry } from '../entry.ts'
import type { Counts } from '../stats.ts'
import type { Engine } from './engine.ts'

/** An entry of either tier, fresh or stale. */
export async function find(
  engine: Engine,
  key: string,
  counts: Counts,
): Promise<Entry | undefined> {
  const held = engine.tier.get(key)
  if (held !== undefined && engine.serves(held, engine.now())) {
    counts.l1Hits += 1
    return held
  }
  if (!engine.coherence.shared || engine.closed) return engine.usable(key, engine.now())
  const { entry } = await engine.lookups.one(key, [])
  if (entry !== undefined && engine.now() < entry.freshUntil) counts.l2Hits += 1
  return entry ?? engine.usable(key, engine.now())
}

/** Fresh entries in the order of the keys; what memory hasn't is read at once. */
export async function findMany(
  engine: Engine,
  keys: readonly string[],
  counts: Counts,
  by: Accessor,
): Promise<(Entry | undefined)[]> {
  const now = engine.now()
  const entries = keys.map((key) => {
    const entry = engine.tier.get(key)
    const hit = entry !== undefined && engine.serves(entry, now)
    engine.observer?.accessed(key, hit, by)
    return hit ? entry : undefined
  })
  counts.l1Hits += entries.filter((entry) => entry !== undefined).length
  await fill(engine, keys, entries, counts)
  counts.misses += entries.filter((entry) => entry === undefined).length
  return entries
}

async function fill(
  engine: Engine,
  keys: readonly string[],
  entries: (Entry | undefined)[],
  counts: Counts,
): Promise<void> {
  const missing = keys.flatMap((key, at) => (entries[at] === undefined ? [{ key, at }] : []))
  if (missing.length === 0 || !engine.coherence.shared || engine.closed) return
  const found = await engine.lookups.many(missing.map(({ key }) => key))
  const now = engine.now()
  missing.forEach(({ key, at }, i) => {
    const entry = found[i]?.entry ?? engine.usable(key, now)
    if (entry === undefined || now >= entry.freshUntil) return
    entries[at] = entry
    counts.l2Hits += 1
  })
}
