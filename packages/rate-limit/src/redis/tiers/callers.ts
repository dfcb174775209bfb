import { NOTHING_TAKEN, type StoreRequest, type Verdict } from '../../core/store.ts'
import type { BackendAnswer } from '../backend.ts'

/** Who waits for a decision. */
export interface Caller {
  readonly requests: readonly StoreRequest[]
  resolve(verdicts: readonly Verdict[]): void
  reject(error: unknown): void
}

/**
 * Those in front of the queue, in groups of neighbours that ask the same, `most` groups at most. Under a
 * shadow policy each is alone: how far it would have let them is told of each.
 */
export function groupsOf(queue: readonly Caller[], most: number): Caller[][] {
  const groups: Caller[][] = []
  for (const caller of queue) {
    const group = groups.at(-1)
    if (group?.[0] !== undefined && areOne(group[0], caller)) group.push(caller)
    else if (groups.length === most) break
    else groups.push([caller])
  }
  return groups
}

function areOne(one: Caller, other: Caller): boolean {
  return one.requests.every(
    ({ limit, amount }, at) => amount === other.requests[at]?.amount && !limit.rule.shadow,
  )
}

/** What the caller at this place (from 0) of a group of several is told. */
export function verdictsOfCaller(
  requests: readonly StoreRequest[],
  { admitted, verdicts }: BackendAnswer,
  place: number,
): readonly Verdict[] {
  if (place >= admitted) {
    return verdicts.map((verdict) => ({ ...verdict, applied: false, stamp: NOTHING_TAKEN }))
  }
  // The verdicts are those after the last admitted caller, also when the next one was denied.
  const after = admitted - place - 1
  return verdicts.map((verdict, at) => ({
    ...verdict,
    allowed: true,
    applied: true,
    remaining: verdict.remaining + after * (requests[at]?.amount ?? 0),
    retryAfterMs: 0,
  }))
}
