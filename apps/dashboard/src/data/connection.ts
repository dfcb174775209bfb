import type { State } from './state.ts'

/** Without a new figure for so long, what is shown is no longer how it is. */
export const STALE_MS = 10_000

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'polling' }
  /** It answers, but with no new figures. */
  | { readonly kind: 'stale'; readonly sinceHere: number }
  /** It doesn't answer. */
  | { readonly kind: 'lost'; readonly sinceHere: number | null; readonly reason: string }

/** How the page hears of the gateway just now. */
export function connection(state: State): Connection {
  const { trouble, sampleHere, answeredHere, nowHere, streaming } = state
  if (trouble !== null) return { kind: 'lost', sinceHere: answeredHere, reason: trouble }
  if (answeredHere === null) return { kind: 'connecting' }
  if (sampleHere === null) {
    return nowHere - answeredHere > STALE_MS
      ? { kind: 'stale', sinceHere: answeredHere }
      : { kind: 'connecting' }
  }
  if (nowHere - sampleHere > STALE_MS) return { kind: 'stale', sinceHere: sampleHere }
  return { kind: streaming ? 'live' : 'polling' }
}

/** The gateway's clock. */
export function gatewayNow({ nowHere, skewMs }: State): number {
  return nowHere + skewMs
}
