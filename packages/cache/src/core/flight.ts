import type { Capture } from './coherence.ts'
import { type Duration, parseDuration } from './duration.ts'
import type { Entry } from './entry.ts'
import { checkTag, type Policy } from './entry-options.ts'
import { CacheTimeoutError } from './errors.ts'
import type { FactoryContext } from './factory.ts'

/** What a flight has brought. */
export interface Made {
  readonly value: unknown
  readonly tags: readonly string[]
}

/** How many invalidations of tags a flight remembers; with more it counts as superseded. */
const MOST_GONE = 1_000

/**
 * One run of a factory for all who ask for its key meanwhile. The cache forgets it as soon as its value is
 * stored, or something newer makes its value the value of those only who are waiting already.
 */
export class Flight {
  readonly key: string
  capture: Capture
  /** What was there before; of the second tier, maybe. */
  readonly stale: Entry | undefined
  /** Never left unhandled. It is there before the factory runs, which may ask for its own key. */
  readonly outcome: Promise<Made>
  /** Says what the outcome is. */
  readonly settle: (made: Promise<Made>) => void
  /** Tags that were invalidated since it began, in their order: whether they are its own is known later. */
  readonly gone: string[] = []
  /** All its tags, once they are known. */
  tags: readonly string[] | undefined
  superseded = false
  /** Its outcome is settled; it may still be on its way to the second tier. */
  done = false
  #waiters = 0
  #background = false
  #aborted: { readonly reason: unknown } | undefined
  #end: ((reason: unknown) => void) | undefined
  readonly #known: readonly string[]

  constructor(key: string, capture: Capture, stale: Entry | undefined, known: readonly string[]) {
    this.key = key
    this.capture = capture
    this.stale = stale
    this.#known = known
    const { promise, resolve } = Promise.withResolvers<Made>()
    this.outcome = promise
    this.settle = resolve
  }

  join(): void {
    this.#waiters += 1
  }

  /** Nobody has to wait for it: it is done for its own sake. */
  stay(): void {
    this.#background = true
  }

  /** Whether it has lost the last one who wanted it. */
  leave(): boolean {
    this.#waiters -= 1
    return this.#waiters === 0 && !this.#background && !this.done
  }

  get wanted(): boolean {
    return this.#waiters > 0
  }

  abort(reason: unknown): void {
    this.superseded = true
    this.#aborted = { reason }
    this.#end?.(reason)
  }

  throwIfAborted(): void {
    if (this.#aborted !== undefined) throw this.#aborted.reason
  }

  /** Takes note that a tag was invalidated. */
  lose(tag: string): void {
    if ((this.tags ?? this.#known).includes(tag) || this.gone.length === MOST_GONE) {
      this.superseded = true
    } else if (this.tags === undefined) this.gone.push(tag)
  }

  /** Whether one of these tags was invalidated since it began; of the first `count` times. */
  lost(tags: readonly string[], count: number = this.gone.length): boolean {
    return count > 0 && this.gone.some((tag, i) => i < count && tags.includes(tag))
  }

  /** Runs the factory, for `hardMs` at most. */
  run(factory: (context: FactoryContext) => unknown, order: Order, hardMs: number): unknown {
    this.throwIfAborted()
    const made = factory(order.context)
    if (!isThenable(made)) return made
    return new Promise((resolve, reject) => {
      const end = (reason: unknown) => {
        clearTimeout(timer)
        reject(reason)
        order.abort(reason)
      }
      const timer = setTimeout(() => end(new CacheTimeoutError(hardMs)), hardMs)
      const settled = () => {
        clearTimeout(timer)
        this.#end = undefined
      }
      this.#end = end
      // As a native one: what else has a `then` may throw there.
      Promise.resolve(made).then(
        (value) => {
          settled()
          resolve(value)
        },
        (error: unknown) => {
          settled()
          reject(error)
        },
      )
    })
  }
}

/** What a factory is told, and what it says of its value. */
export class Order {
  ttlMs: number | undefined
  staleMs: number
  skipped = false
  readonly tags: string[]
  readonly context: FactoryContext
  #controller: AbortController | undefined

  constructor(
    key: string,
    policy: Policy,
    tags: readonly string[],
    stale: Entry | undefined,
    now: number,
  ) {
    this.staleMs = policy.staleMs
    this.tags = [...tags]
    const signal = () => {
      this.#controller ??= new AbortController()
      return this.#controller.signal
    }
    this.context = {
      key,
      stale: stale && { value: stale.value, ageMs: Math.max(0, now - stale.createdAt) },
      // Few factories look at it, and a signal is dear.
      get signal() {
        return signal()
      },
      ttl: (duration: Duration) => {
        this.ttlMs = parseDuration('ttl', duration)
      },
      staleFor: (duration: Duration) => {
        this.staleMs = parseDuration('staleFor', duration)
      },
      tag: (...more: readonly string[]) => {
        this.tags.push(...more.map(checkTag))
      },
      skip: () => {
        this.skipped = true
      },
    }
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
