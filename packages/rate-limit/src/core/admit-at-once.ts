import type { Admission, SubjectRequests } from './admission.ts'
import { type Decision, decisionOf, outcomeOf } from './decision.ts'
import { type Ask, StoreLease } from './lease.ts'
import type { InMemory } from './memory-store.ts'
import type { Asked, Policies } from './policies.ts'
import type { Verdict } from './store.ts'
import { undoing } from './undoing.ts'

/** What {@link admitAtOnce} works with. */
export interface AtOnce<Name extends string> {
  readonly policies: Policies<Name>
  readonly store: InMemory
  readonly newId: () => string
  readonly ask: Ask
}

/**
 * What most acquisitions come to: a policy for each subject, nothing held, in memory, and all allow.
 * `undefined` when it is anything else, and then nothing was charged. It says what `acquireInOrder` would
 * at less than half the price.
 */
export function admitAtOnce<Name extends string>(
  asks: readonly SubjectRequests<Name>[],
  now: number,
  { policies, store, newId, ask }: AtOnce<Name>,
): Admission<Name> | undefined {
  const charges: Asked<Name>[] = []
  for (const { subject, requests } of asks) {
    const charge = policies.plainCharge(requests)
    if (charge === undefined || typeof subject !== 'string' || subject === '') return undefined
    charges.push(charge)
  }
  const verdicts: Verdict[] = []
  const decisions: Decision<Name>[] = []
  for (let at = 0; at < charges.length; at += 1) {
    const [charge, subject] = [charges[at], asks[at]?.subject]
    if (charge === undefined || subject === undefined) return undefined
    const verdict = store.take(charge, subject, now)
    const decision = decisionOf(charge.limit, verdict)
    if (!decision.allowed && !decision.shadow) {
      giveBack(asks, charges, verdicts, store, now)
      return undefined
    }
    verdicts.push(verdict)
    decisions.push(decision)
  }
  return { ...outcomeOf(decisions), allowed: true, lease: new StoreLease(newId(), [], ask) }
}

function giveBack<Name extends string>(
  asks: readonly SubjectRequests<Name>[],
  charges: readonly Asked<Name>[],
  verdicts: readonly Verdict[],
  store: InMemory,
  now: number,
): void {
  for (const [at, verdict] of verdicts.entries()) {
    const [charge, subject] = [charges[at], asks[at]?.subject]
    const request = charge && undoing(charge, verdict)
    if (request !== undefined && subject !== undefined) store.decide(subject, [request], now)
  }
}
