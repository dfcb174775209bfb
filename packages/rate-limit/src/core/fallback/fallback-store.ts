import { isRateLimitError, RateLimitError, type RateLimitErrorCode } from '../errors.ts'
import { tokenBucket } from '../rules.ts'
import type { Store, StoreRequest, Verdict } from '../store.ts'
import { undoing } from '../undoing.ts'
import { Breaker, type BreakerClock } from './breaker.ts'
import { LocalDecisions } from './local-decisions.ts'
import { type Waiter, WaitingRoom } from './waiting-room.ts'

/** What the caller did wrong, which is no failure of the store. */
const CALLERS_FAULTS: readonly RateLimitErrorCode[] = [
  'invalid_limit',
  'invalid_request',
  'never_allowed',
]

/** The longest delay that timers take. */
const MOST_TIMEOUT_MS = 2 ** 31 - 1

/** Something to write, gone a millisecond later. No policy of a limiter has a name that begins like this. */
const WRITE: StoreRequest = {
  limit: { policy: '.probe', rule: tokenBucket({ limit: 1, windowMs: 1 }) },
  action: 'penalty',
  amount: 1,
}

/** What `onStoreChange` is told. */
export interface StoreChange {
  /** Whether the store is asked; otherwise each policy's `onStoreError` answers. */
  readonly available: boolean
  /** Why not: what the store failed with, or a `store_timeout`. */
  readonly error?: unknown
}

/** How {@link FallbackStore} is made. */
export interface FallbackOptions {
  /** How long the store may take for an answer, in milliseconds. */
  readonly timeoutMs: number
  /** The limiter's clock, in whole milliseconds since 1970 (UTC). */
  readonly now: () => number
  readonly onChange?: ((change: StoreChange) => void) | undefined
  readonly clock?: BreakerClock | undefined
}

interface Call {
  readonly subject: string
  readonly requests: readonly StoreRequest[]
}

/** A call that waits for the store. */
interface WaitingCall extends Call, Waiter {
  answer(verdicts: readonly Verdict[]): void
}

/**
 * A store that always answers: as the other store does or, while that one fails or is silent, as each
 * policy's `onStoreError` says. At the first failure, or silence of `timeoutMs`, all who wait are answered
 * at once, and those who come next don't wait; looks that take nothing then find out, aside from all calls,
 * when the store is back, and writes again. An answer that comes too late is dropped: what it charged of a rate
 * or window stays charged; slots and reservations, which nobody would ever let go of, are given back.
 *
 * The store is there or it isn't, also one of which only a part is away: which subjects that concerns isn't
 * known here, and finding out by one failure of each would cost each its timeout.
 */
export class FallbackStore implements Store {
  readonly #store: Store
  readonly #timeoutMs: number
  readonly #now: () => number
  readonly #clock: BreakerClock
  readonly #onChange: ((change: StoreChange) => void) | undefined
  readonly #breaker: Breaker
  readonly #local = new LocalDecisions()
  readonly #waiting: WaitingRoom<WaitingCall>
  #failed: Call | undefined

