import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CircuitState, Permit } from './circuit-breaker.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import type { Trip } from './trip.ts'

type Verdict = 'succeed' | 'fail' | 'release'
type Step =
  | { readonly do: 'enter' }
  | { readonly do: 'settle'; readonly which: number; readonly verdict: Verdict }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'open' }
  | { readonly do: 'close' }

const OPEN_FOR_MS = 100
const BUCKETS = 20

interface Outcome {
  readonly at: number
  readonly failed: boolean
  readonly slow: boolean
}

interface ModelPermit {
  readonly era: number
  readonly startedAt: number
  spent: boolean
}

/** What a breaker is meant to do, told the slow and simple way: it keeps everything and counts anew. */
class Model {
  state: CircuitState = 'closed'
  now = 0
  readonly #trip: Trip
  readonly #probes: number
  #era = 0
  #dueAt = 0
  #outcomes: Outcome[] = []
  #probesOut = 0
  #probesGood = 0

  constructor(trip: Trip, probes: number) {
    this.#trip = trip
    this.#probes = probes
  }

  get visibleState(): CircuitState {
    return this.state === 'open' && this.now >= this.#dueAt ? 'half-open' : this.state
  }

  get canEnter(): boolean {
    if (this.state === 'closed' || this.now >= this.#dueAt) return true
    return this.state === 'half-open' && this.#probesOut + this.#probesGood < this.#probes
  }

  enter(): ModelPermit | undefined {
    if (!this.canEnter) return undefined
    if (this.state === 'open') this.#become('half-open')
    if (this.state === 'half-open') {
      this.#probesOut += 1
      this.#dueAt = this.now + OPEN_FOR_MS
    }
    return { era: this.#era, startedAt: this.now, spent: false }
  }

  settle(permit: ModelPermit, verdict: Verdict): void {
    const isVoid = permit.spent || permit.era !== this.#era
    permit.spent = true
    if (isVoid) return
    if (this.state === 'half-open') this.#probesOut -= 1
    if (verdict === 'release') return
    const slow = 'slowMs' in this.#trip && this.now - permit.startedAt > (this.#trip.slowMs ?? 1e9)
    const failed = verdict === 'fail'
    if (this.state === 'half-open') {
      if (failed || slow) this.open()
      else if (++this.#probesGood === this.#probes) this.close()
      return
    }
    this.#outcomes.push({ at: this.now, failed, slow })
    if (this.#isTripped()) this.open()
  }

  open(): void {
    this.#dueAt = this.now + OPEN_FOR_MS
    if (this.state !== 'open') this.#become('open')
  }

  close(): void {
    this.#outcomes = []
    if (this.state !== 'closed') this.#become('closed')
  }

  #become(state: CircuitState): void {
    this.state = state
    this.#era += 1
    this.#probesOut = 0
    this.#probesGood = 0
  }

  #isTripped(): boolean {
    const trip = this.#trip
    if (trip.kind === 'consecutive') {
      const last = this.#outcomes.slice(-(trip.failures ?? 5))
      return last.length === trip.failures && last.every((outcome) => outcome.failed)
    }
    const seen =
      trip.kind === 'count' ? this.#outcomes.slice(-trip.size) : this.#recent(trip.windowMs)
    if (seen.length < (trip.minimum ?? 10)) return false
    const share = (of: (outcome: Outcome) => boolean) => seen.filter(of).length / seen.length
    if (share((outcome) => outcome.failed) >= trip.failureRate) return true
    return trip.slowRate !== undefined && share((outcome) => outcome.slow) >= trip.slowRate
  }

  #recent(windowMs: number): Outcome[] {
    const bucket = (at: number) => Math.floor(at / (windowMs / BUCKETS))
    return this.#outcomes.filter(({ at }) => bucket(this.now) - bucket(at) < BUCKETS)
  }
}

const slowCalls = fc.option(fc.constant({ slowRate: 0.5, slowMs: 20 }), { nil: {} })
const trips: fc.Arbitrary<Trip> = fc.oneof(
  fc.record({
    kind: fc.constant('consecutive' as const),
    failures: fc.integer({ min: 1, max: 4 }),
  }),
  fc
    .record({
      size: fc.integer({ min: 1, max: 8 }),
      rate: fc.integer({ min: 1, max: 4 }),
      slowCalls,
    })
    .map(({ size, rate, slowCalls: slow }) => ({
      ...{ kind: 'count' as const, size, minimum: Math.ceil(size / 2), failureRate: rate / 4 },
      ...slow,
    })),
  fc
    .record({ rate: fc.integer({ min: 1, max: 4 }), slowCalls })
    .map(({ rate, slowCalls: slow }) => ({
      ...{ kind: 'time' as const, windowMs: 200, minimum: 3, failureRate: rate / 4 },
      ...slow,
    })),
)

const settles = fc.record({
  do: fc.constant('settle' as const),
  which: fc.nat(),
  verdict: fc.constantFrom<Verdict>('succeed', 'fail', 'fail', 'release'),
})
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ do: 'enter' as const }) },
  { weight: 8, arbitrary: settles },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(500) }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'open' }, { do: 'close' }) },
)

describe('createCircuitBreaker against a model', () => {
  it('does what the model does, whoever comes, ends or straggles when', () => {
    const schedules = fc.array(steps, { minLength: 20, maxLength: 120, size: 'max' })
    fc.assert(
      fc.property(trips, fc.integer({ min: 1, max: 3 }), schedules, (trip, probes, schedule) => {
        const model = new Model(trip, probes)
        const changes: CircuitState[] = ['closed']
        const breaker = createCircuitBreaker({
          trip,
          openForMs: OPEN_FOR_MS,
          halfOpen: { probes },
          now: () => model.now,
          onStateChange: ({ from, to }) => {
            expect(from).toBe(changes.at(-1))
            changes.push(to)
          },
        })
        // Spent ones stay in: their second verdict has to do nothing.
        const permits: { readonly real: Permit; readonly model: ModelPermit }[] = []
        for (const step of schedule) {
          if (step.do === 'wait') model.now += step.ms
          else if (step.do === 'open') {
            breaker.open()
            model.open()
          } else if (step.do === 'close') {
            breaker.close()
            model.close()
          } else if (step.do === 'enter') {
            const real = breaker.tryEnter()
            const expected = model.enter()
            expect(real === undefined).toBe(expected === undefined)
            if (real && expected) permits.push({ real, model: expected })
          } else {
            const permit = permits[step.which % permits.length]
            if (permit === undefined) continue
            permit.real[step.verdict]()
            model.settle(permit.model, step.verdict)
          }
          expect(breaker.state).toBe(model.visibleState)
          expect(breaker.canEnter).toBe(model.canEnter)
          expect(breaker.retryAfterMs > 0).toBe(!model.canEnter)
          expect(changes.at(-1)).toBe(model.state)
        }
      }),
      { numRuns: 500 },
    )
  })
})
