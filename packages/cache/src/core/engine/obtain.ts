import type { Capture } from '../coherence.ts'
import type { Entry } from '../entry.ts'
import type { Flight } from '../flight.ts'
import { LATE, waitFor } from '../waiting.ts'
import type { Ask } from './ask.ts'
import type { Engine } from './engine.ts'
import { launch, runUnstored } from './launch.ts'

/** What is known before a factory is called. */
interface Known {
  readonly capture: Capture
  readonly entry: Entry | undefined
}

/** What `getOrSet` does when memory alone can't answer it. */
export async function obtain(engine: Engine, ask: Ask): Promise<unknown> {
  ask.signal?.throwIfAborted()
  if (engine.closed) return waitFor(runUnstored(engine, ask), ask.signal)
  if (ask.fresh) {
    const { capture, entry } = await look(engine, ask)
    const before = entry ?? engine.usable(ask.key, engine.now())
    return arrive(engine, ask, launch(engine, ask, capture, before), undefined)
  }
  const held = fromMemory(engine, ask)
  if (held !== undefined) return held.value
  const flight = engine.flights.get(ask.key)
  if (flight !== undefined) return joinFlight(engine, ask, flight)
  if (engine.coherence.shared) return lookAndBegin(engine, ask)
  const stale = engine.usable(ask.key, engine.now())
  return begin(engine, ask, engine.coherence.capture(), stale)
}

/** Makes a new value behind one that is served meanwhile. Never rejects. */
export async function renew(engine: Engine, ask: Ask, held: Entry): Promise<void> {
  if (engine.closed || engine.flights.has(ask.key) || engine.pauses.lasts(ask.key)) return
  if (!engine.coherence.shared) {
    launch(engine, ask, engine.coherence.capture(), held).stay()
    return
  }
  const { entry, capture } = await engine.lookups.one(ask.key, ask.tags)
  if (engine.closed || engine.flights.has(ask.key)) return
  const now = engine.now()
  const fasterElsewhere =
    entry !== undefined && entry.createdAt > held.createdAt && now < entry.freshUntil
  if (fasterElsewhere) return
  launch(engine, ask, capture, entry ?? engine.usable(ask.key, now)).stay()
}

/** What memory can serve at once: fresh, or stale where nobody has to wait for a fresh one. */
function fromMemory(engine: Engine, ask: Ask): Entry | undefined {
  const now = engine.now()
  const entry = engine.usable(ask.key, now)
  if (entry === undefined) return undefined
  if (engine.serves(entry, now)) return serveFresh(engine, ask, entry, 'l1')
  // Fresh, but memory has to look at the second tier first.
  if (now < entry.freshUntil) return undefined
  if (engine.pauses.lasts(ask.key)) return serveStale(engine, ask, entry)
  if (ask.policy.softMs > 0) return undefined
  void renew(engine, ask, entry)
  return serveStale(engine, ask, entry)
}

async function lookAndBegin(engine: Engine, ask: Ask): Promise<unknown> {
  const { capture, entry } = await look(engine, ask)
  if (engine.closed) return waitFor(runUnstored(engine, ask), ask.signal)
  const now = engine.now()
  if (entry !== undefined && now < entry.freshUntil) {
    return serveFresh(engine, ask, entry, 'l2').value
  }
  // Something may have come meanwhile, and without a second tier memory needn't look any more.
  const held = fromMemory(engine, ask)
  if (held !== undefined) return held.value
  const flight = engine.flights.get(ask.key)
  if (flight !== undefined) return joinFlight(engine, ask, flight)
  return begin(engine, ask, capture, engine.usable(ask.key, now) ?? entry)
}

async function look(engine: Engine, ask: Ask): Promise<Known> {
  const { coherence } = engine
  if (!coherence.shared) return { capture: coherence.capture(), entry: undefined }
  const found = await waitFor(engine.lookups.one(ask.key, ask.tags), ask.signal)
  return found === LATE ? { capture: coherence.capture(), entry: undefined } : found
}

function begin(
  engine: Engine,
  ask: Ask,
  capture: Capture,
  stale: Entry | undefined,
): Promise<unknown> | unknown {
  if (stale !== undefined && engine.pauses.lasts(ask.key)) {
    return serveStale(engine, ask, stale).value
  }
  const flight = launch(engine, ask, capture, stale)
  if (stale === undefined) {
    ask.counts.misses += 1
    if (engine.listening) engine.emit({ type: 'miss', key: ask.key })
  } else if (ask.policy.softMs === 0) {
    flight.stay()
    return serveStale(engine, ask, stale).value
  }
  return arrive(engine, ask, flight, stale)
}

function joinFlight(engine: Engine, ask: Ask, flight: Flight): Promise<unknown> | unknown {
  const stale = engine.usable(ask.key, engine.now()) ?? leftOf(flight, engine.now())
  if (stale !== undefined && ask.policy.softMs === 0) {
    flight.stay()
    return serveStale(engine, ask, stale).value
  }
  ask.counts.coalesced += 1
  if (stale === undefined) ask.counts.misses += 1
  return arrive(engine, ask, flight, stale)
}

/** What the flight has seen in the second tier, if that holds still. */
function leftOf(flight: Flight, now: number): Entry | undefined {
  const { stale } = flight
  if (stale === undefined || now >= stale.staleUntil) return undefined
  return stale.tags !== undefined && flight.lost(stale.tags) ? undefined : stale
}

/** Waits for a flight, as long as the caller wants to and has nothing better. */
async function arrive(
  engine: Engine,
  ask: Ask,
  flight: Flight,
  stale: Entry | undefined,
): Promise<unknown> {
  const before = flight.gone.length
  flight.join()
  try {
    const soft = stale === undefined ? undefined : ask.policy.softMs
    const made = await waitFor(flight.outcome, ask.signal, soft)
    if (made !== LATE) {
      // A tag of it was invalidated after it had begun, and before this caller came.
      return flight.lost(made.tags, before) ? obtain(engine, ask) : made.value
    }
    flight.stay()
  } catch (error) {
    if (ask.signal?.aborted === true || stale === undefined) throw error
    if (engine.now() >= stale.staleUntil) throw error
  } finally {
    if (flight.leave()) {
      engine.land(flight)
      flight.abort(new DOMException('Nobody waits for the value any more.', 'AbortError'))
    }
  }
  return serveStale(engine, ask, stale).value
}

function serveFresh(engine: Engine, ask: Ask, entry: Entry, tier: 'l1' | 'l2'): Entry {
  if (tier === 'l1') ask.counts.l1Hits += 1
  else ask.counts.l2Hits += 1
  if (engine.listening) engine.emit({ type: 'hit', key: ask.key, tier })
  const { eager } = ask.policy
  if (eager !== false && engine.now() >= eagerAt(entry, eager)) void renew(engine, ask, entry)
  return entry
}

function serveStale(engine: Engine, ask: Ask, entry: Entry | undefined): Entry {
  if (entry === undefined) throw new Error('Nothing stale is there.')
  ask.counts.stale += 1
  if (engine.listening) {
    engine.emit({ type: 'stale', key: ask.key, ageMs: engine.now() - entry.createdAt })
  }
  return entry
}

/** From when on a hit has a new value made behind it. */
export function eagerAt({ createdAt, freshUntil }: Entry, share: number): number {
  return createdAt + (freshUntil - createdAt) * share
}
