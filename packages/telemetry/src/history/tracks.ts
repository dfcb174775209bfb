import type { HistoryMetric, HistoryRun } from './store.ts'
import { type Resolutions, stepsOf, Track } from './track.ts'

/** What {@link Tracks} needs. */
export interface TracksOptions {
  readonly resolutions: Resolutions
  readonly maxMetrics: number
  /** Whether what is recorded has to go to a store as well. */
  readonly isStored: boolean
  readonly now: () => number
}

/** A clock that is set back by no more than this stands still instead. */
const SLACK_STEPS = 3

/** All that one process has recorded. One fine step is open at a time, for all metrics. */
export class Tracks {
  readonly #options: TracksOptions
  readonly #tracks = new Map<string, Track>()
  readonly #reserved = new Set<string>()
  #openStep = Number.NEGATIVE_INFINITY
  readonly dropped = { metrics: 0, times: 0 }

  constructor(options: TracksOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#tracks.size
  }

  get bytes(): number {
    let bytes = 0
    for (const track of this.#tracks.values()) bytes += track.bytes
    return bytes
  }

  get(metric: string): Track | undefined {
    return this.#tracks.get(metric)
  }

  /** Keeps room for a metric, however many others come before its first value. */
  reserve(metric: string): void {
    this.#reserved.add(metric)
  }

  *metrics(): Iterable<HistoryMetric> {
    for (const { metric } of this.#tracks.values()) yield metric
  }

  /** Ends the steps that are over. Says where the open one begins. */
  settle(): number {
    const { now, resolutions } = this.#options
    const { stepMs } = resolutions.fine
    const step = Math.floor(now() / stepMs)
    if (step > this.#openStep) this.#open(step)
    else if (step < this.#openStep - SLACK_STEPS) {
      this.#open(step)
      for (const track of this.#tracks.values()) track.rewind(step - 1)
    }
    return this.#openStep * stepMs
  }

  /** Records a value; false when it was dropped. */
  record(metric: HistoryMetric, value: number, weight: number, at: number | undefined): boolean {
    const { stepMs } = this.#options.resolutions.fine
    this.settle()
    const step = at === undefined ? this.#openStep : Math.floor(at / stepMs)
    const track = this.#trackOf(metric)
    if (track === undefined) {
      this.dropped.metrics += 1
      return false
    }
    if (step >= this.#openStep && step <= this.#openStep + SLACK_STEPS) {
      track.record(this.#openStep, value, weight)
      return true
    }
    const isKept = step < this.#openStep && track.recordLate(step, value, weight)
    if (!isKept) this.dropped.times += 1
    return isKept
  }

  /** Takes what no store has yet: of so many steps at most. */
  take(most: number): readonly HistoryRun[] {
    this.settle()
    const runs: HistoryRun[] = []
    let left = most
    for (const track of this.#tracks.values()) {
      if (left <= 0) break
      for (const run of track.take(left)) {
        runs.push(run)
        left -= run.cells.length / 2
      }
    }
    return runs
  }

  get isWaiting(): boolean {
    for (const track of this.#tracks.values()) if (track.isWaiting) return true
    return false
  }

  #open(step: number): void {
    for (const track of this.#tracks.values()) track.close(this.#openStep)
    this.#openStep = step
  }

  #trackOf(metric: HistoryMetric): Track | undefined {
    const known = this.#tracks.get(metric.metric)
    if (known !== undefined) return known
    const { resolutions, isStored } = this.#options
    if (!this.#hasRoomFor(metric.metric) && !this.#forgetOne()) return undefined
    const track = new Track(metric, resolutions, isStored)
    this.#tracks.set(metric.metric, track)
    return track
  }

  #hasRoomFor(metric: string): boolean {
    let taken = this.#tracks.size
    if (!this.#reserved.has(metric)) {
      for (const name of this.#reserved) if (!this.#tracks.has(name)) taken += 1
    }
    return taken < this.#options.maxMetrics
  }

  /** Makes room: of a metric of which nothing is kept any more. */
  #forgetOne(): boolean {
    const { fine, coarse } = this.#options.resolutions
    const kept = this.#openStep - (stepsOf(coarse) * coarse.stepMs) / fine.stepMs
    for (const [name, { lastStep }] of this.#tracks) {
      if (lastStep < kept && !this.#reserved.has(name)) return this.#tracks.delete(name)
    }
    return false
  }
}
