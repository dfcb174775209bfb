import { type QuotaLeaseTerms, quotaLeaseTermsOf } from '../../core/quota-lease-terms.ts'
import { type Limit, NOTHING_TAKEN, type StoreRequest, type Verdict } from '../../core/store.ts'
import type { BackendAnswer, BackendAsk } from '../backend.ts'
import { BoundedMap } from './bounded-map.ts'
import { ChangeTimes } from './change-times.ts'
import type { Clocks, Moment } from './moment.ts'
import { Wallet } from './wallet.ts'

/** How {@link QuotaLeases} are made. */
export interface QuotaLeasesOptions {
  readonly clocks: Clocks
  readonly maxSubjects: number
  /** The longest time for which a denial is left as it is, to let tokens gather. */
  readonly mostPaceMs: number
  /** Called when tokens of this subject and policy are running low. */
  readonly refill: (subject: string, request: StoreRequest) => void
}

/**
 * Spends here what was charged there in advance. A lease ends here before it ends there: it counts from
 * when it was asked for, less what clocks may run apart. What isn't spent by then is lost, which keeps the
 * bound whatever is lost or crashes. After a grant that was too small nothing more is asked for while
 * tokens gather, or leases would become ever smaller.
 */
export class QuotaLeases {
  readonly #options: QuotaLeasesOptions
  readonly #wallets: BoundedMap<Wallet[]>
  readonly #changes = new ChangeTimes()
  readonly #terms = new WeakMap<Limit, QuotaLeaseTerms>()
  /** Read anew by each entry, so that spending makes no object for it. */
  readonly #now: { monotonic: number; wall: number } = { monotonic: 0, wall: 0 }

  constructor(options: QuotaLeasesOptions) {
    this.#options = options
    this.#wallets = new BoundedMap(options.maxSubjects)
  }

  /** How many subjects are remembered. */
  get size(): number {
    return this.#wallets.size
  }

  /** Whether tokens of this policy are leased. */
  covers({ limit }: StoreRequest): boolean {
    return limit.rule.kind !== 'concurrency' && this.#termsOf(limit) !== undefined
  }

  /**
   * Decides `take`s of leased policies from what is here, all or none. `undefined`: that isn't enough; the
   * call has to be asked as a whole. While tokens gather, what isn't here is denied, if `mayDeny`. A call
   * that `isNew` counts as demand, so that as much is here the next time.
   */
  spend(
    subject: string,
    requests: readonly StoreRequest[],
    { mayDeny, isNew }: { readonly mayDeny: boolean; readonly isNew: boolean },
  ): readonly Verdict[] | undefined {
    const now = this.#read()
    const known = this.#wallets.get(subject)
    const wallets = isNew ? this.#note(subject, requests, known) : known
    if (wallets === undefined) return undefined
    const verdicts: Verdict[] = []
    let denied = false
    for (const request of requests) {
      const verdict = this.#spendOne(subject, request, walletOf(wallets, request.limit), mayDeny)
      if (verdict === undefined) {
        this.#return(wallets, requests, verdicts, now)
        return undefined
      }
      denied ||= !verdict.allowed && !request.limit.rule.shadow
      verdicts.push(verdict)
    }
    return denied ? this.#return(wallets, requests, verdicts, now) : verdicts
  }

  /** Puts back what `spend` took, as another part of the call was denied. */
  putBack(
    subject: string,
    requests: readonly StoreRequest[],
    verdicts: readonly Verdict[],
  ): readonly Verdict[] {
    return this.#return(this.#wallets.get(subject) ?? [], requests, verdicts, this.#read())
  }

