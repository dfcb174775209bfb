import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type {
  HistoryBatch,
  HistoryMetric,
  HistoryReading,
  HistoryRun,
  HistoryStore,
} from '../history/store.ts'

/** A store to be examined. */
export interface HistoryHarness {
  readonly store: HistoryStore
  /** Milliseconds since 1970, by the clock that things expire by. */
  now(): number
  /** Called at the end of each case. */
  close?(): void | Promise<void>
}

/** One thing that a store has to do. */
export interface HistoryConformanceCase {
  readonly name: string
  run(open: () => HistoryHarness | Promise<HistoryHarness>): Promise<void>
}

const SECONDS = { stepMs: 1_000, keepMs: 600_000 }

/** Asks a store about metrics that nobody else uses. */
class Probe {
  readonly #store: HistoryStore
  readonly now: number
  readonly step: number
  readonly mine: string = randomUUID()
  readonly other: string = randomUUID()
  readonly #name = `m${randomUUID()}`
  #sequence = 0

  constructor({ store, now }: HistoryHarness) {
    this.#store = store
    this.now = now()
    this.step = Math.floor(this.now / 1_000)
  }

  metric(kind: HistoryMetric['kind'], name = ''): HistoryMetric {
    return { metric: `${this.#name}.${kind}${name}`, kind, unit: 'ms' }
  }

  run(metric: HistoryMetric, back: number, ...cells: readonly number[]): HistoryRun {
    return { ...metric, ...SECONDS, step: this.step - back, cells: Float64Array.from(cells) }
  }

