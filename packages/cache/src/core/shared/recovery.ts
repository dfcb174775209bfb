import type { KeyDebt } from './debts.ts'
import type { Invalidator } from './invalidator.ts'
import type { Asking, Parts } from './parts.ts'
import type { Reader } from './reader.ts'

const MOST_KEYS = 100

/**
 * Does in the second tier what couldn't be done while it was away, before anything there is believed.
 * Rejects when it is away again; what wasn't done is owed as before.
 */
export async function payDebts(
  parts: Parts,
  invalidator: Invalidator,
  reader: Reader,
  ask: Asking,
): Promise<void> {
  const taken = parts.debts.take()
  try {
    // The epochs suffice: what they ended is swept by nobody, and goes by its ttl.
    for (const target of taken.others) await invalidator.invalidate(target, false, ask)
    const removed = [...taken.keys].flatMap(([key, debt]) => (debt === 'removed' ? [key] : []))
    if (removed.length > 0) await invalidator.invalidate({ keys: removed }, false, ask)
    const replaced = [...taken.keys].filter(([, debt]) => debt !== 'removed')
    for (let at = 0; at < replaced.length; at += MOST_KEYS) {
      await replace(replaced.slice(at, at + MOST_KEYS), parts, invalidator, reader, ask)
    }
  } catch (error) {
    parts.debts.giveBack(taken)
    throw error
  }
}

/**
 * Newest wins. Where nothing may be believed any more, what is there isn't either; nor where a key was
 * removed before it was set anew, as what others made meanwhile may be of before that.
 */
async function replace(
  debts: readonly (readonly [string, KeyDebt])[],
  { firstTier }: Parts,
  invalidator: Invalidator,
  reader: Reader,
  ask: Asking,
): Promise<void> {
  const keys = debts.map(([key]) => key)
  const mine = keys.map((key) => firstTier.get(key))
  const found = await reader.read(keys, undefined, ask)
  const wins = (at: number) => {
    return mine[at] !== undefined && found[at]?.entry?.value === mine[at].value
  }
  const over = debts.flatMap(([key, debt], at) => {
    // What was set and is here no more can't be told from what others have.
    const kept = debt !== 'renewed' && mine[at] !== undefined
    const believed = kept ? found[at]?.entry !== undefined : wins(at)
    return believed ? [] : [key]
  })
  const beaten = keys.filter((_, at) => !wins(at))
  if (beaten.length > 0) firstTier.drop({ keys: beaten })
  if (over.length > 0) await invalidator.invalidate({ keys: over }, false, ask)
}
