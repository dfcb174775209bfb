/** Who is calling, as far as the gateway could tell: what limits and logs go by. */
export interface Identity {
  readonly kind: 'key' | 'jwt' | 'oauth' | 'anonymous'
  /**
   * Stable, and unique among those of its kind: a key's `id`, or a token's user. Never a credential. Of
   * all that are anonymous it is the same, so it can't tell them apart.
   */
  readonly id: string
  /** The person or service that a token speaks for. */
  readonly user?: string
  /** The name of the tier its key or token gives it. */
  readonly tier?: string
  /** The session that a token belongs to (its `sid`). */
  readonly sessionId?: string
}

/** Whoever sent no credential where none is needed. */
export const anonymous: Identity = Object.freeze({ kind: 'anonymous', id: 'anonymous' })