  batch(runs: readonly HistoryRun[], instance = this.mine): HistoryBatch {
    this.#sequence += 1
    return { instance, sequence: this.#sequence, at: this.now, toldUntil: this.now, runs }
  }

  async add(runs: readonly HistoryRun[], instance?: string): Promise<void> {
    await this.#store.add(this.batch(runs, instance))
  }

  async send(batch: HistoryBatch): Promise<void> {
    await this.#store.add(batch)
  }

  async read(metrics: readonly HistoryMetric[], back: number, to = 0): Promise<HistoryReading> {
    const [from, until] = [this.step - back, this.step - to]
    const request = { instance: this.mine, metrics, resolution: SECONDS, from, to: until }
    return await this.#store.read(request)
  }

  async cells(metric: HistoryMetric, back: number, to = 0): Promise<readonly number[]> {
    const [cells] = (await this.read([metric], back, to)).cells
    return [...(cells ?? [])]
  }

  async leave(instance: string): Promise<void> {
    await this.#store.leave(instance)
  }

  async known(at = this.now): Promise<readonly HistoryMetric[]> {
    const known = await this.#store.metrics(at)
    return known.filter(({ metric }) => metric.startsWith(this.#name))
  }
}

function historyCase(name: string, body: (probe: Probe) => Promise<void>): HistoryConformanceCase {
  return {
    name,
    async run(open) {
      const harness = await open()
      try {
        await body(new Probe(harness))
      } finally {
        await harness.close?.()
      }
    },
  }
}

/**
 * What every store of histories has to do, as cases for any test runner:
 * `for (const { name, run } of historyConformance) it(name, () => run(open))`. A case opens one store, which may
 * be one that others use, and rejects with an `AssertionError` that says what is wrong.
 */
export const historyConformance: readonly HistoryConformanceCase[] = [
  historyCase('gives back what was added, and gaps where nothing was', async (probe) => {
    const metric = probe.metric('gauge')
    await probe.add([probe.run(metric, 5, 1.5, 1, 2.5, 2), probe.run(metric, 1, 0, 3)])
    const cells = await probe.cells(metric, 6)
    assert.deepEqual(cells, [0, 0, 1.5, 1, 2.5, 2, 0, 0, 0, 0, 0, 3, 0, 0])
  }),
  historyCase('adds up what several processes tell', async (probe) => {
    for (const kind of ['gauge', 'rate', 'count', 'level'] as const) {
      const metric = probe.metric(kind)
      await probe.add([probe.run(metric, 3, 1, 1, 2, 1)], probe.mine)
      await probe.add([probe.run(metric, 2, 40, 1, 50, 2)], probe.other)
      assert.deepEqual(await probe.cells(metric, 3), [1, 1, 42, 2, 50, 2, 0, 0], kind)
    }
  }),
  historyCase('keeps the greatest and the least', async (probe) => {
    const [max, min] = [probe.metric('max'), probe.metric('min')]
    for (const value of [-7, -9, -8]) {
      await probe.add([probe.run(max, 2, value, 1), probe.run(min, 2, value, 1)])
    }
    assert.deepEqual(await probe.cells(max, 2, 2), [-7, 3])
    assert.deepEqual(await probe.cells(min, 2, 2), [-9, 3])
  }),
  historyCase('is not changed by gaps', async (probe) => {
    for (const kind of ['gauge', 'max', 'min'] as const) {
      const metric = probe.metric(kind)
      await probe.add([probe.run(metric, 2, -5, 1, 0, 0)])
      await probe.add([probe.run(metric, 2, 0, 0, -6, 1)])
      assert.deepEqual(await probe.cells(metric, 2, 1), [-5, 1, -6, 1], kind)
    }
  }),
  historyCase('adds a batch once, however often it is sent', async (probe) => {
    const metric = probe.metric('count')
    const batch = probe.batch([probe.run(metric, 1, 10, 1)])
    await Promise.all([probe.send(batch), probe.send(batch), probe.send(batch)])
    assert.deepEqual(await probe.cells(metric, 1, 1), [10, 1])
    assert.equal((await probe.read([metric], 1)).sequence, batch.sequence)
    await probe.add([probe.run(metric, 1, 5, 1)])
    await probe.send(batch)
    assert.deepEqual(await probe.cells(metric, 1, 1), [15, 2])
  }),
  historyCase('tells the last sequence of the process that asks, not of others', async (probe) => {
    const metric = probe.metric('count')
    await probe.add([probe.run(metric, 1, 1, 1)], probe.other)
    assert.equal((await probe.read([metric], 1)).sequence, 0)
  }),
  historyCase('knows up to when each process has told, until it leaves', async (probe) => {
    const metric = probe.metric('count')
    await probe.add([probe.run(metric, 1, 1, 1)], probe.other)
    assert.equal((await probe.read([metric], 1)).told.get(probe.other), probe.now)
    await probe.leave(probe.other)
    assert.equal((await probe.read([metric], 1)).told.has(probe.other), false)
  }),
  historyCase('holds all of a long window, and of many metrics at once', async (probe) => {
    const metrics = Array.from({ length: 40 }, (_, at) => probe.metric('rate', `.${at}`))
    const runs = metrics.map((metric, at) =>
      probe.run(metric, 599, ...Array.from({ length: 1_200 }, (_, index) => index + at)),
    )
    await probe.add(runs)
    const { cells } = await probe.read(metrics, 599)
    for (const [at, flat] of cells.entries()) {
      assert.deepEqual([flat.length, flat[0], flat[1_199]], [1_200, at, 1_199 + at])
    }
  }),
  historyCase('keeps what it has of metrics apart by kind and length of steps', async (probe) => {
    const gauge = probe.metric('gauge')
    await probe.add([probe.run(gauge, 1, 1, 1)])
    assert.deepEqual(await probe.cells({ ...gauge, kind: 'max' }, 1, 1), [0, 0])
    await probe.add([{ ...probe.run(gauge, 1, 7, 1), stepMs: 60_000, keepMs: 3_600_000 }])
    assert.deepEqual(await probe.cells(gauge, 1, 1), [1, 1])
  }),
  historyCase('knows the metrics by name, as long as they are kept', async (probe) => {
    const [one, other] = [probe.metric('rate'), probe.metric('level')]
    await probe.add([probe.run(one, 1, 1, 1)], probe.mine)
    await probe.add([probe.run(one, 1, 1, 1), probe.run(other, 1, 1, 1)], probe.other)
    const byKind = (a: HistoryMetric, b: HistoryMetric) => (a.kind < b.kind ? -1 : 1)
    assert.deepEqual([...(await probe.known())].sort(byKind), [other, one])
    assert.deepEqual(await probe.known(probe.now + 40 * 86_400_000), [])
  }),
]
