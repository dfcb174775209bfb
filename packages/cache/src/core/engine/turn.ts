import type { Entry } from '../entry.ts'
import type { Flight } from '../flight.ts'
import type { Ask } from './ask.ts'
import type { Engine } from './engine.ts'

/** Whose turn it is in the cluster: ours, with a lease or without one; or an entry makes it needless. */
export interface Turn {
  readonly lease?: { release(): Promise<void> }
  readonly entry?: Entry
}

/** A lease isn't held for longer, so that a process that died doesn't hold the others up. */
const LEASE_MS = 10_000

/**
 * Waits until this process is the one to make an entry, or another has made it. Who waits in vain for as
 * long as a lease lasts makes it himself: the lease saves work, nothing rests on it.
 */
export async function takeTurn(engine: Engine, ask: Ask, flight: Flight): Promise<Turn> {
  const { coherence } = engine
  const leaseMs = Math.max(1, Math.min(ask.policy.hardMs, LEASE_MS))
  const until = performance.now() + leaseMs
  for (;;) {
    const lease = await coherence.lead(ask.key, leaseMs)
    if (lease === undefined) {
      // Another makes it, and nobody here has to wait.
      if (flight.stale !== undefined && ask.policy.softMs === 0) return { entry: flight.stale }
      const leftMs = until - performance.now()
      if (leftMs <= 0) return {}
      await coherence.awaitLeader(ask.key, leftMs)
    }
    const entry = await lookAgain(engine, ask, flight)
    if (entry !== undefined) {
      await lease?.release()
      return { entry }
    }
    if (lease !== undefined) return { lease }
    if (!flight.capture.shared) return {}
    flight.throwIfAborted()
  }
}

/** A leader before us may have stored it since we looked. */
async function lookAgain(engine: Engine, ask: Ask, flight: Flight): Promise<Entry | undefined> {
  engine.lookups.repeat(ask.key)
  const { entry, capture } = await engine.lookups.one(ask.key, ask.tags)
  flight.capture = capture
  if (entry === undefined || engine.now() >= entry.freshUntil) return undefined
  const before = flight.stale?.createdAt ?? Number.NEGATIVE_INFINITY
  return entry.createdAt > before ? entry : undefined
}
