import { setImmediate } from 'node:timers/promises'
import type { Cache } from './cache.ts'
import { checkNames, count, optionalFunction, wrong } from './checks.ts'
import { type Duration, MAX_TIMER_MS, parseDuration } from './duration.ts'
import type { EntryOptions } from './entry-options.ts'
import type { FactoryContext } from './factory.ts'

/** An entry to be there before anybody asks for it. */
export interface WarmItem<V = unknown> {
  readonly key: string
  /** Makes the value; as the factory of `getOrSet`. */
  readonly load: (context: FactoryContext<V>) => V | Promise<V>
  readonly options?: EntryOptions | undefined
}

const KNOWN = ['concurrency', 'onProgress', 'budget', 'signal']

type Outcome = 'done' | 'failed' | 'skipped'

type Items = Iterator<WarmItem> | AsyncIterator<WarmItem>

/** After so many entries the event loop turns. */
const TURN = 64

/** How far a warm-up is. */
export interface WarmProgress {
  /** Loaded. */
  readonly done: number
  /** Loaded in vain: the loader failed or was too slow. */
  readonly failed: number
  /** Not loaded, as it was there, fresh, or was being made by somebody else. */
  readonly skipped: number
  /** How many there are, where the list tells. */
  readonly total: number | undefined
}

export interface WarmResult extends WarmProgress {
  /** Whether the list was at its end, or the budget. */
  readonly ended: 'list' | 'budget'
}

export interface WarmOptions {
  /** How many are loaded at the same time; default 4. */
  readonly concurrency?: number | undefined
  /** Called after each entry. What it throws is ignored. */
  readonly onProgress?: ((progress: WarmProgress) => void) | undefined
  /**
   * How many loaders may be called, and how long new ones may be begun. What is under way then is finished.
   * Default: as many and as long as it takes.
   */
  readonly budget?:
    | { readonly calls?: number | undefined; readonly ms?: Duration | undefined }
    | undefined
  /** Ends it: `warm` rejects with the signal's reason, and loaders that nobody else waits for are aborted. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Loads entries that aren't there, some at a time. The list is read no further than it is worked off, so it
 * may be endless. A failure is counted and stops nothing; only what the list itself throws does.
 *
 * @throws CacheError `invalid_option`.
 */
export async function warm(
  cache: Pick<Cache, 'getOrSet'>,
  items: Iterable<WarmItem> | AsyncIterable<WarmItem>,
  options: WarmOptions = {},
): Promise<WarmResult> {
  const warming = new Warming(cache, sizeOf(items), options)
  const iterator = iteratorOf(items)
  let atItsEnd = false
  try {
    atItsEnd = await warming.begin(iterator)
    return await warming.end(atItsEnd)
  } finally {
    warming.close()
    if (!atItsEnd) leave(iterator)
  }
}

class Warming {
  readonly #cache: Pick<Cache, 'getOrSet'>
  readonly #options: WarmOptions
  readonly #concurrency: number
  readonly #calls: number
  readonly #total: number | undefined
  readonly #timer: NodeJS.Timeout | undefined
  readonly #counts = { done: 0, failed: 0, skipped: 0 }
  #running = 0
  #timeIsOver = false
  /** Goes on with whatever is being waited for, to look at what has changed. */
  #wake: () => void = () => undefined
  readonly #aborted = () => this.#wake()

  constructor(cache: Pick<Cache, 'getOrSet'>, total: number | undefined, options: WarmOptions) {
    checkNames('warm', options, KNOWN)
    const { concurrency = 4, budget = {}, signal } = options
    checkNames('warm.budget', budget, ['calls', 'ms'])
    optionalFunction('onProgress', options.onProgress)
    this.#cache = cache
    this.#options = options
    this.#total = total
    this.#concurrency = count('concurrency', concurrency, 1)
    this.#calls = budget.calls === undefined ? Infinity : count('budget.calls', budget.calls, 0)
    if (budget.ms !== undefined) {
      const ms = Math.min(parseDuration('budget.ms', budget.ms), MAX_TIMER_MS)
      this.#timer = setTimeout(() => this.#expire(), ms)
    }
    signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  /** Resolves when all has been begun: with true at the end of the list, else the budget's. */
  async begin(items: Items): Promise<boolean> {
    for (let read = 1; await this.#room(); read++) {
      const next = await this.#next(items)
      if (next === undefined) return false
      if (next.done === true) return true
      this.#load(next.value)
      // What is at hand is loaded without waiting for anything: others have to come in between.
      if (read % TURN === 0) await setImmediate()
    }
    return false
  }

  async end(atItsEnd: boolean): Promise<WarmResult> {
    while (this.#running > 0) await this.#change()
    this.#options.signal?.throwIfAborted()
    return { ...this.#progress(), ended: atItsEnd ? 'list' : 'budget' }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#aborted)
  }

  #expire(): void {
    this.#timeIsOver = true
    this.#wake()
  }

  /** Waits until another may be begun; false when none may be any more. */
  async #room(): Promise<boolean> {
    for (;;) {
      this.#options.signal?.throwIfAborted()
      if (this.#timeIsOver) return false
      // Each that runs may still turn out to be a call.
      const called = this.#counts.done + this.#counts.failed + this.#running
      if (called < this.#calls && this.#running < this.#concurrency) return true
      if (this.#running === 0) return false
      await this.#change()
    }
  }

  /** The list may take its time, or hang; `undefined` when the time is over first. */
  async #next(items: Items): Promise<IteratorResult<WarmItem> | undefined> {
    let next: IteratorResult<WarmItem> | undefined
    const told = Promise.resolve(items.next()).then((result) => {
      next = result
    })
    told.catch(() => undefined)
    while (next === undefined && !this.#timeIsOver) await Promise.race([told, this.#change()])
    return next
  }

  #change(): Promise<void> {
    this.#options.signal?.throwIfAborted()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #load(item: WarmItem): void {
    this.#running += 1
    void this.#outcome(item).then((outcome) => {
      this.#running -= 1
      this.#counts[outcome] += 1
      this.#report()
      this.#wake()
    })
  }

  async #outcome(item: WarmItem): Promise<Outcome> {
    let outcome: Outcome = 'skipped'
    const { signal } = this.#options
    try {
      const factory = async (context: FactoryContext<unknown>) => {
        outcome = 'failed'
        const value = await item.load(context)
        outcome = 'done'
        return value
      }
      // A stale entry is there to be replaced: its successor is waited for as long as it takes.
      const terms = { softTimeout: MAX_TIMER_MS, ...item.options, ...(signal && { signal }) }
      await this.#cache.getOrSet(item.key, factory, terms)
      return outcome
    } catch {
      return 'failed'
    }
  }

  #progress(): WarmProgress {
    return { ...this.#counts, total: this.#total }
  }

  #report(): void {
    try {
      this.#options.onProgress?.(this.#progress())
    } catch {
      // Who watches must not stop what is watched.
    }
  }
}

function sizeOf(items: object): number | undefined {
  if (typeof items !== 'object' || items === null) {
    throw wrong('items', items, 'a list of { key, load }')
  }
  if ('length' in items && typeof items.length === 'number') return items.length
  if ('size' in items && typeof items.size === 'number') return items.size
  return undefined
}

function iteratorOf(items: Iterable<WarmItem> | AsyncIterable<WarmItem>): Items {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
}

/** It isn't waited for: a list that hangs must keep nobody. */
function leave(items: Items): void {
  try {
    Promise.resolve(items.return?.()).catch(() => undefined)
  } catch {
    // Nobody is left whom its failure would concern.
  }
}
