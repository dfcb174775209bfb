import type { Capture } from '../coherence.ts'
import type { Entry } from '../entry.ts'
import { Flight, type Made, Order } from '../flight.ts'
import type { Ask } from './ask.ts'
import type { Engine } from './engine.ts'
import { type Turn, takeTurn } from './turn.ts'

/** Begins a flight, which others may join from now on. What flew for the key before isn't stored any more. */
export function launch(
  engine: Engine,
  ask: Ask,
  capture: Capture,
  stale: Entry | undefined,
): Flight {
  const before = engine.flights.get(ask.key)
  if (before !== undefined) before.superseded = true
  const flight = new Flight(ask.key, capture, stale, ask.tags)
  engine.flights.set(ask.key, flight)
  flight.settle(fly(engine, ask, flight))
  // Those who wait for it hear of it; nobody may.
  flight.outcome.catch(() => {})
  return flight
}

/** Calls the factory for its caller alone. */
export async function runUnstored(engine: Engine, ask: Ask): Promise<unknown> {
  const { key, name, policy } = ask
  const flight = new Flight(key, engine.coherence.capture(), undefined, [])
  const order = new Order(name, policy, [], undefined, engine.now())
  return flight.run(ask.factory, order, policy.hardMs)
}

async function fly(engine: Engine, ask: Ask, flight: Flight): Promise<Made> {
  let turn: Turn = {}
  try {
    const { coherence } = engine
    if (ask.policy.lock === 'cluster' && coherence.shared && !ask.fresh) {
      turn = await takeTurn(engine, ask, flight)
    }
    if (turn.entry !== undefined) {
      engine.land(flight)
      return { value: turn.entry.value, tags: turn.entry.tags ?? [] }
    }
    const order = new Order(ask.name, ask.policy, ask.tags, flight.stale, engine.now())
    const value = await work(engine, ask, flight, order)
    flight.tags = order.tags
    const entry = entryOf(engine, ask, flight, order, value)
    if (entry === undefined) {
      engine.land(flight)
      void turn.lease?.release()
    } else await keep(engine, ask, flight, entry, turn)
    return { value, tags: order.tags }
  } catch (error) {
    fail(engine, ask, flight, error)
    void turn.lease?.release()
    throw error
  } finally {
    flight.done = true
  }
}

async function work(engine: Engine, ask: Ask, flight: Flight, order: Order): Promise<unknown> {
  ask.counts.factories += 1
  const begunAt = performance.now()
  const value = await flight.run(ask.factory, order, ask.policy.hardMs)
  if (engine.listening) {
    engine.emit({ type: 'factory', key: ask.key, tookMs: performance.now() - begunAt })
  }
  return value
}

/** What is to be stored; `undefined` when it isn't. */
function entryOf(
  engine: Engine,
  ask: Ask,
  flight: Flight,
  order: Order,
  value: unknown,
): Entry | undefined {
  if (flight.lost(order.tags)) flight.superseded = true
  if (value === undefined || order.skipped || flight.superseded || engine.closed) return undefined
  const { key, policy } = ask
  const item = { key, value, tags: order.tags, policy: { ...policy, staleMs: order.staleMs } }
  const entry = engine.make(item, flight.capture, order.ttlMs)
  return engine.now() < entry.staleUntil ? entry : undefined
}

/** Memory has it at once; those who wait get it when the second tier has it, too. Never rejects. */
async function keep(
  engine: Engine,
  ask: Ask,
  flight: Flight,
  entry: Entry,
  turn: Turn,
): Promise<void> {
  const { key } = ask
  try {
    engine.put(key, entry)
    const write = { key, entry, capture: flight.capture }
    engine.settle([write], await engine.coherence.write([write]))
    if (engine.listening) engine.emit({ type: 'set', key })
  } catch {
    ask.counts.errors += 1
  }
  engine.land(flight)
  void turn.lease?.release()
}

function fail(engine: Engine, ask: Ask, flight: Flight, error: unknown): void {
  engine.land(flight)
  if (flight.superseded) return
  const { key, policy, counts } = ask
  counts.errors += 1
  const stale = flight.stale ?? engine.usable(key, engine.now())
  if (stale !== undefined) engine.pauses.begin(key, policy.retryMs)
  if (engine.listening) {
    engine.emit({ type: stale === undefined ? 'factory_failed' : 'refresh_failed', key, error })
  }
}
