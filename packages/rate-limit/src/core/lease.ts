import { InvalidRequestError } from './errors.ts'
import { type Asked, checkAmount } from './policies.ts'
import type { StoreRequest, Verdict } from './store.ts'

/**
 * What an admission holds: slots and reservations. Disposing of it (`await using`) releases it. After a
 * release everything is a no-op that answers false.
 */
export interface Lease<Name extends string = string> extends AsyncDisposable {
  /** Under which the slots and reservations are held. */
  readonly id: string
  /** The heartbeat: everything held lives for its `ttlMs` from now. False: some of it had lapsed. */
  renew(): Promise<boolean>
  /**
   * Replaces the estimate of a reservation by the actual amount, a whole number from 0. The rest comes
   * back; what is beyond the estimate is charged. False: it had lapsed, and the estimate stays charged,
   * or it was settled before.
   *
   * @param policy which budget; needed only when several were reserved.
   * @throws InvalidRequestError when nothing was reserved of that policy.
   */
  settle(actual: number, policy?: Name): Promise<boolean>
  /** For what never took place: settles with 0 whatever isn't settled, and frees the slots. */
  refund(): Promise<boolean>
  /** Frees the slots. What was reserved and never settled stays charged as estimated. */
  release(): Promise<boolean>
}

/** Carries out requests for the subject of the lease. */
export type Ask = (requests: readonly StoreRequest[]) => Promise<readonly Verdict[]>

export class StoreLease<Name extends string> implements Lease<Name> {
  readonly id: string
  readonly #ask: Ask
  readonly #reserved: readonly Asked<Name>[]
  readonly #open: Set<Asked<Name>>

  constructor(id: string, held: readonly Asked<Name>[], ask: Ask) {
    this.id = id
    this.#ask = ask
    this.#reserved = held.filter(isReservation)
    this.#open = new Set(held)
  }

  renew(): Promise<boolean> {
    return this.#tell([...this.#open].map((held) => this.#request(held, 'renew')))
  }

  async settle(actual: number, policy?: Name): Promise<boolean> {
    const amount = checkAmount(actual, Number.MAX_SAFE_INTEGER)
    const named = this.#reserved.filter(({ limit }) => (policy ?? limit.policy) === limit.policy)
    const [held] = named
    if (held === undefined || named.length > 1) {
      const names = this.#reserved.map(({ limit }) => limit.policy).join(', ') || 'none'
      throw new InvalidRequestError(`settle: name one of the reserved policies (${names}).`)
    }
    // Before the answer, so that nothing is settled twice, not even beside a call that fails.
    if (!this.#open.delete(held)) return false
    return this.#tell([this.#request(held, 'settle', amount)])
  }

  refund(): Promise<boolean> {
    return this.#end((held) => this.#request(held, isReservation(held) ? 'settle' : 'release'))
  }

  release(): Promise<boolean> {
    return this.#end((held) => this.#request(held, 'release'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  #end(request: (held: Asked<Name>) => StoreRequest): Promise<boolean> {
    const requests = [...this.#open].map(request)
    this.#open.clear()
    return this.#tell(requests)
  }

  #request(
    { limit, amount: estimate }: Asked<Name>,
    action: 'renew' | 'release' | 'settle',
    amount = 0,
  ): StoreRequest {
    return { limit, action, amount, id: this.id, estimate }
  }

  async #tell(requests: readonly StoreRequest[]): Promise<boolean> {
    if (requests.length === 0) return false
    const verdicts = await this.#ask(requests)
    return verdicts.every(({ applied }) => applied)
  }
}

function isReservation({ limit }: StoreRequest): boolean {
  return limit.rule.kind === 'budget'
}
