/** One open session, as it may be shown: its id is not in it. */
export interface Session {
  /**
   * The session's public name: 22 letters, digits, `-` and `_`, made of the user and a hash of the id. It
   * ends a session and opens none.
   */
  readonly handle: string
  /** Milliseconds since 1970 (UTC), as the others. */
  readonly createdAt: number
  readonly lastSeenAt: number
  /** When it lapses unless it is renewed. */
  readonly expiresAt: number
  /** What its user calls it, or what it was opened with, such as a `User-Agent`. */
  readonly client: string | undefined
}

/** The session is open: it was renewed, or there was room for it. */
export interface SessionAllowed {
  readonly allowed: true
  /** Whether it is new. */
  readonly opened: boolean
  readonly session: Session
}

/** There is no room for another session of this user. */
export interface SessionLimited {
  readonly allowed: false
  readonly reason: 'limit'
  readonly limit: number
  /** How many are open. Less than `limit` only while as many as are remembered were ended. */
  readonly active: number
  /** When there is room, in milliseconds, if none is renewed; sooner when one is ended. */
  readonly retryAfterMs: number
}

/** The session was ended: its id is refused for as long as that is remembered. */
export interface SessionEnded {
  readonly allowed: false
  readonly reason: 'ended'
  readonly endedAt: number
}

/** What a touch is answered with. A refusal is a value, never thrown. */
export type SessionAnswer = SessionAllowed | SessionLimited | SessionEnded
