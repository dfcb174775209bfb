import { InvalidRequestError } from './errors.ts'
import { type Asked, checkAmount, isReservation } from './policies.ts'
import type { StoreRequest, Verdict } from './store.ts'

/**
 * What an admission holds: slots and reservations. Disposing of it (`await using`) releases it. After a
 * release everything is a no-op that answers false.
 */
export interface Lease<Name extends string = string> extends AsyncDisposable {
  /** Under which the slots and reservations are held. */
  readonly id: string
  /**
   * The heartbeat: everything held lives for its `ttlMs` from now. False: some of it had lapsed. While the
   * store is away it is true, as nothing is known to have lapsed.
   */
  renew(): Promise<boolean>
  /**
   * Replaces the estimate of a reservation by the actual amount, a whole number from 0. The rest comes
   * back; what is beyond the estimate is charged. False: it had lapsed, or the store is away, and the
   * estimate stays charged; or it was settled before.
   *
   * @param policy which budget; needed only when several were reserved. Where several subjects have it, all
   *   of them are settled.
   * @throws InvalidRequestError when nothing was reserved of that policy.
   */
  settle(actual: number, policy?: Name): Promise<boolean>
  /** For what never took place: settles with 0 whatever isn't settled, and frees the slots. */
  refund(): Promise<boolean>
  /**
   * Frees the slots and goes on holding what was reserved, to be settled later: for work whose amount is
   * known only after whoever waited for it has gone. False: no slot was held any more.
   */
  free(): Promise<boolean>
  /** Frees the slots. What was reserved and never settled stays charged as estimated. */
  release(): Promise<boolean>
}

/** Carries out requests for a subject as one step, at once where the store can. */
export type Ask = (
  subject: string,
  requests: readonly StoreRequest[],
) => readonly Verdict[] | Promise<readonly Verdict[]>

/** A slot or a reservation of a subject. */
export interface Held<Name extends string> {
  readonly subject: string
  readonly asked: Asked<Name>
}

/** Open where nothing is held: nothing is ever put into it. */
const NOTHING = new Set<never>()

export class StoreLease<Name extends string> implements Lease<Name> {
  readonly id: string
  readonly #ask: Ask
  readonly #held: readonly Held<Name>[]
  readonly #open: Set<Held<Name>>

  constructor(id: string, held: readonly Held<Name>[], ask: Ask) {
    this.id = id
    this.#ask = ask
    this.#held = held
    this.#open = held.length === 0 ? NOTHING : new Set(held)
  }

  renew(): Promise<boolean> {
    return this.#tell([...this.#open], 'renew')
  }

  async settle(actual: number, policy?: Name): Promise<boolean> {
    const amount = checkAmount(actual, Number.MAX_SAFE_INTEGER)
    const reservations = this.#held.filter(({ asked }) => isReservation(asked.limit))
    const named = reservations.filter(({ asked }) => (policy ?? nameOf(asked)) === nameOf(asked))
    const names = new Set(named.map(({ asked }) => nameOf(asked)))
    if (names.size !== 1) {
      const reserved = reservations.map(({ asked }) => nameOf(asked)).join(', ') || 'none'
      throw new InvalidRequestError(`settle: name one of the reserved policies (${reserved}).`)
    }
    // Before the answer, so that nothing is settled twice, not even beside a call that fails.
    return this.#tell(
      named.filter((held) => this.#open.delete(held)),
      'settle',
      amount,
    )
  }

  refund(): Promise<boolean> {
    return this.#end('settle')
  }

  free(): Promise<boolean> {
    const slots = [...this.#open].filter(({ asked }) => !isReservation(asked.limit))
    for (const slot of slots) this.#open.delete(slot)
    return this.#tell(slots, 'release')
  }

  release(): Promise<boolean> {
    return this.#end('release')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  #end(ofReservations: 'settle' | 'release'): Promise<boolean> {
    const ended = [...this.#open]
    this.#open.clear()
    return this.#tell(ended, ofReservations)
  }

  /** One step for each subject; slots know no settlement and are released instead. */
  async #tell(
    told: readonly Held<Name>[],
    action: 'renew' | 'release' | 'settle',
    amount = 0,
  ): Promise<boolean> {
    if (told.length === 0) return false
    const bySubject = Map.groupBy(told, ({ subject }) => subject)
    const answers = await Promise.all(
      [...bySubject].map(([subject, held]) =>
        this.#ask(
          subject,
          held.map(({ asked: { limit, amount: estimate } }) => ({
            limit,
            action: action === 'settle' && !isReservation(limit) ? 'release' : action,
            amount,
            id: this.id,
            estimate,
          })),
        ),
      ),
    )
    return answers.every((verdicts) => verdicts.every(({ applied }) => applied))
  }
}

function nameOf<Name extends string>({ limit }: Asked<Name>): Name {
  return limit.policy
}
