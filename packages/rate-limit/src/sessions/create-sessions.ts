import { InvalidRequestError, RateLimitError } from '../core/errors.ts'
import { ConfirmedTouches } from './confirmed-touches.ts'
import { memorySessionStore } from './memory-session-store.ts'
import type {
  Session,
  SessionAllowed,
  SessionAnswer,
  SessionEnded,
  SessionLimited,
} from './session.ts'
import { newSessionId, sessionHandle } from './session-id.ts'
import type { SessionStore } from './session-store.ts'

/** How {@link createSessions} is told what to do. */
export interface SessionsOptions {
  /** Where they are kept. Default: a `memorySessionStore()` of its own. */
  readonly store?: SessionStore | undefined
  /**
   * How long a session stays open without being touched, and how long an ended one is refused. Whole
   * milliseconds, up to a year. Default 3,600,000.
   */
  readonly ttlMs?: number | undefined
  /** How many sessions of one user may be open at a time, up to 1,000. Default 5. */
  readonly maxPerUser?: number | undefined
  /**
   * For so many milliseconds from a touch that the store allowed, further ones of the same session in
   * this process are answered without asking the store again. So long a session that was ended in another
   * process may go on in this one; one that was ended here is refused at once. Never longer than a
   * twentieth of `ttlMs`. Default 0: the store is always asked.
   */
  readonly confirmedForMs?: number | undefined
  /**
   * Milliseconds since 1970 (UTC). Default: the time of the process's start and what has passed since by
   * the monotonic clock. Stores that are shared use their own.
   */
  readonly now?: (() => number) | undefined
  /** Told what was opened, refused and ended; renewals aren't told. What it throws is ignored. */
  readonly onEvent?: ((event: SessionEvent) => void) | undefined
}

/** What `onEvent` is told. */
export type SessionEvent =
  | { readonly type: 'opened' | 'ended'; readonly user: string; readonly session: Session }
  | {
      readonly type: 'refused'
      readonly user: string
      readonly handle: string
      readonly answer: SessionLimited | SessionEnded
    }

/** What may be known of a session that is opened or renewed. */
export interface SessionInfo {
  /** What its user knows it by, such as a `User-Agent`. Cut after 256 characters. */
  readonly client?: string | undefined
}

/** A session that was opened, with its id. */
export interface OpenedSession extends SessionAllowed {
  /** A secret of the user's: whoever has it is this session. It can't be had again. */
  readonly id: string
}

/**
 * The sessions of users: each is opened by its first touch, renewed by every other one, and lapses when
 * it isn't touched for `ttlMs`. An id may be a secret: the store is told its {@link Session.handle} only.
 *
 * A refusal is a value. What is rejected with is a fault: the store's own errors, or an
 * `InvalidRequestError` for a user or id that is empty or longer than 1,024 characters.
 */
export interface Sessions {
  readonly ttlMs: number
  readonly maxPerUser: number
  /** Opens the session with this id, or renews it. */
  touch(user: string, id: string, info?: SessionInfo): Promise<SessionAnswer>
  /** Opens a session with an id of its own: 192 random bits, safe in URLs and headers. */
  open(user: string, info?: SessionInfo): Promise<OpenedSession | SessionLimited>
  /** The user's open sessions, the oldest first. */
  list(user: string): Promise<readonly Session[]>
  /** One of them by its handle. */
  get(user: string, handle: string): Promise<Session | undefined>
  /** Ends one: its id is refused for `ttlMs` from now. `undefined` when none with this handle is open. */
  end(user: string, handle: string): Promise<Session | undefined>
  /** Ends all that are open. */
  endAll(user: string): Promise<readonly Session[]>
  /** The handle that the session of this id has, whether there is one or not. */
  handleOf(user: string, id: string): string
}

const YEAR_MS = 366 * 86_400_000

/**
 * Makes the sessions of an application.
 *
 * @throws RateLimitError `invalid_limit` for a `ttlMs`, `maxPerUser` or `confirmedForMs` out of its range.
 */
export function createSessions(options: SessionsOptions = {}): Sessions {
  return new StoreSessions(options)
}

