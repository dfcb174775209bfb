import type { HistoryMetric, HistoryResolution } from '../history/store.ts'

/** Steps in one key: 240 of 16 bytes each, so that one of which little is known takes little. */
export const STEPS_PER_PART = 240
/** How long the names of a part of the day are together. */
const NAMES_MS = 4 * 3_600_000

/** The keys of a history: all in one slot, so that a batch is added, and a window read, in one piece. */
export class HistoryKeys {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = `{${prefix}}`
  }

  get instances(): string {
    return `${this.#prefix}:instances`
  }

  sequence(instance: string): string {
    return `${this.#prefix}:sequence:${instance}`
  }

  /** The metrics that were told around a time. */
  names(at: number): string {
    return `${this.#prefix}:names:${Math.floor(at / NAMES_MS)}`
  }

  /** Those of a time and before, as long as anything is kept. */
  namesUntil(at: number, keepMs: number): readonly string[] {
    const keys: string[] = []
    for (let time = at - keepMs; time < at + NAMES_MS; time += NAMES_MS)
      keys.push(this.names(Math.min(time, at)))
    return [...new Set(keys)]
  }

  /** Where the steps of a part are. */
  part({ kind, metric }: HistoryMetric, { stepMs }: HistoryResolution, part: number): string {
    return `${this.#prefix}:${kind}:${stepMs}:${part}:${metric}`
  }
}
