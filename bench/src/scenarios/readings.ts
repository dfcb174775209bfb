import { median } from '../harness/stats.ts'

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

  /** What the rounds measured, without those that measured nothing. */
  values(peer: string, key: string): number[] {
    return this.rounds(peer).flatMap((reading) => {
      const value = reading?.[key]
      return value === undefined || Number.isNaN(value) ? [] : [value]
    })
  }

  /** The median over the rounds of one peer's number by another's of the same round. */
  ratio(key: string, peer: string, other: string): number {
    return median(this.#paired(key, peer, other, (a, b) => a / b))
  }

  /** The median over the rounds of how much one peer's number exceeds another's. */
  added(key: string, peer: string, other: string): number {
    return median(this.#paired(key, peer, other, (a, b) => a - b))
  }

  /** The round in which one peer's number exceeds another's the most, and by how much. */
  mostAdded(key: string, peer: string, other: string): number {
    return Math.max(...this.#paired(key, peer, other, (a, b) => a - b))
  }

  #paired(
    key: string,
    peer: string,
    other: string,
    combine: (a: number, b: number) => number,
  ): number[] {
    const theirs = this.rounds(other)
    return this.rounds(peer).flatMap((reading, round) => {
      const [a, b] = [reading?.[key], theirs[round]?.[key]]
      return a === undefined || b === undefined ? [] : [combine(a, b)]
    })
  }
}
