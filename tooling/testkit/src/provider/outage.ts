import type { Behaviour } from './behaviour.ts'

/**
 * How a whole provider is out of order.
 *
 * - `refuse`: nobody listens, and what was connected is cut.
 * - `reset`: every request is met with a connection reset (RST).
 * - `silent`: requests are taken and never answered.
 * - `unavailable`: 503 to everything.
 */
export type Outage = 'refuse' | 'reset' | 'silent' | 'unavailable'

export const outages: readonly Outage[] = ['refuse', 'reset', 'silent', 'unavailable']

/** What an outage makes of a request that still arrives. */
export const outageBehaviours: Readonly<Record<Outage, Behaviour>> = {
  refuse: { fault: { kind: 'reset', at: 'before-headers' } },
  reset: { fault: { kind: 'reset', at: 'before-headers' } },
  silent: { fault: { kind: 'stall', at: 'before-headers' } },
  unavailable: { status: 503 },
}
