import type { FirstTier, Target } from '../coherence.ts'
import type { CacheBus, CacheDriver } from '../driver.ts'
import type { Entry } from '../entry.ts'
import type { CacheEvent } from '../events.ts'
import { matcher } from '../match.ts'
import { Shared, type SharedOptions } from './shared.ts'

/** A first tier that is nothing but a map. */
class MapTier implements FirstTier {
  readonly entries = new Map<string, Entry>()

  get(key: string): Entry | undefined {
    return this.entries.get(key)
  }

  drop(target: Target): number {
    const isMeant = 'keys' in target ? (key: string) => target.keys.includes(key) : meaning(target)
    const meant = [...this.entries].filter(([key, entry]) => isMeant(key, entry))
    for (const [key] of meant) this.entries.delete(key)
    return meant.length
  }
}

function meaning(target: Exclude<Target, { keys: unknown }>) {
  if ('match' in target) return matcher(target.match)
  return (_: string, entry: Entry) => entry.tags?.includes(target.tag) === true
}

/** One process with its first tier. */
export interface Node {
  readonly shared: Shared
  readonly tier: MapTier
  readonly events: CacheEvent[]
}

/** A process as the tests have it: what they don't say is as it usually is. */
export function nodeOn(
  driver: CacheDriver,
  bus: CacheBus | undefined,
  more: Partial<SharedOptions> = {},
): Node {
  const tier = new MapTier()
  const events: CacheEvent[] = []
  const shared = new Shared({
    name: 'test',
    driver,
    bus,
    firstTier: tier,
    softTimeoutMs: undefined,
    hardTimeoutMs: 1_000,
    factoryMs: 30_000,
    maxValueBytes: 1_048_576,
    compressAbove: false,
    serializer: undefined,
    now: Date.now,
    random: Math.random,
    emit: (event) => events.push(event),
    ...more,
  })
  return { shared, tier, events }
}

/** An entry that was made just now, of what was known then. */
export function entryOf(value: unknown, more: Partial<Entry> = {}): Entry {
  const now = Date.now()
  return {
    value,
    createdAt: now,
    freshUntil: now + 60_000,
    staleUntil: now + 120_000,
    tags: undefined,
    seq: 0,
    stamp: undefined,
    believedUntil: now + 60_000,
    servedUntil: 0,
    usedAt: 0,
    generation: 0,
    ...more,
  }
}
