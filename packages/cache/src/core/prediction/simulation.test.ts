import { describe, expect, it } from 'vitest'
import { type Access, replay, seeded } from './model-cache.fixture.ts'

const TTL_MS = 120_000
const plenty = { ttlMs: TTL_MS, callsPerMinute: 6_000 }
const off = { ttlMs: TTL_MS, callsPerMinute: 0 }

/** Callers who each walk one of the ways through the application, step by step, at the same time. */
function* sessions(count: number, random: () => number): Generator<Access> {
  const steps = 8
  const open = Array.from({ length: 20 }, (_, i) => ({ id: i, way: i % 50, step: 0 }))
  let begun = open.length
  while (begun < count) {
    const session = open[Math.floor(random() * open.length)]
    if (session === undefined) return
    const caller = `session-${session.id}`
    yield { caller, key: `way-${session.way}/step-${session.step}`, afterMs: 200 }
    session.step += 1
    if (session.step < steps) continue
    begun += 1
    Object.assign(session, { id: begun, way: Math.floor(random() * 50), step: 0 })
  }
}

function* anyKeys(length: number, keys: number, random: () => number): Generator<Access> {
  for (let i = 0; i < length; i++) {
    yield { caller: '', key: `key-${Math.floor(random() * keys)}`, afterMs: 50 }
  }
}

/** The nth most usual key is asked for 1/n times as often as the most usual. */
function* zipf(length: number, keys: number, random: () => number): Generator<Access> {
  const sums: number[] = []
  for (let n = 1; n <= keys; n++) sums.push((sums.at(-1) ?? 0) + 1 / n)
  const total = sums.at(-1) ?? 0
  for (let i = 0; i < length; i++) {
    const at = random() * total
    yield { caller: '', key: `key-${sums.findIndex((sum) => sum >= at)}`, afterMs: 50 }
  }
}

describe('Prediction on traces', () => {
  it('finds what sessions need next, and hardly fetches in vain', async () => {
    const without = await replay(sessions(3_000, seeded(1)), off)
    const { hitRate, stats } = await replay(sessions(3_000, seeded(1)), plenty)
    expect(hitRate).toBeGreaterThan(without.hitRate + 0.1)
    expect(hitRate - without.hitRate).toBeCloseTo(stats.gain, 1)
    expect(stats.waste).toBeLessThan(0.1)
    expect(stats.pausedUntil).toBeUndefined()
  })

  it('learns nothing from sessions that it cannot tell apart, and so fetches next to nothing', async () => {
    const blind = { ...plenty, caller: () => undefined }
    const { stats } = await replay(sessions(3_000, seeded(2)), blind)
    expect(stats.prefetched / stats.accesses).toBeLessThan(0.01)
  })

  it('leaves random accesses alone', async () => {
    for (const keys of [10, 100, 1_000, 10_000]) {
      const { stats } = await replay(anyKeys(20_000, keys, seeded(keys)), {
        ...plenty,
        ttlMs: 5_000,
      })
      expect(stats.prefetched / stats.accesses).toBeLessThan(0.01)
    }
  })

  it('leaves alone what is popular without an order', async () => {
    const { stats } = await replay(zipf(20_000, 1_000, seeded(3)), { ...plenty, ttlMs: 5_000 })
    expect(stats.prefetched / stats.accesses).toBeLessThan(0.01)
  })

  it('stops by itself when what used to follow follows no more, and bounds what is lost by then', async () => {
    function* broken(): Generator<Access> {
      yield* sessions(1_500, seeded(4))
      // Each way is still begun, but nobody goes on.
      const random = seeded(5)
      for (let i = 0; i < 20_000; i++) {
        const key = `way-${Math.floor(random() * 50)}/step-${Math.floor(random() * 7)}`
        yield { caller: `visitor-${i}`, key, afterMs: 500 }
      }
    }
    const settings = { ...plenty, ttlMs: 30_000, withinMs: 20_000 }
    const before = await replay(sessions(1_500, seeded(4)), settings)
    const { stats } = await replay(broken(), settings)
    expect(before.stats.waste).toBeLessThan(0.1)
    expect(stats.prefetched - before.stats.prefetched).toBeLessThan(20_000 * 0.04)
  })
})