  constructor(store: Store, options: FallbackOptions) {
    const { timeoutMs, now, onChange, clock } = options
    this.#store = store
    this.#timeoutMs = timeoutMs
    this.#now = now
    this.#onChange = onChange
    this.#clock = clock ?? { monotonic: () => performance.now(), random: Math.random }
    this.#breaker = new Breaker(timeoutMs, this.#clock)
    this.#waiting = new WaitingRoom(timeoutMs, this.#clock.monotonic, (first) =>
      this.#stopAsking(this.#silence(), first),
    )
  }

  get nodes(): number | undefined {
    return this.#store.nodes
  }

  decide(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): readonly Verdict[] | Promise<readonly Verdict[]> {
    const here = this.#decideHere(subject, requests, now)
    if (here !== undefined) return here
    try {
      const answer = this.#store.decide(subject, requests, now)
      return 'then' in answer ? this.#waitFor(answer, subject, requests) : answer
    } catch (error) {
      return this.#answerFor(error, subject, requests)
    }
  }

  decideSync(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): readonly Verdict[] | undefined {
    const here = this.#decideHere(subject, requests, now)
    if (here !== undefined) return here
    try {
      return this.#store.decideSync?.(subject, requests, now)
    } catch (error) {
      return this.#answerFor(error, subject, requests)
    }
  }

  async close(): Promise<void> {
    await this.#store.close?.()
  }

  /** What isn't for the store: all while it is away, and afterwards what is held here. */
  #decideHere(
    subject: string,
    requests: readonly StoreRequest[],
    now: number,
  ): readonly Verdict[] | undefined {
    const held = this.#local.decideHeld(subject, requests, now)
    if (held !== undefined) return held
    if (this.#breaker.closed) {
      this.#local.handOver(subject, requests, now)
      return undefined
    }
    if (this.#breaker.startProbe()) void this.#probe()
    // A process that has only just begun may have been alone as far as it knew.
    this.#local.shareAmong(this.#processes())
    return this.#local.decide(subject, requests, now, this.#breaker.retryInMs)
  }

  #waitFor(
    answer: Promise<readonly Verdict[]>,
    subject: string,
    requests: readonly StoreRequest[],
  ): Promise<readonly Verdict[]> {
    return new Promise((resolve, reject) => {
      const since = this.#clock.monotonic()
      const call: WaitingCall = { since, subject, requests, answer: resolve }
      const place = this.#waiting.enter(call)
      answer.then(
        (verdicts) => {
          if (this.#waiting.leave(place)) resolve(verdicts)
          else void this.#giveBack(call, verdicts)
        },
        (error) => {
          if (!this.#waiting.leave(place)) return
          try {
            resolve(this.#answerFor(error, subject, requests))
          } catch (fault) {
            reject(fault)
          }
        },
      )
    })
  }

  /** What was taken for a caller who has been answered without it. */
  async #giveBack({ subject, requests }: Call, verdicts: readonly Verdict[]): Promise<void> {
    const unheard = requests.flatMap((request, at) => {
      const { action, id } = request
      if (action !== 'take' || id === undefined) return []
      return undoing(request, verdicts[at]) ?? []
    })
    if (unheard.length === 0) return
    try {
      await this.#store.decide(subject, unheard, this.#now())
    } catch {
      // The store is away again: what it holds lapses.
    }
  }

  /** @throws what is the caller's fault. */
  #answerFor(
    error: unknown,
    subject: string,
    requests: readonly StoreRequest[],
  ): readonly Verdict[] {
    const code = isRateLimitError(error) ? error.code : undefined
    if (code !== undefined && CALLERS_FAULTS.includes(code)) throw error
    // Too many ask at once: this one is answered here, and those who do wait go on waiting.
    if (code === 'store_busy') this.#local.shareAmong(this.#processes())
    else this.#stopAsking(error, { subject, requests })
    const retryInMs = this.#breaker.closed ? this.#timeoutMs : this.#breaker.retryInMs
    return this.#local.decide(subject, requests, this.#now(), retryInMs)
  }

  #stopAsking(error: unknown, failed: Call): void {
    if (!this.#breaker.closed) return
    this.#breaker.open()
    this.#failed = failed
    this.#local.shareAmong(this.#processes())
    this.#tell({ available: false, error })
    const { retryInMs } = this.#breaker
    for (const { subject, requests, answer } of this.#waiting.empty()) {
      answer(this.#local.decide(subject, requests, this.#now(), retryInMs))
    }
  }

  /**
   * Looks at what failed: that the store knows others, as a part of a Cluster may, isn't enough. Nor is a
   * look, which a store that refuses to write answers as ever: so it writes too, where nobody's limit is.
   */
  async #probe(): Promise<void> {
    const { subject = '', requests = [] } = this.#failed ?? {}
    const looks = requests.map(({ limit, action, amount }) => {
      const cost = action === 'take' || action === 'peek' ? amount : 0
      return { limit, action: 'peek', amount: cost } as const
    })
    try {
      await this.#inTime(async () => this.#store.decide(subject, [...looks, WRITE], this.#now()))
    } catch {
      this.#breaker.open()
      return
    }
    this.#failed = undefined
    this.#breaker.close()
    this.#tell({ available: true })
  }

  #inTime(ask: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#silence()), this.#timeoutMs).unref()
      ask()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }

  #silence(): RateLimitError {
    return new RateLimitError(
      'store_timeout',
      `The store of the limits didn't answer within ${this.#timeoutMs} ms. Limits go on without it.`,
    )
  }

  #processes(): number {
    return Math.max(1, Math.floor(this.#store.nodes ?? 1) || 1)
  }

  #tell(change: StoreChange): void {
    try {
      this.#onChange?.(change)
    } catch {
      // An observer that fails changes nothing about the store.
    }
  }
}

/** @throws RateLimitError `invalid_limit` for what isn't a whole number from 1, or more than timers take. */
export function checkTimeout(timeoutMs: number): void {
  if (Number.isSafeInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MOST_TIMEOUT_MS) return
  throw new RateLimitError(
    'invalid_limit',
    `storeTimeoutMs must be a whole number from 1 to ${MOST_TIMEOUT_MS}.`,
  )
}