class StoreSessions implements Sessions {
  readonly ttlMs: number
  readonly maxPerUser: number
  readonly #store: SessionStore
  readonly #confirmed: ConfirmedTouches
  readonly #now: () => number
  readonly #onEvent: ((event: SessionEvent) => void) | undefined

  constructor(options: SessionsOptions) {
    this.ttlMs = checked('ttlMs', options.ttlMs ?? 3_600_000, 1, YEAR_MS)
    this.maxPerUser = checked('maxPerUser', options.maxPerUser ?? 5, 1, 1_000)
    const confirmedForMs = checked('confirmedForMs', options.confirmedForMs ?? 0, 0, YEAR_MS)
    this.#confirmed = new ConfirmedTouches(Math.min(confirmedForMs, this.ttlMs / 20))
    this.#store = options.store ?? memorySessionStore()
    const now = options.now ?? sinceStart
    this.#now = () => Math.floor(now())
    this.#onEvent = options.onEvent
  }

  async touch(user: string, id: string, info: SessionInfo = {}): Promise<SessionAnswer> {
    const handle = this.handleOf(user, id)
    const now = this.#now()
    return this.#confirmed.touch(handle, now, () => this.#ask(user, handle, info, now))
  }

  async open(user: string, info: SessionInfo = {}): Promise<OpenedSession | SessionLimited> {
    const id = newSessionId()
    const answer = await this.touch(user, id, info)
    if (answer.allowed) return { ...answer, id }
    if (answer.reason === 'limit') return answer
    throw new TypeError('The store says of a fresh session that it was ended.')
  }

  async list(user: string): Promise<readonly Session[]> {
    const sessions = await this.#store.list(checkText('user', user), this.#now())
    return [...sessions].sort(byAge)
  }

  async get(user: string, handle: string): Promise<Session | undefined> {
    return (await this.list(user)).find((session) => session.handle === handle)
  }

  async end(user: string, handle: string): Promise<Session | undefined> {
    const [ended] = await this.#end(user, handle)
    return ended
  }

  async endAll(user: string): Promise<readonly Session[]> {
    return [...(await this.#end(user, undefined))].sort(byAge)
  }

  handleOf(user: string, id: string): string {
    return sessionHandle(checkText('user', user), checkText('session id', id))
  }

  async #ask(
    user: string,
    handle: string,
    { client }: SessionInfo,
    now: number,
  ): Promise<SessionAnswer> {
    const touch = {
      handle,
      client: client === undefined || client === '' ? undefined : brief(client),
      ttlMs: this.ttlMs,
      limit: this.maxPerUser,
    }
    const answer = await this.#store.touch(user, touch, now)
    if (!answer.allowed) this.#report({ type: 'refused', user, handle, answer })
    else if (answer.opened) this.#report({ type: 'opened', user, session: answer.session })
    return answer
  }

  async #end(user: string, handle: string | undefined): Promise<readonly Session[]> {
    checkText('user', user)
    try {
      const ended = await this.#store.end(user, handle, this.ttlMs, this.#now())
      for (const session of ended) {
        this.#confirmed.forget(session.handle)
        this.#report({ type: 'ended', user, session })
      }
      return ended
    } catch (error) {
      // It may have been ended all the same: the store has to be asked.
      this.#confirmed.forget(handle)
      throw error
    }
  }

  #report(event: SessionEvent): void {
    try {
      this.#onEvent?.(event)
    } catch {
      // An observer that fails doesn't undo what was done.
    }
  }
}

function checked(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  const message = `createSessions: ${name} must be a whole number from ${least} to ${most}.`
  throw new RateLimitError('invalid_limit', message)
}

const LONGEST = 1_024
const LONGEST_CLIENT = 256

function checkText(what: string, text: string): string {
  if (typeof text === 'string' && text !== '' && text.length <= LONGEST) return text
  throw new InvalidRequestError(`A ${what} is text of 1 to ${LONGEST} characters.`)
}

function byAge(one: Session, two: Session): number {
  return one.createdAt - two.createdAt || (one.handle < two.handle ? -1 : 1)
}

function sinceStart(): number {
  return performance.timeOrigin + performance.now()
}

/** A copy of the beginning: a mere slice would keep all of the text in memory for as long as itself. */
function brief(text: string): string {
  return Buffer.from(text.slice(0, LONGEST_CLIENT)).toString()
}
