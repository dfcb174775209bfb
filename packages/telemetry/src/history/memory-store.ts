import type { Cell } from './kind.ts'
import { folded, GAP } from './kind.ts'
import { cellAt } from './series.ts'
import type {
  HistoryBatch,
  HistoryMetric,
  HistoryRead,
  HistoryReading,
  HistoryResolution,
  HistoryRun,
  HistoryStore,
} from './store.ts'

/** How long processes are known that tell nothing. */
const KNOWN_MS = 60_000

interface Shelf extends HistoryMetric, HistoryResolution {
  readonly cells: Map<number, Cell>
}

/** A store for histories in one process: of tests, say, as one history needs none. */
export function memoryHistoryStore(): HistoryStore {
  return new MemoryHistoryStore()
}

class MemoryHistoryStore implements HistoryStore {
  readonly #shelves = new Map<string, Shelf>()
  readonly #sequences = new Map<string, number>()
  readonly #told = new Map<string, number>()

  async add({ instance, sequence, at, toldUntil, runs }: HistoryBatch): Promise<void> {
    if (sequence <= (this.#sequences.get(instance) ?? 0)) return
    this.#sequences.set(instance, sequence)
    this.#told.set(instance, toldUntil)
    for (const [other, until] of this.#told) if (until < at - KNOWN_MS) this.#told.delete(other)
    for (const run of runs) this.#put(run)
    this.#expire(at)
  }

  async read({ instance, metrics, resolution, from, to }: HistoryRead): Promise<HistoryReading> {
    const cells = metrics.map((metric) => {
      const shelf = this.#shelves.get(nameOf({ ...metric, ...resolution }))
      const flat = new Float64Array(2 * (to - from + 1))
      for (let step = from; step <= to; step += 1) {
        const { value, weight } = shelf?.cells.get(step) ?? GAP
        flat.set([value, weight], 2 * (step - from))
      }
      return flat
    })
    const sequence = this.#sequences.get(instance) ?? 0
    return { sequence, told: new Map(this.#told), cells }
  }

  async metrics(at: number): Promise<readonly HistoryMetric[]> {
    this.#expire(at)
    const known = [...this.#shelves.values()]
    return known.map(({ metric, kind, unit }) => ({ metric, kind, unit }))
  }

  async leave(instance: string): Promise<void> {
    this.#told.delete(instance)
  }

  #put(run: HistoryRun): void {
    const name = nameOf(run)
    const shelf = this.#shelves.get(name) ?? { ...run, cells: new Map<number, Cell>() }
    this.#shelves.set(name, shelf)
    for (let at = 0; at < run.cells.length; at += 2) {
      const step = run.step + at / 2
      const known = shelf.cells.get(step) ?? GAP
      shelf.cells.set(step, folded(run.kind, known, cellAt(run.cells, at)))
    }
  }

  #expire(at: number): void {
    for (const [name, { cells, stepMs, keepMs }] of this.#shelves) {
      const oldest = Math.floor((at - keepMs) / stepMs)
      for (const step of cells.keys()) if (step < oldest) cells.delete(step)
      if (cells.size === 0) this.#shelves.delete(name)
    }
  }
}

function nameOf({ kind, stepMs, metric }: HistoryMetric & HistoryResolution): string {
  return `${kind}:${stepMs}:${metric}`
}
