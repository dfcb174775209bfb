import type { StoreRequest, Verdict } from '../../core/store.ts'
import { answersFrom, type Backend, type BackendAnswer, type BackendAsk } from '../backend.ts'
import type { ModelBackend } from './model-backend.fixture.ts'
import { TieredStore } from './tiered-store.ts'

/** Numbers from 0 to 1 that a seed determines. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface SimulatedEvent {
  readonly at: number
  readonly run: () => void
}

/** Time that passes only from one event to the next. */
export class Simulation {
  time = 0
  /** The next one last, so that it is cheap to take and what comes soon is cheap to add. */
  readonly #events: SimulatedEvent[] = []

  at(time: number, run: () => void): void {
    const at = Math.max(time, this.time)
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle]?.at ?? 0) <= at) high = middle
      else low = middle + 1
    }
    this.#events.splice(low, 0, { at, run })
  }

  async run(): Promise<void> {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      this.time = event.at
      event.run()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
}

/** What happens to a call on its way. */
export interface Travel {
  readonly thereMs: number
  readonly backMs: number
  readonly fate: 'arrives' | 'is lost' | 'answer is lost'
}

/** How a process's clocks differ from true time, of which the simulation's is one. */
export interface Skew {
  readonly monotonic: (time: number) => number
  readonly wall: (time: number) => number
}

export interface NodeOptions {
  readonly simulation: Simulation
  readonly model: ModelBackend
  readonly travel: () => Travel
  readonly skew?: Skew
  readonly denyCacheMs?: number
}

/** A process with a store of its own. While it is paused nothing happens in it. */
export class SimulatedNode implements Backend {
  readonly #options: NodeOptions
  #store: TieredStore
  #pausedUntil = 0
  #calls = 0

  constructor(options: NodeOptions) {
    this.#options = options
    this.#store = this.#open()
  }

  /** Calls of the backend. */
  get calls(): number {
    return this.#calls
  }

  get store(): TieredStore {
    return this.#store
  }

  /** Runs this at a time, or when the process goes on after it. */
  at(time: number, run: () => void): void {
    const { simulation } = this.#options
    simulation.at(time, () => {
      if (this.#pausedUntil > simulation.time) this.at(this.#pausedUntil, run)
      else run()
    })
  }

  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until)
  }

  /** Another process takes the place of this one, which knows nothing of it. */
  restart(): void {
    this.#store = this.#open()
  }

  async ask(subject: string, requests: readonly StoreRequest[]): Promise<readonly Verdict[]> {
    return this.#store.decide(subject, requests)
  }

  decide(asks: readonly BackendAsk[]): readonly Promise<BackendAnswer>[] {
    this.#calls += 1
    const { simulation, model, travel } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<readonly BackendAnswer[]>()
    const { thereMs, backMs, fate } = travel()
    const back = simulation.time + thereMs + backMs
    simulation.at(simulation.time + thereMs, () => {
      const answers = fate === 'is lost' ? [] : model.decideNow(asks)
      if (fate === 'arrives') this.at(back, () => resolve(answers))
      else this.at(back, () => reject(new Error(fate)))
    })
    return answersFrom(promise, asks)
  }

  #open(): TieredStore {
    const { simulation, skew, denyCacheMs = 10_000 } = this.#options
    return new TieredStore({
      backend: this,
      clocks: {
        monotonic: () => skew?.monotonic(simulation.time) ?? simulation.time,
        wall: () => skew?.wall(simulation.time) ?? simulation.time,
      },
      denyCacheMs,
      maxSubjects: 1_000,
      defer: (flush) => this.at(simulation.time, flush),
    })
  }
}
