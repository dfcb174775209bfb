import { capacityOf, type Rule } from '../../core/rules.ts'
import { NOTHING_TAKEN, type StoreRequest, type Verdict } from '../../core/store.ts'
import { BoundedMap } from './bounded-map.ts'
import { ChangeTimes } from './change-times.ts'

/** How many different calls of one subject are remembered. */
const MOST_OF_ONE = 4

/** A call that was denied, as it was answered. */
interface Denial {
  readonly requests: readonly StoreRequest[]
  readonly verdicts: readonly Verdict[]
  readonly answeredAt: number
  readonly until: number
}

/** How a {@link DenyCache} is made. */
export interface DenyCacheOptions {
  /** The longest time a denial is believed, in milliseconds; 0 remembers none. */
  readonly mostMs: number
  readonly maxSubjects: number
  readonly monotonic: () => number
}

/**
 * Denies here what was denied there, until it would fit there. That time counts from when the call was
 * sent, which is before it was decided: nobody is denied here who would be admitted there, but for what
 * others give back or reset meanwhile. So only denials are remembered that nothing but waiting ends; slots
 * and budgets are given back all the time.
 *
 * A higher cost than the one that was denied is denied too, and told when the lower one would fit.
 */
export class DenyCache {
  readonly #mostMs: number
  readonly #monotonic: () => number
  readonly #denials: BoundedMap<Denial[]>
  readonly #changes = new ChangeTimes()

  constructor({ mostMs, maxSubjects, monotonic }: DenyCacheOptions) {
    this.#mostMs = mostMs
    this.#monotonic = monotonic
    this.#denials = new BoundedMap(maxSubjects)
  }

  /** How many subjects are remembered. */
  get size(): number {
    return this.#denials.size
  }

  /** What is said of a call that is still denied; `undefined` when that isn't known. */
  answer(subject: string, requests: readonly StoreRequest[]): readonly Verdict[] | undefined {
    if (this.#denials.size === 0) return undefined
    const denials = this.#denials.get(subject)
    if (denials === undefined) return undefined
    const now = this.#monotonic()
    for (const denial of denials) {
      if (now < denial.until && covers(denial, requests)) return aged(denial, requests, now)
    }
    if (denials.every(({ until }) => now >= until)) this.#denials.delete(subject)
    return undefined
  }

  /** Remembers a call that was sent at `sentAt` and has just been answered, if it was denied for a time. */
  remember(
    subject: string,
    requests: readonly StoreRequest[],
    verdicts: readonly Verdict[],
    sentAt: number,
  ): void {
    const waitMs = longestWait(requests, verdicts)
    if (this.#mostMs === 0 || waitMs === 0 || this.#changes.since(subject, sentAt)) return
    const answeredAt = this.#monotonic()
    // Stores count whole milliseconds: theirs may have begun up to one before.
    const until = Math.min(sentAt + waitMs - 1, answeredAt + this.#mostMs)
    if (until <= answeredAt) return
    const others = (this.#denials.get(subject) ?? []).filter(
      (denial) => denial.until > answeredAt && !sameCall(denial.requests, requests),
    )
    const denial = { requests, verdicts, answeredAt, until }
    this.#denials.set(subject, [denial, ...others.slice(0, MOST_OF_ONE - 1)])
  }

  /** Believes nothing any more that was said of the subject, or is on its way. */
  forget(subject: string): void {
    this.#changes.note(subject, this.#monotonic())
    this.#denials.delete(subject)
  }

  clear(): void {
    this.#denials.clear()
  }
}

/** The longest wait of what denies; 0 when something denies that others may give back, or nothing does. */
function longestWait(requests: readonly StoreRequest[], verdicts: readonly Verdict[]): number {
  let longest = 0
  for (const [at, { limit }] of requests.entries()) {
    const verdict = verdicts[at]
    if (verdict === undefined || verdict.allowed || limit.rule.shadow) continue
    if (!onlyWaitingHelps(limit.rule)) return 0
    longest = Math.max(longest, verdict.retryAfterMs)
  }
  return longest
}

function onlyWaitingHelps({ kind }: Rule): boolean {
  return kind === 'token-bucket' || kind === 'sliding-window' || kind === 'fixed-window'
}

function sameCall(one: readonly StoreRequest[], other: readonly StoreRequest[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ limit, amount }, at) => {
      const counterpart = other[at]
      return counterpart?.limit === limit && counterpart.amount === amount
    })
  )
}

/** Whether the call asks the same, or more of what was denied. */
function covers({ requests, verdicts }: Denial, asked: readonly StoreRequest[]): boolean {
  if (requests.length !== asked.length) return false
  for (let at = 0; at < asked.length; at += 1) {
    const before = requests[at]
    const now = asked[at]
    if (before === undefined || now === undefined || now.limit !== before.limit) return false
    if (now.action !== 'take') return false
    if (now.amount === before.amount) continue
    const denied = verdicts[at]?.allowed === false && !now.limit.rule.shadow
    if (!denied || now.amount < before.amount || now.amount > capacityOf(now.limit.rule)) {
      return false
    }
  }
  return true
}

/** The picture of then, as it is now. */
function aged(
  { verdicts, answeredAt }: Denial,
  requests: readonly StoreRequest[],
  now: number,
): readonly Verdict[] {
  const passed = Math.floor(now - answeredAt)
  return verdicts.map((verdict, at) => {
    const waitMs = Math.max(0, verdict.retryAfterMs - passed)
    const fits = waitMs === 0 && !verdict.allowed
    return {
      allowed: waitMs === 0,
      applied: false,
      remaining: fits ? Math.max(verdict.remaining, requests[at]?.amount ?? 0) : verdict.remaining,
      retryAfterMs: waitMs,
      resetMs: Math.max(0, verdict.resetMs - passed),
      source: 'deny-cache',
      stamp: NOTHING_TAKEN,
    }
  })
}
