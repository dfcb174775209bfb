import type { Contender } from '../harness/contender.ts'
import type { Peer } from '../peers/catalog.ts'
import { type Reading, Readings } from './readings.ts'

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

/** The peers that the others are set against. */
export const BARE = ['bare']
export const BARE_AND_PORTKEY = ['bare', 'portkey']

/** A column of a scenario's table. */
export interface Column {
  readonly key: string
  readonly title: string
  readonly digits: number
  /** Also shown as a multiple of these peers' numbers, before the numbers themselves. */
  readonly ratio?: readonly string[]
  /** Also shown as what it adds to going direct. */
  readonly added?: boolean
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
