import { LRUCache } from 'lru-cache'
import { type AccessObserver, type Accessor, LONGEST_KEY } from '../access.ts'
import { CallBudget } from './call-budget.ts'
import { type Outcomes, Trials } from './outcomes.ts'
import { type Suggestion, Transitions } from './transitions.ts'

/** How next-needed entries are predicted. */
export interface PredictionSettings {
  /** In what share of the times a key must have come next to be fetched in advance; default 0.5. */
  readonly confidence?: number | undefined
  /** How many entries are fetched in advance in a minute at most; default 60. */
  readonly callsPerMinute?: number | undefined
  /** Above which share of waste it stops by itself; default 0.5. */
  readonly maxWaste?: number | undefined
  /** How long it then stops before it tries again, in milliseconds; default 10 minutes. */
  readonly pauseMs?: number | undefined
  /**
   * For how many milliseconds after an access the next one counts as following it, and for how long an
   * entry that was fetched in advance may wait for its use before it counts as waste; default a minute.
   */
  readonly withinMs?: number | undefined
  /** Of how many keys it is known what follows, and of how many callers what was last; default 10,000. */
  readonly maxKeys?: number | undefined
  /**
   * Whose access this is, such as a session or a user, as the application knows it (by an
   * `AsyncLocalStorage`, say). Absent, or where it is `undefined`, all accesses are taken for one caller's:
   * then little can be learned where many ask at the same time.
   */
  readonly caller?: (() => string | undefined) | undefined
}

/** What prediction did and what it was worth. */
export interface PredictionStats extends Outcomes {
  readonly accesses: number
  readonly prefetched: number
  /** The part of all accesses that are hits because of it: how much the hit rate has gained. */
  readonly gain: number
  /** The share of waste among those prefetched entries of which it is decided. */
  readonly waste: number
  /** Until when it has stopped, in milliseconds since 1970, because too much was wasted. */
  readonly pausedUntil: number | undefined
  /** Of how many keys it is known what follows. */
  readonly keys: number
}

/** How entries are fetched in advance. */
export interface Fetcher {
  /** Whether it is there, fresh, as nobody's access. */
  has(key: string): boolean
  /**
   * Resolves with the value when it is there, or with `undefined` when there is none for this key; rejects
   * when it couldn't be made. It never throws, and is nobody's access.
   */
  fetch(key: string, by: Accessor): Promise<unknown>
}

interface Last {
  readonly key: string
  readonly at: number
}

/** The caller of all that say nothing of theirs. */
const ANYONE = ''

/**
 * Learns from accesses which key is asked for after which, fetches what is likely to be next within a
 * budget, and keeps account of what came of it. When too much of it is in vain it stops by itself.
 */
export class Prediction implements AccessObserver {
  readonly #confidence: number
  readonly #maxWaste: number
  readonly #pauseMs: number
  readonly #withinMs: number
  readonly #caller: () => string | undefined
  readonly #now: () => number
  readonly #fetcher: Fetcher
  readonly #transitions: Transitions
  readonly #trials: Trials
  readonly #budget: CallBudget
  readonly #last: LRUCache<string, Last>
  /** An entry is fetched through the namespace through which it was asked for. */
  readonly #accessors: LRUCache<string, Accessor>
  #accesses = 0
  #prefetched = 0
  #pausedUntil: number | undefined

  constructor(settings: PredictionSettings, fetcher: Fetcher, now: () => number) {
    this.#confidence = settings.confidence ?? 0.5
    this.#maxWaste = settings.maxWaste ?? 0.5
    this.#pauseMs = settings.pauseMs ?? 600_000
    this.#withinMs = settings.withinMs ?? 60_000
    this.#caller = settings.caller ?? (() => ANYONE)
    this.#now = now
    this.#fetcher = fetcher
    const maxKeys = settings.maxKeys ?? 10_000
    this.#transitions = new Transitions(maxKeys)
    this.#last = new LRUCache({ max: maxKeys })
    this.#accessors = new LRUCache({ max: maxKeys })
    this.#trials = new Trials(this.#withinMs)
    this.#budget = new CallBudget(settings.callsPerMinute ?? 60, now())
  }

  get stats(): PredictionStats {
    this.#trials.settle(this.#now())
    const { outcomes } = this.#trials
    const decided = outcomes.used + outcomes.late + outcomes.wasted
    return {
      ...outcomes,
      accesses: this.#accesses,
      prefetched: this.#prefetched,
      gain: this.#accesses === 0 ? 0 : outcomes.used / this.#accesses,
      waste: decided === 0 ? 0 : outcomes.wasted / decided,
      pausedUntil: this.#pausedUntil,
      keys: this.#transitions.size,
    }
  }

  /** What is likely to be asked for after a key, the most likely first. */
  suggest(key: string): readonly Suggestion[] {
    return this.#transitions.suggest(key, this.#confidence)
  }

  accessed(key: string, hit: boolean, by: Accessor): void {
    if (key.length > LONGEST_KEY) return
    const now = this.#now()
    this.#accesses += 1
    this.#trials.asked(key, hit)
    this.#trials.settle(now)
    this.#learn(key, now)
    this.#accessors.set(key, by)
    if (!this.#mayFetch(now)) return
    for (const suggestion of this.suggest(key)) this.#prefetch(suggestion.key, now)
  }

  #learn(key: string, now: number): void {
    const caller = this.#caller() ?? ANYONE
    const last = this.#last.get(caller)
    if (last !== undefined && last.key !== key && now - last.at <= this.#withinMs) {
      this.#transitions.learn(last.key, key)
    }
    this.#last.set(caller, { key, at: now })
  }

  #mayFetch(now: number): boolean {
    if (this.#pausedUntil !== undefined) {
      if (now < this.#pausedUntil) return false
      this.#pausedUntil = undefined
      this.#trials.forgive()
    }
    if ((this.#trials.wasteRate ?? 0) <= this.#maxWaste) return true
    this.#pausedUntil = now + this.#pauseMs
    return false
  }

  #prefetch(key: string, now: number): void {
    const by = this.#accessors.get(key)
    if (by === undefined || this.#trials.has(key) || this.#fetcher.has(key)) return
    if (!this.#trials.room || !this.#budget.take(now)) return
    this.#prefetched += 1
    this.#trials.begin(key, now)
    this.#fetcher.fetch(key, by).then(
      (value) => (value === undefined ? this.#trials.fail(key) : this.#trials.ready(key)),
      () => this.#trials.fail(key),
    )
  }
}