  /** Answers a `refund` of what was spent here; `undefined` when it wasn't. */
  refund(subject: string, { limit, amount, stamp = NOTHING_TAKEN }: StoreRequest) {
    if (stamp >= NOTHING_TAKEN) return undefined
    const wallet = walletOf(this.#wallets.get(subject) ?? [], limit)
    const now = this.#read()
    const applied = wallet?.putBack(amount, stamp, now) ?? false
    const remaining = wallet === undefined ? 0 : wallet.elsewhere + wallet.balance(now)
    const retryAfterMs = remaining > 0 ? 0 : Math.max(1, wallet?.pacedForMs(now) ?? 0)
    const resetMs = wallet?.resetMs(now) ?? 0
    return told(remaining > 0, applied, remaining, retryAfterMs, resetMs, NOTHING_TAKEN)
  }

  /** Adds to what is left there what is left here; for a look. */
  look(subject: string, { limit, amount }: StoreRequest, verdict: Verdict): Verdict {
    const wallet = walletOf(this.#wallets.get(subject) ?? [], limit)
    const balance = wallet?.balance(this.#read()) ?? 0
    if (balance === 0) return verdict
    const remaining = verdict.remaining + balance
    if (verdict.allowed || balance < amount) return { ...verdict, remaining }
    return { ...verdict, allowed: true, remaining, retryAfterMs: 0 }
  }

  /** One per request: how much to lease beside of what is about to be asked. */
  wantsOf(subject: string, requests: readonly StoreRequest[]): readonly number[] {
    const wallets = this.#wallets.get(subject)
    const now = this.#read()
    return requests.map(({ limit }) => {
      const wallet = wallets === undefined ? undefined : walletOf(wallets, limit)
      const wants = wallet?.wants(now) ?? 0
      if (wants > 0) wallet?.asked(now)
      return wants
    })
  }

  /** Whether anything is to be leased for what is asked, for who can't wait for it. */
  isWorthwhile(subject: string, { limit }: StoreRequest): boolean {
    const wallet = walletOf(this.#wallets.get(subject) ?? [], limit)
    const now = this.#read()
    return wallet?.runsLow(now, wallet.balance(now)) === true && wallet.wants(now) > 0
  }

  /** Takes in what was leased. Of leased policies, what is told then counts what is here. */
  learn(ask: BackendAsk, answer: BackendAnswer, sent: Moment): BackendAnswer {
    const wallets = this.#wallets.get(ask.subject)
    if (wallets === undefined) return answer
    const now = this.#read()
    const changed = this.#changes.since(ask.subject, sent.monotonic)
    const verdicts = answer.verdicts.map((verdict, at) => {
      const request = ask.requests[at]
      const wallet = request && walletOf(wallets, request.limit)
      if (wallet === undefined) return verdict
      const balance = wallet.balance(now)
      const wanted = ask.wants[at] ?? 0
      const grant = answer.leased[at]
      // Of what was asked before a reset nothing is told here, least of all that tokens are scarce.
      if (changed) {
        if (wanted > 0) wallet.failed(now)
      } else if (wanted > 0 && grant) wallet.deposit(grant, wanted, verdict, sent, now)
      else wallet.learn(verdict, 0, now)
      if (verdict.allowed) return { ...verdict, remaining: verdict.remaining + balance }
      if (wallet.limit.rule.shadow) return verdict
      const paceMs = Math.ceil(Math.min(wallet.paceMs, this.#options.mostPaceMs))
      return { ...verdict, retryAfterMs: Math.max(verdict.retryAfterMs, paceMs) }
    })
    return { ...answer, verdicts }
  }

  /** What was asked got no answer: what it may have leased is lost. */
  failed({ subject, requests, wants }: BackendAsk): void {
    const wallets = this.#wallets.get(subject) ?? []
    const now = this.#read()
    for (const [at, { limit }] of requests.entries()) {
      if ((wants[at] ?? 0) > 0) walletOf(wallets, limit)?.failed(now)
    }
  }

  /** Gives up what is here of this policy, or on its way. */
  drop(subject: string, limit: Limit): void {
    this.#changes.note(subject, this.#options.clocks.monotonic())
    const wallets = this.#wallets.get(subject)
    if (wallets === undefined) return
    this.#wallets.set(
      subject,
      wallets.filter((wallet) => wallet.limit !== limit),
    )
  }

  clear(): void {
    this.#wallets.clear()
  }

  #spendOne(
    subject: string,
    request: StoreRequest,
    wallet: Wallet | undefined,
    mayDeny: boolean,
  ): Verdict | undefined {
    if (wallet === undefined) return undefined
    const now = this.#now
    const stamp = wallet.spend(request.amount, now)
    const balance = wallet.balance(now)
    if (stamp === 0) {
      const waitMs = wallet.pacedForMs(now)
      if (waitMs === 0 || !mayDeny) return undefined
      return told(false, false, balance, waitMs, wallet.resetMs(now), NOTHING_TAKEN)
    }
    if (wallet.runsLow(now, balance)) this.#options.refill(subject, request)
    return told(true, true, wallet.elsewhere + balance, 0, wallet.resetMs(now), stamp)
  }

  #return(
    wallets: readonly Wallet[],
    requests: readonly StoreRequest[],
    verdicts: readonly Verdict[],
    now: Moment,
  ): readonly Verdict[] {
    return verdicts.map((verdict, at) => {
      const request = requests[at]
      if (request === undefined || !verdict.applied) return verdict
      walletOf(wallets, request.limit)?.putBack(request.amount, verdict.stamp, now)
      const remaining = verdict.remaining + request.amount
      return { ...verdict, applied: false, remaining, stamp: NOTHING_TAKEN }
    })
  }

  #note(subject: string, requests: readonly StoreRequest[], known: Wallet[] | undefined): Wallet[] {
    const wallets = known ?? []
    for (const { limit, amount } of requests) {
      const wallet = walletOf(wallets, limit) ?? this.#open(limit, wallets)
      wallet?.demand.note(amount, this.#now.monotonic)
    }
    if (known === undefined) this.#wallets.set(subject, wallets)
    return wallets
  }

  #open(limit: Limit, wallets: Wallet[]): Wallet | undefined {
    const terms = this.#termsOf(limit)
    if (terms === undefined) return undefined
    const wallet = new Wallet(limit, terms, this.#now.monotonic)
    wallets.push(wallet)
    return wallet
  }

  #termsOf(limit: Limit): QuotaLeaseTerms | undefined {
    const { rule } = limit
    if (rule.kind !== 'token-bucket' && rule.kind !== 'fixed-window') return undefined
    if (rule.precision === 'exact') return undefined
    const known = this.#terms.get(limit)
    if (known !== undefined) return known
    const terms = quotaLeaseTermsOf(rule)
    if (terms !== undefined) this.#terms.set(limit, terms)
    return terms
  }

  #read(): Moment {
    const { clocks } = this.#options
    this.#now.monotonic = clocks.monotonic()
    this.#now.wall = clocks.wall()
    return this.#now
  }
}

function walletOf(wallets: readonly Wallet[], limit: Limit): Wallet | undefined {
  for (const wallet of wallets) if (wallet.limit === limit) return wallet
  return undefined
}

function told(
  allowed: boolean,
  applied: boolean,
  remaining: number,
  retryAfterMs: number,
  resetMs: number,
  stamp: number,
): Verdict {
  return { allowed, applied, remaining, retryAfterMs, resetMs, source: 'lease', stamp }
}
