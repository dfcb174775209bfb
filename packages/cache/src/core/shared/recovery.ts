import type { Invalidator } from './invalidator.ts'
import type { Asking, Parts } from './parts.ts'
import type { Reader } from './reader.ts'

const MOST_KEYS = 100

/**
 * Does in the second tier what couldn't be done while it was away, before anything there is believed.
 * Rejects when it is away again; what wasn't done is owed as before.
 */
export async function payDebts(
  { debts, firstTier }: Parts,
  invalidator: Invalidator,
  reader: Reader,
  ask: Asking,
): Promise<void> {
  const taken = debts.take()
  try {
    // The epochs suffice: what they ended is swept by nobody, and goes by its ttl.
    for (const target of taken.others) await invalidator.invalidate(target, false, ask)
    const removed = [...taken.keys].flatMap(([key, debt]) => {
      return debt === 'removed' || firstTier.get(key) === undefined ? [key] : []
    })
    if (removed.length > 0) await invalidator.invalidate({ keys: removed }, false, ask)
    const gone = new Set(removed)
    const replaced = [...taken.keys.keys()].filter((key) => !gone.has(key))
    for (let at = 0; at < replaced.length; at += MOST_KEYS) {
      await replace(replaced.slice(at, at + MOST_KEYS), invalidator, reader, ask)
    }
  } catch (error) {
    debts.giveBack(taken)
    throw error
  }
}

/** Newest wins; where nothing may be believed any more, what is there isn't either. */
async function replace(
  keys: readonly string[],
  invalidator: Invalidator,
  reader: Reader,
  ask: Asking,
): Promise<void> {
  const found = await reader.read(keys, undefined, ask)
  const lost = keys.filter((_, at) => found[at]?.entry === undefined)
  if (lost.length > 0) await invalidator.invalidate({ keys: lost }, false, ask)
}
