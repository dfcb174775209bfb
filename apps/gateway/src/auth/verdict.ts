import type { Identity } from './identity.ts'

/** What a presented credential turned out to be. */
export type Verdict = Known | Refused | typeof unknown

/** It is good: whose it is. */
export interface Known {
  readonly kind: 'known'
  readonly identity: Identity
}

/** It is one of this gateway's to judge, and it is no good. */
type Refused =
  | {
      readonly kind: 'rejected'
      readonly reason: TokenFault
      /** Whether it was once given by who vouches for it, such as one that has expired: no guess. */
      readonly genuine: boolean
    }
  | { readonly kind: 'insufficient'; readonly lacks: readonly string[]; readonly scope: string }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number }

export type TokenFault =
  | 'malformed'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'expired'
  | 'not_yet_valid'
  | 'audience'
  | 'claim'
  | 'nobody'
  | 'inactive'

/** Nobody here knows it: it may be another's. */
export const unknown = { kind: 'unknown' } as const

/** Judges the tokens of one source. */
export interface TokenVerifier {
  /** What is known of the token already, without any work that an attacker could cause. */
  recall(token: string): Known | undefined
  verify(token: string): Verdict | Promise<Verdict>
}
