import type { LiveRecording } from './live-recording.ts'

/** A recording under its name. */
export interface Shelved<Head> {
  readonly name: string
  readonly fingerprint: string | undefined
  readonly keepMs: number
  readonly persist: boolean
  /** Which one it is among processes, if they share it. */
  readonly sharedId: string | undefined
  readonly recording: LiveRecording<Head>
}

/** How often what has expired is looked for, at most; a claim never finds it anyway. */
const SWEEP_MS = 1_000
const LONGEST_TIMER_MS = 2_147_483_647

/** The recordings that have a name. */
export class Shelf<Head> {
  readonly #max: number
  readonly #now: () => number
  readonly #open = new Map<string, Shelved<Head>>()
  /** In the order in which they ended. */
  readonly #kept = new Map<string, Shelved<Head>>()
  /** Open ones, also those whose name is another's by now. */
  readonly #recording = new Set<Shelved<Head>>()
  #timer: NodeJS.Timeout | undefined
  #sweepAt = Number.POSITIVE_INFINITY
  #closed = false

  constructor(max: number, now: () => number) {
    this.#max = max
    this.#now = now
  }

  get open(): number {
    return this.#recording.size
  }

  get kept(): number {
    return this.#kept.size
  }

  find(name: string): Shelved<Head> | undefined {
    const open = this.#open.get(name)
    if (open !== undefined) return open
    const kept = this.#kept.get(name)
    if (kept === undefined || this.#now() < expiryOf(kept)) return kept
    this.#drop(kept)
    return undefined
  }

  /** Gives an open recording its name, unless there is no room for a name. */
  add(entry: Shelved<Head>): void {
    this.#recording.add(entry)
    const full = () => this.#open.size + this.#kept.size >= this.#max
    this.evict(full)
    if (!this.#closed && !full()) this.#open.set(entry.name, entry)
  }

  /** The recording has ended: it is kept, if it is to be. */
  over(entry: Shelved<Head>): void {
    this.#recording.delete(entry)
    if (this.#open.get(entry.name) !== entry) return
    this.#open.delete(entry.name)
    if (entry.keepMs === 0 || entry.recording.state !== 'complete') return
    this.#kept.set(entry.name, entry)
    entry.recording.keep(true)
    this.#sweepBy(expiryOf(entry))
  }

  forget(name: string): void {
    this.#open.delete(name)
    const kept = this.#kept.get(name)
    if (kept !== undefined) this.#drop(kept)
  }

  /** Forgets this one, if its name still stands for it. */
  forgetOnly(entry: Shelved<Head>): void {
    const { name } = entry
    if (this.#open.get(name) === entry || this.#kept.get(name) === entry) this.forget(name)
  }

  /** Forgets complete recordings, oldest first, for as long as `wanting` says so. */
  evict(wanting: () => boolean): void {
    for (const entry of this.#kept.values()) {
      if (!wanting()) return
      this.#drop(entry)
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.evict(() => true)
    for (const { recording } of [...this.#recording]) {
      recording.close({ code: 'closed', cause: undefined })
    }
    this.#open.clear()
  }

  #drop(entry: Shelved<Head>): void {
    this.#kept.delete(entry.name)
    entry.recording.keep(false)
  }

  #sweepBy(at: number): void {
    if (at >= this.#sweepAt || this.#closed) return
    clearTimeout(this.#timer)
    this.#sweepAt = at
    const inMs = Math.min(Math.max(at - this.#now(), SWEEP_MS), LONGEST_TIMER_MS)
    this.#timer = setTimeout(() => this.#sweep(), inMs).unref()
  }

  #sweep(): void {
    this.#sweepAt = Number.POSITIVE_INFINITY
    const now = this.#now()
    let next = Number.POSITIVE_INFINITY
    for (const entry of this.#kept.values()) {
      const at = expiryOf(entry)
      if (at <= now) this.#drop(entry)
      else next = Math.min(next, at)
    }
    if (next < Number.POSITIVE_INFINITY) this.#sweepBy(next)
  }
}

function expiryOf({ keepMs, recording }: Shelved<unknown>): number {
  return (recording.endedAt ?? 0) + keepMs
}
