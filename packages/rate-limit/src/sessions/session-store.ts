import type { Session, SessionAnswer } from './session.ts'

/**
 * How many ended sessions of one user are remembered. With as many, none is opened until the first of
 * them is forgotten: were one displaced instead, whoever was thrown out could come back by opening and
 * ending sessions.
 */
export const MAX_ENDED = 256

/** What a store is asked to open or renew. */
export interface SessionTouch {
  readonly handle: string
  /** Replaces what is known unless it is undefined. */
  readonly client: string | undefined
  /** How long it stays open without being touched again. */
  readonly ttlMs: number
  /** How many of this user may be open at a time. */
  readonly limit: number
}

/**
 * Where sessions are kept: by user, each call as one step. A store that can't answer rejects. Sessions
 * and ended ones whose time has come are as if they had never been, without anybody's doing.
 *
 * `now` is given in whole milliseconds since 1970; a store that is shared goes by a clock of its own.
 */
export interface SessionStore {
  /**
   * Renews the session if it is open, else refuses it if it was ended, else opens it if fewer than `limit`
   * are open and fewer than {@link MAX_ENDED} ended ones are remembered. What is refused changes nothing.
   */
  touch(user: string, touch: SessionTouch, now: number): SessionAnswer | Promise<SessionAnswer>
  /** The user's open sessions, in any order. */
  list(user: string, now: number): readonly Session[] | Promise<readonly Session[]>
  /**
   * Ends one session, or all when `handle` is undefined, and refuses their ids for `ttlMs` from now.
   * Answers with those that were open until then.
   */
  end(
    user: string,
    handle: string | undefined,
    ttlMs: number,
    now: number,
  ): readonly Session[] | Promise<readonly Session[]>
}
