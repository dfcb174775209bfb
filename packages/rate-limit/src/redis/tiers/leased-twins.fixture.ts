import { fixedWindow, tokenBucket } from '../../core/rules.ts'
import type { Limit, Store, StoreRequest } from '../../core/store.ts'

/** The store asked with every policy leased that can be. */
export function withLeases(store: Store): Store {
  const twins = new WeakMap<Limit, Limit>()
  const leased = (limit: Limit): Limit => {
    const { rule, policy } = limit
    if (rule.kind !== 'token-bucket' && rule.kind !== 'fixed-window') return limit
    const make = rule.kind === 'token-bucket' ? tokenBucket : fixedWindow
    const twin = twins.get(limit) ?? { policy, rule: make({ ...rule, precision: 'leased' }) }
    twins.set(limit, twin)
    return twin
  }
  const asLeased = (requests: readonly StoreRequest[]) =>
    requests.map((request) => ({ ...request, limit: leased(request.limit) }))
  return {
    decide: (subject, requests, now) => store.decide(subject, asLeased(requests), now),
    decideSync: (subject, requests, now) => store.decideSync?.(subject, asLeased(requests), now),
  }
}
