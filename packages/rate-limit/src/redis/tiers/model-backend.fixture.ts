import { capacityOf } from '../../core/rules.ts'
import { NOTHING_TAKEN, type StoreRequest, type Verdict } from '../../core/store.ts'
import type { Backend, BackendAnswer, BackendAsk } from '../backend.ts'
import { type ModelMeter, modelMeter } from './model-meters.fixture.ts'

/** What was admitted, when it was decided. */
export interface ModelAdmission {
  readonly subject: string
  readonly policy: string
  readonly at: number
  readonly cost: number
}

/** The rules by which Redis decides, as plainly as can be: every caller one by one, every lease by hand. */
export class ModelBackend implements Backend {
  readonly #now: () => number
  readonly #trueTime: () => number
  readonly #meters = new Map<string, ModelMeter>()
  /** Every ask that was decided. */
  readonly asks: BackendAsk[] = []
  /** Every call, by how many asks it had. */
  readonly calls: number[] = []
  readonly admissions: ModelAdmission[] = []

  /**
   * @param now its clock, in whole milliseconds.
   * @param trueTime by which admissions are recorded, should its clock be wrong.
   */
  constructor(now: () => number, trueTime: () => number = now) {
    this.#now = now
    this.#trueTime = trueTime
  }

  decide(asks: readonly BackendAsk[]): readonly Promise<BackendAnswer>[] {
    return this.decideNow(asks).map(async (answer) => answer)
  }

  decideNow(asks: readonly BackendAsk[]): readonly BackendAnswer[] {
    this.calls.push(asks.length)
    return asks.map((ask) => this.#answer(ask))
  }

  #answer(ask: BackendAsk): BackendAnswer {
    this.asks.push(ask)
    let admitted = 0
    let stamps: readonly (number | undefined)[] = []
    let verdicts = this.#one(ask)
    while (isAdmitted(ask.requests, verdicts)) {
      admitted += 1
      this.#record(ask, verdicts)
      if (admitted === ask.count) break
      stamps = verdicts.map(({ stamp }) => stamp)
      const next = this.#one(ask)
      verdicts = next.map((verdict, at) => ({
        ...verdict,
        stamp: verdict.applied ? verdict.stamp : (stamps[at] ?? verdict.stamp),
      }))
    }
    const leases = admitted === ask.count
    const leased = ask.requests.map((request, at) => {
      const want = ask.wants[at] ?? 0
      const model = this.#meter(ask.subject, request)
      return leases && want > 0 ? model.lease(want, this.#now()) : { amount: 0, ttlMs: 0 }
    })
    return { admitted, verdicts, leased }
  }

  #one({ subject, requests }: BackendAsk): readonly Verdict[] {
    const waits = requests.map((request) => this.#wait(subject, request))
    const admitted = requests.every(
      ({ action, limit }, at) => action !== 'take' || limit.rule.shadow || waits[at] === 0,
    )
    return requests.map((request, at) => this.#carryOut(subject, request, waits[at] ?? 0, admitted))
  }

  #wait(subject: string, request: StoreRequest): number {
    const { meter } = this.#meter(subject, request)
    meter.advance(this.#now())
    if (request.action !== 'take' && request.action !== 'peek') return 0
    if (request.amount > capacityOf(request.limit.rule)) return Number.POSITIVE_INFINITY
    return Math.max(0, meter.waitMs(request.amount, request.id))
  }

  #carryOut(subject: string, request: StoreRequest, wait: number, admitted: boolean): Verdict {
    const before = this.#meter(subject, request).meter
    const isNew = request.id === undefined || !before.holds(request.id)
    const applied = this.#apply(subject, request, wait, admitted)
    const { meter } = this.#meter(subject, request)
    const asked = request.action === 'take' || request.action === 'peek'
    const waitMs = asked ? wait : Math.max(0, meter.waitMs(1))
    return {
      allowed: waitMs === 0,
      applied,
      remaining: meter.remaining(),
      retryAfterMs: waitMs,
      resetMs: Math.max(0, meter.resetMs()),
      source: 'model',
      stamp: applied && isNew && request.action === 'take' ? meter.stamp() : NOTHING_TAKEN,
    }
  }

  #apply(subject: string, request: StoreRequest, wait: number, admitted: boolean): boolean {
    const { action, amount, id = '', estimate = 0, stamp = NOTHING_TAKEN } = request
    const { meter } = this.#meter(subject, request)
    switch (action) {
      case 'peek':
        return false
      case 'take':
        if (admitted && wait === 0) meter.take(amount, request.id)
        return admitted && wait === 0
      case 'penalty':
        meter.take(amount)
        return true
      case 'block':
        meter.block(amount)
        return true
      case 'reset':
        return this.#meters.delete(keyOf(subject, request))
      case 'renew':
        return meter.renew(id)
      case 'release':
        return meter.release(id)
      case 'settle':
        return meter.settle(id, amount, estimate)
      case 'refund':
        return meter.refund(amount, stamp)
    }
  }

  #meter(subject: string, request: StoreRequest): ModelMeter {
    const key = keyOf(subject, request)
    const known = this.#meters.get(key) ?? modelMeter(request.limit.rule, this.#now())
    this.#meters.set(key, known)
    return known
  }

  #record({ subject, requests }: BackendAsk, verdicts: readonly Verdict[]): void {
    for (const [at, { action, amount, limit }] of requests.entries()) {
      if (action !== 'take' || verdicts[at]?.applied !== true) continue
      this.admissions.push({ subject, policy: limit.policy, at: this.#trueTime(), cost: amount })
    }
  }
}

function isAdmitted(requests: readonly StoreRequest[], verdicts: readonly Verdict[]): boolean {
  return requests.every(
    ({ action, limit }, at) => action !== 'take' || limit.rule.shadow || verdicts[at]?.allowed,
  )
}

function keyOf(subject: string, { limit }: StoreRequest): string {
  return `${limit.policy}\n${subject}`
}
