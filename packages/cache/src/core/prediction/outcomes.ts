/** What became of what was fetched before it was asked for. */
export interface Outcomes {
  /** Asked for in time: each is a hit that would have been a miss. */
  readonly used: number
  /** Asked for while it was still being fetched: no hit, and no waste either. */
  readonly late: number
  /** Never asked for in time, or gone by then. */
  readonly wasted: number
  /** Couldn't be fetched, or weren't there to be fetched. */
  readonly failed: number
  /** Fetched, or being fetched, and not yet asked for. */
  readonly pending: number
}

/** So many are tried before anything is concluded. */
const TRIAL = 16
/** From so many on the verdict's counts are halved: what was long ago matters less. */
const LONGEST_MEMORY = 256

interface Trial {
  readonly until: number
  ready: boolean
}

/** Keeps account of prefetched entries: each is on trial until it is used or its time is over. */
export class Trials {
  readonly #trials = new Map<string, Trial>()
  readonly #withinMs: number
  #used = 0
  #late = 0
  #wasted = 0
  #failed = 0
  #recent = { useful: 0, wasted: 0 }

  constructor(withinMs: number) {
    this.#withinMs = withinMs
  }

  get outcomes(): Outcomes {
    return {
      used: this.#used,
      late: this.#late,
      wasted: this.#wasted,
      failed: this.#failed,
      pending: this.#trials.size,
    }
  }

  has(key: string): boolean {
    return this.#trials.has(key)
  }

  /** As many more are let on trial as have been useful of late, besides the first few. */
  get room(): boolean {
    return this.#trials.size < TRIAL + this.#recent.useful
  }

  /** The share of waste of late; `undefined` while too little is known. */
  get wasteRate(): number | undefined {
    const { useful, wasted } = this.#recent
    return useful + wasted < TRIAL ? undefined : wasted / (useful + wasted)
  }

  begin(key: string, now: number): void {
    this.#trials.set(key, { until: now + this.#withinMs, ready: false })
  }

  ready(key: string): void {
    const trial = this.#trials.get(key)
    if (trial !== undefined) trial.ready = true
  }

  fail(key: string): void {
    if (this.#trials.delete(key)) this.#failed += 1
  }

  /** It was asked for; `hit` if it was there. */
  asked(key: string, hit: boolean): void {
    const trial = this.#trials.get(key)
    if (trial === undefined) return
    this.#trials.delete(key)
    if (hit) this.#used += 1
    else if (!trial.ready) this.#late += 1
    else this.#wasted += 1
    this.#conclude(hit || !trial.ready)
  }

  /** Those whose time is over were in vain. They stand in the order of their beginning. */
  settle(now: number): void {
    for (const [key, { until }] of this.#trials) {
      if (until > now) return
      this.#trials.delete(key)
      this.#wasted += 1
      this.#conclude(false)
    }
  }

  /** Begins to judge anew. */
  forgive(): void {
    this.#recent = { useful: 0, wasted: 0 }
  }

  #conclude(useful: boolean): void {
    if (useful) this.#recent.useful += 1
    else this.#recent.wasted += 1
    if (this.#recent.useful + this.#recent.wasted < LONGEST_MEMORY) return
    this.#recent.useful /= 2
    this.#recent.wasted /= 2
  }
}
