import type { Contender } from '../harness/contender.ts'
import type { Peer } from '../peers/catalog.ts'

/** How much is run; every scenario is bounded by it. */
export interface Plan {
  readonly rounds: number
  /** Of one round of the timed scenarios. */
  readonly seconds: number
  readonly warmupSeconds: number
  readonly streams: number
  readonly streamSeconds: number
  /** Where the servers' standard output goes. */
  readonly log: string | undefined
}

/** What a scenario works with. */
export interface Bench {
  readonly plan: Plan
  readonly mock: Contender
  readonly peers: readonly Peer[]
  readonly note: (line: string) => void
}

/** One round's numbers of one peer, by the column they belong to. */
export type Reading = Readonly<Record<string, number>>

/** All rounds of one scenario: a peer that failed in a round has no reading there, but a reason. */
export class Readings {
  readonly #rounds = new Map<string, (Reading | undefined)[]>()
  readonly #failures = new Map<string, string>()

  get peers(): string[] {
    return [...this.#rounds.keys()]
  }

  get failures(): ReadonlyMap<string, string> {
    return this.#failures
  }

  rounds(peer: string): readonly (Reading | undefined)[] {
    return this.#rounds.get(peer) ?? []
  }

  add(peer: string, round: number, reading: Reading): void {
    const rounds = this.#rounds.get(peer) ?? []
    rounds[round] = reading
    this.#rounds.set(peer, rounds)
  }

  fail(peer: string, reason: string): void {
    this.#failures.set(peer, reason)
  }
}

/** A column of a scenario's table. */
export interface Column {
  readonly key: string
  readonly title: string
  readonly digits: number
  /** Also shown as a multiple of the bare pipe's and of Portkey's, before the numbers themselves. */
  readonly ratio?: boolean
  /** Shown as median alone, without the span of the rounds. */
  readonly plain?: boolean
  /** The worst round counts, not the median. */
  readonly worst?: boolean
}

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  readonly run: (bench: Bench) => Promise<Readings>
}

/** Measures everybody once per round; who begins moves on by one each time. */
export async function interleave<T extends { readonly name: string }>(
  bench: Bench,
  contenders: readonly T[],
  measure: (contender: T, round: number) => Promise<Reading>,
): Promise<Readings> {
  const readings = new Readings()
  for (let round = 0; round < bench.plan.rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length]
      if (!contender || readings.failures.has(contender.name)) continue
      try {
        const reading = await measure(contender, round)
        readings.add(contender.name, round, reading)
        bench.note(`round ${round + 1} ${contender.name} ${brief(reading)}`)
      } catch (error) {
        readings.fail(contender.name, (error as Error).message)
        bench.note(`round ${round + 1} ${contender.name} failed: ${(error as Error).message}`)
      }
    }
  }
  return readings
}

function brief(reading: Reading): string {
  return Object.entries(reading)
    .map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`)
    .join(' · ')
}
