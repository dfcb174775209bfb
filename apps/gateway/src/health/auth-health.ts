import type { Callers } from '../auth/callers.ts'
import type { Component } from './component.ts'
import { isoOrNull } from './iso.ts'

/** Whose tokens can be verified: with old keys they still can, without any nobody's. */
export function authHealth({ signingKeys }: Callers): Component {
  const issuers = signingKeys.map(({ issuer, keys, fetchedAt, lastFault }) => ({
    issuer,
    status: keys === 0 ? 'unhealthy' : lastFault === undefined ? 'healthy' : 'degraded',
    keys,
    fetched_at: isoOrNull(fetchedAt),
    last_fault: lastFault ?? null,
  }))
  const worst = (['unhealthy', 'degraded'] as const).find((status) =>
    issuers.some((each) => each.status === status),
  )
  return { status: worst ?? 'healthy', checked_at: new Date().toISOString(), issuers }
}
