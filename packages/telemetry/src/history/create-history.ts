import { randomUUID } from 'node:crypto'
import { TelemetryError } from '../core/errors.ts'
import { checkWhole, invalidOption } from '../core/option-checks.ts'
import type {
  History,
  HistoryQuery,
  HistorySample,
  HistoryStats,
  RecordOptions,
  Weighted,
} from './history.ts'
import { type Cell, folded, GAP, HISTORY_KINDS, type HistoryKind, pointOf } from './kind.ts'
import { checkResolutions, type HistoryOptions } from './options.ts'
import { checkName, checkTags, checkValue, type PublishedMetric } from './published.ts'
import { cellAt, foldRuns, type Series, type Span, seriesOf, spanOf } from './series.ts'
import { type Shared, SharedHistory } from './shared.ts'
import type { HistoryMetric } from './store.ts'
import type { Resolutions } from './track.ts'
import { Tracks } from './tracks.ts'

const MINUTE = 60_000
const MAX_QUERIED = 200

/**
 * Keeps what metrics were: in fine steps for a while, and in coarse ones for long. Memory is bounded: 16 bytes for
 * each step of a metric, about 33 kB by default, and 25 kB more with a store. Recording never throws for what a
 * store does.
 *
 * @throws TelemetryError `invalid_option`.
 */
export function createHistory(options: HistoryOptions = {}): History {
  return new TwoResolutions(options)
}

class TwoResolutions implements History {
  readonly #resolutions: Resolutions
  readonly #tracks: Tracks
  readonly #declared = new Map<string, HistoryMetric>()
  readonly #shared: SharedHistory | undefined
  readonly #maxMetrics: number
  readonly #now: () => number
  readonly #onPublish: (published: PublishedMetric) => void
  readonly #onError: (error: unknown) => void
  #isClosed = false

