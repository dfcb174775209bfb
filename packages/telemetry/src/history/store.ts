import type { HistoryKind } from './kind.ts'
import type { Run } from './ring.ts'

/** What a metric is. */
export interface HistoryMetric {
  readonly metric: string
  readonly kind: HistoryKind
  /** As people write it, such as `ms`; or empty. */
  readonly unit: string
}

/** Steps of one length, and how long they are kept. */
export interface HistoryResolution {
  readonly stepMs: number
  readonly keepMs: number
}

/** Consecutive cells of one metric: step `n` begins at `n · stepMs` since 1970. */
export interface HistoryRun extends HistoryMetric, HistoryResolution, Run {}

/** What one process adds to a store, in one piece. */
export interface HistoryBatch {
  /** The process, from its start to its end. */
  readonly instance: string
  /** 1, 2, 3 … of that process. */
  readonly sequence: number
  /** When it was sent, and up to when the process has told everything, in milliseconds since 1970. */
  readonly at: number
  readonly toldUntil: number
  readonly runs: readonly HistoryRun[]
}

/** What is asked of a store: some metrics, all in steps of one length. */
export interface HistoryRead {
  readonly instance: string
  readonly metrics: readonly HistoryMetric[]
  readonly resolution: HistoryResolution
  /** The first and the last step. */
  readonly from: number
  readonly to: number
}

/** What a store holds, of all processes put together, at one moment. */
export interface HistoryReading {
  /** The greatest `sequence` of that instance that is in it; 0 before the first. */
  readonly sequence: number
  /** The last `toldUntil` of each process, as far as they are known: a minute after the last at least. */
  readonly told: ReadonlyMap<string, number>
  /** In the order asked for: value and weight of each step from the first to the last. */
  readonly cells: readonly Float64Array[]
}

/**
 * Where processes put their histories together. A step holds a value and a weight, and what is added is folded
 * into it: sums of both, but the greatest or least value where the kind is `max` or `min`; a weight of 0 is a gap
 * and changes nothing. What is older than `keepMs` goes by itself.
 */
export interface HistoryStore {
  /** Adds a batch, once: also when it is sent again because nobody knows whether it arrived. */
  add(batch: HistoryBatch): Promise<void>
  read(request: HistoryRead): Promise<HistoryReading>
  /** Every metric that any process has added to, as long as something of it is kept. */
  metrics(at: number): Promise<readonly HistoryMetric[]>
  /** A process ends: nobody has to wait for what it tells. */
  leave(instance: string): Promise<void>
}
