import type { HistoryKind } from './kind.ts'
import type { PublishedMetric } from './published.ts'
import type { Series } from './series.ts'
import type { HistoryMetric } from './store.ts'

/** A value and, of a `gauge`, how much it weighs; what is missing is left out. */
export type HistorySample = number | Weighted | null | undefined

/** A value, and how much is behind it: so many requests, say. */
export interface Weighted {
  readonly value: number
  readonly weight: number
}

/** How a value is recorded. */
export interface RecordOptions {
  /** When, in milliseconds since 1970. Default: now. */
  readonly at?: number | undefined
  /** What it weighs among others of a `gauge`. Default 1. */
  readonly weight?: number | undefined
}

/** What is asked of a history. */
export interface HistoryQuery {
  /** At most 200. Ones that nobody knows are left out of the answer. */
  readonly metrics: readonly string[]
  /** How far back. At most what is kept in coarse steps. */
  readonly windowMs: number
  /** Rounded up to whole steps of those kept. Default: those kept, fine ones while they reach so far. */
  readonly stepMs?: number | undefined
}

/** How a history stands. */
export interface HistoryStats {
  readonly metrics: number
  readonly maxMetrics: number
  /** What the values take, in bytes. */
  readonly bytes: number
  /** Values that weren't recorded: of metrics beyond `maxMetrics`, and of times that aren't kept. */
  readonly dropped: { readonly metrics: number; readonly times: number }
  /** How often the store didn't answer. */
  readonly storeFailures: number
}

/** What metrics were, for a while. */
export interface History extends AsyncDisposable {
  /**
   * Says what a metric is, and keeps room for it. One that is recorded without is a `gauge` without a unit.
   *
   * @throws TelemetryError `invalid_metric`; `redeclared` when it is recorded as something else already.
   */
  declare(metric: string, what: { readonly kind: HistoryKind; readonly unit?: string }): void
  /**
   * Folds a value into the step that is open, or, with `at`, into an earlier one. False when it was dropped:
   * of a metric too many, or of a time that isn't kept. A `level` has no earlier values.
   *
   * @throws TelemetryError `invalid_metric` for a name or a value that can't be one.
   */
  record(metric: string, value: number, options?: RecordOptions): boolean
  /** Records many metrics at once, leaving out what is `null`, `undefined` or no finite number. */
  sample(values: Readonly<Record<string, HistorySample>>, at?: number): void
  /**
   * What `publish` would record, without recording it.
   *
   * @throws TelemetryError as `publish` does.
   */
  check(name: unknown, value: unknown, tags?: unknown, at?: unknown): PublishedMetric
  /**
   * Records a value of a metric that wasn't declared, from a stranger: everything is checked. Its tags are told to
   * `onPublish`; the history is that of the name.
   *
   * @throws TelemetryError `invalid_metric`, also for a metric that was declared; `invalid_label` for tags.
   */
  publish(name: unknown, value: unknown, tags?: unknown, at?: unknown): PublishedMetric
  /**
   * What this process has recorded lately, in finished fine steps: the point, and its weight. `undefined` when
   * nothing was.
   */
  recent(metric: string, windowMs: number): Weighted | undefined
  /**
   * The points of metrics, in the order asked for: of all processes, where there is a store that answers, else of
   * this one. A step is `null` until all processes have told it, and when nobody recorded anything.
   *
   * @throws TelemetryError `invalid_option`.
   */
  query(query: HistoryQuery): Promise<readonly Series[]>
  /** Every metric of which something is kept, by name. */
  names(): Promise<readonly HistoryMetric[]>
  stats(): HistoryStats
  /** Tells the store at once what it doesn't know. Says whether it could. Never rejects. */
  flush(): Promise<boolean>
  /** Tells the store the rest, for a second at most, and ends. Nothing is recorded from then on. */
  close(): Promise<void>
}
