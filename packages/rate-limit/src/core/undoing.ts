import { isReservation } from './policies.ts'
import { NOTHING_TAKEN, type StoreRequest, type Verdict } from './store.ts'

/** What undoes a `take`; `undefined` when that took nothing, as of an id that held it already. */
export function undoing(
  { limit, amount, id }: Pick<StoreRequest, 'limit' | 'amount' | 'id'>,
  { applied = false, stamp = NOTHING_TAKEN }: Partial<Verdict> = {},
): StoreRequest | undefined {
  if (!applied || stamp === NOTHING_TAKEN) return undefined
  if (id === undefined) return { limit, action: 'refund', amount, stamp }
  if (isReservation(limit)) return { limit, action: 'settle', amount: 0, id, estimate: amount }
  return { limit, action: 'release', amount: 0, id }
}