  constructor(options: HistoryOptions) {
    const { store, now = Date.now, flushMs = 5_000, instance = randomUUID() } = options
    const { fine = { stepMs: 1_000, keepMs: 10 * MINUTE } } = options
    const { coarse = { stepMs: MINUTE, keepMs: 1_440 * MINUTE } } = options
    checkResolutions(fine, coarse)
    this.#resolutions = { fine, coarse }
    this.#maxMetrics = checkWhole('maxMetrics', options.maxMetrics ?? 500, 1)
    this.#now = now
    this.#onPublish = options.onPublish ?? (() => undefined)
    this.#onError = quietly(options.onError)
    this.#tracks = new Tracks({
      resolutions: this.#resolutions,
      maxMetrics: this.#maxMetrics,
      isStored: store !== undefined,
      now,
    })
    checkWhole('flushMs', flushMs, 1)
    if (instance === '') throw invalidOption('instance must not be empty.')
    const shipping = {
      instance,
      now,
      take: (most: number) => this.#tracks.take(most),
      closedUntil: () => this.#tracks.settle(),
      isWaiting: () => this.#tracks.isWaiting,
      onError: this.#onError,
    }
    this.#shared = store && new SharedHistory({ store, ...shipping }, flushMs)
  }

  declare(metric: string, what: { readonly kind: HistoryKind; readonly unit?: string }): void {
    const { kind, unit = '' } = what
    checkName(metric)
    if (!HISTORY_KINDS.includes(kind)) {
      throw new TelemetryError(
        'invalid_metric',
        `${metric} can't be a ${String(kind)}; see HistoryKind.`,
      )
    }
    const known = this.#declared.get(metric) ?? this.#tracks.get(metric)?.metric
    if (known !== undefined && (known.kind !== kind || known.unit !== unit)) {
      throw new TelemetryError(
        'redeclared',
        `${metric} is a ${known.kind} in "${known.unit}" already; declare it once, before it is recorded.`,
      )
    }
    this.#declared.set(metric, { metric, kind, unit })
    this.#tracks.reserve(metric)
  }

  record(metric: string, value: number, { at, weight = 1 }: RecordOptions = {}): boolean {
    checkName(metric)
    checkValue(metric, value)
    if (at !== undefined) checkValue(`the time of ${metric}`, at)
    return this.#record(metric, value, weight, at)
  }

  sample(values: Readonly<Record<string, HistorySample>>, at?: number): void {
    for (const [metric, sample] of Object.entries(values)) {
      if (sample === null || sample === undefined) continue
      const { value, weight } = typeof sample === 'number' ? { value: sample, weight: 1 } : sample
      if (Number.isFinite(value)) this.#record(checkName(metric), value, weight, at)
    }
  }

  check(name: unknown, value: unknown, tags?: unknown, at: unknown = this.#now()): PublishedMetric {
    const metric = checkName(name)
    if (this.#declared.has(metric)) {
      throw new TelemetryError(
        'invalid_metric',
        `${metric} is measured here already; publish under another name.`,
      )
    }
    return {
      name: metric,
      value: checkValue(metric, value),
      tags: checkTags(metric, tags),
      at: checkValue(`the time of ${metric}`, at),
    }
  }

  publish(name: unknown, value: unknown, tags?: unknown, at?: unknown): PublishedMetric {
    const published = this.check(name, value, tags, at)
    this.#record(published.name, published.value, 1, published.at)
    try {
      this.#onPublish(published)
    } catch (error) {
      this.#onError(error)
    }
    return published
  }

  recent(metric: string, windowMs: number): Weighted | undefined {
    const { stepMs } = this.#resolutions.fine
    const end = this.#tracks.settle()
    const track = this.#tracks.get(metric)
    if (track === undefined) return undefined
    const steps = Math.ceil(windowMs / stepMs)
    let cell = GAP
    for (let step = end / stepMs - steps; step < end / stepMs; step += 1) {
      cell = folded(track.metric.kind, cell, track.fine.cell(step))
    }
    const value = pointOf(track.metric.kind, cell, (steps * stepMs) / 1_000)
    return value === null ? undefined : { value, weight: cell.weight }
  }

  async query({ metrics, windowMs, stepMs }: HistoryQuery): Promise<readonly Series[]> {
    const { coarse, fine } = this.#resolutions
    if (metrics.length > MAX_QUERIED)
      throw invalidOption(`A query has at most ${MAX_QUERIED} metrics.`)
    checkWhole('windowMs', windowMs, 1)
    if (stepMs !== undefined) checkWhole('stepMs', stepMs, 1)
    const name = windowMs <= fine.keepMs && (stepMs ?? 0) < coarse.stepMs ? 'fine' : 'coarse'
    const kept = this.#resolutions[name]
    const wanted = Math.max(1, Math.ceil((stepMs ?? 0) / kept.stepMs)) * kept.stepMs
    const known = await this.#lookUp(metrics)
    const spanNow = () =>
      spanOf(Math.min(windowMs, kept.keepMs), wanted, kept.stepMs, this.#tracks.settle())
    const asked = spanNow()
    const request = { metrics: known, resolution: kept, from: asked.from, to: asked.to }
    const together = await this.#shared?.read(request, (shared) => {
      const span = { ...asked, end: this.#tracks.settle(), toldUntil: shared.toldUntil }
      return known.map((metric, at) => this.#together(name, metric, span, shared, at))
    })
    return together ?? known.map((metric) => this.#alone(name, metric, spanNow()))
  }

  async names(): Promise<readonly HistoryMetric[]> {
    const known = new Map((await this.#shared?.metrics())?.map((each) => [each.metric, each]))
    for (const metric of this.#tracks.metrics()) known.set(metric.metric, metric)
    return [...known.values()].sort((one, other) => (one.metric < other.metric ? -1 : 1))
  }

  stats(): HistoryStats {
    const { size, bytes, dropped } = this.#tracks
    const storeFailures = this.#shared?.failures ?? 0
    return {
      metrics: size,
      maxMetrics: this.#maxMetrics,
      bytes,
      dropped: { ...dropped },
      storeFailures,
    }
  }

  async flush(): Promise<boolean> {
    return (await this.#shared?.flush()) ?? true
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#shared?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #record(name: string, value: number, weight: number, at: number | undefined): boolean {
    if (this.#isClosed || !(weight > 0 && Number.isFinite(weight))) return false
    const metric = this.#declared.get(name) ?? { metric: name, kind: 'gauge', unit: '' }
    return this.#tracks.record(metric, value, weight, at)
  }

  /** What the metrics are, without those that nobody knows. */
  async #lookUp(names: readonly string[]): Promise<readonly HistoryMetric[]> {
    const here = (name: string) => this.#tracks.get(name)?.metric ?? this.#declared.get(name)
    const others = names.every((name) => here(name)) ? [] : ((await this.#shared?.metrics()) ?? [])
    const elsewhere = new Map(others.map((metric) => [metric.metric, metric]))
    const known = [...new Set(names)].map((name) => here(name) ?? elsewhere.get(name))
    return known.filter((metric) => metric !== undefined)
  }

  #alone(name: keyof Resolutions, metric: HistoryMetric, span: Span): Series {
    const ring = this.#tracks.get(metric.metric)?.[name]
    return seriesOf(metric, (step) => ring?.cell(step) ?? GAP, span)
  }

  /** What the store has, and what it will have; where it has lost a step, what is known here. */
  #together(
    name: keyof Resolutions,
    metric: HistoryMetric,
    span: Span,
    { cells: all, missing }: Shared,
    index: number,
  ): Series {
    const cells = all[index] ?? new Float64Array(2 * (span.to - span.from + 1))
    const mine = missing.filter(
      ({ metric: other, stepMs }) => other === metric.metric && stepMs === span.keptMs,
    )
    foldRuns(metric, cells, span.from, mine)
    const track = this.#tracks.get(metric.metric)
    const at = (step: number): Cell => {
      const known = 2 * (step - span.from)
      const waiting = track?.waiting(name, step) ?? GAP
      const cell = folded(metric.kind, cellAt(cells, known), waiting)
      return cell.weight === 0 ? (track?.[name].cell(step) ?? GAP) : cell
    }
    return seriesOf(metric, at, span)
  }
}

/** Who listens to faults must not cause more of them. */
function quietly(listener: HistoryOptions['onError']): (error: unknown) => void {
  return (error) => {
    try {
      listener?.(error)
    } catch {}
  }
}
