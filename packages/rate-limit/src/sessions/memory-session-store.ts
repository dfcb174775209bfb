import { hash } from 'node:crypto'
import { RateLimitError } from '../core/errors.ts'
import type { Session, SessionAnswer, SessionLimited } from './session.ts'
import { MAX_ENDED, type SessionStore, type SessionTouch } from './session-store.ts'

/** How {@link memorySessionStore} is made. */
export interface MemorySessionStoreOptions {
  /** How many sessions are remembered, over all users, ended ones among them. Default 100,000. */
  readonly maxSessions?: number | undefined
}

/** Sessions in this process's memory; it answers at once. */
export interface MemorySessionStore extends SessionStore {
  touch(user: string, touch: SessionTouch, now: number): SessionAnswer
  list(user: string, now: number): readonly Session[]
  end(user: string, handle: string | undefined, ttlMs: number, now: number): readonly Session[]
  /** How many sessions are remembered, ended ones among them. */
  readonly size: number
}

/**
 * A store in memory. It has no timers: what has lapsed is forgotten while others come. Beyond
 * `maxSessions` the users who have not been seen for longest are forgotten with all of theirs: their
 * sessions begin anew, and what of theirs was ended is refused no more.
 *
 * @throws RateLimitError `invalid_limit` for a `maxSessions` that isn't a whole number from 1.
 */
export function memorySessionStore({
  maxSessions = 100_000,
}: MemorySessionStoreOptions = {}): MemorySessionStore {
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
    const message = 'memorySessionStore: maxSessions must be a whole number from 1.'
    throw new RateLimitError('invalid_limit', message)
  }
  return new SessionTable(maxSessions)
}

/** A session that is open, or was and is refused. */
interface Entry extends Session {
  readonly endedAt: number | undefined
}

type Entries = Map<string, Entry>

/** Longer users are kept as a hash, which is one longer than any that is kept as it is. */
const LONGEST_USER = 64

class SessionTable implements MemorySessionStore {
  readonly #maxSessions: number
  /** Whoever was written last stands last. */
  readonly #byUser = new Map<string, Entries>()
  #size = 0

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions
  }

  get size(): number {
    return this.#size
  }

  touch(user: string, touch: SessionTouch, now: number): SessionAnswer {
    const entries = this.#current(user, now)
    const known = entries.get(touch.handle)
    if (known?.endedAt !== undefined) {
      return { allowed: false, reason: 'ended', endedAt: known.endedAt }
    }
    const refusal = known === undefined ? refusalOf(entries, touch.limit, now) : undefined
    if (refusal !== undefined) return refusal
    const lastSeenAt = Math.max(now, known?.lastSeenAt ?? now)
    const entry: Entry = {
      handle: touch.handle,
      createdAt: known?.createdAt ?? now,
      lastSeenAt,
      expiresAt: lastSeenAt + touch.ttlMs,
      client: touch.client ?? known?.client,
      endedAt: undefined,
    }
    this.#keep(user, entries, [entry], now)
    return { allowed: true, opened: known === undefined, session: sessionOf(entry) }
  }

  list(user: string, now: number): readonly Session[] {
    return openOf(this.#current(user, now)).map(sessionOf)
  }

  end(user: string, handle: string | undefined, ttlMs: number, now: number): readonly Session[] {
    const entries = this.#current(user, now)
    const ended = openOf(entries).filter((each) => handle === undefined || each.handle === handle)
    const tombs = ended.map((each) => ({ ...each, endedAt: now, expiresAt: now + ttlMs }))
    if (tombs.length > 0) this.#keep(user, entries, tombs, now)
    return ended.map(sessionOf)
  }

  /** What is known of a user, less what has lapsed. */
  #current(user: string, now: number): Entries {
    const key = keyOf(user)
    const entries = this.#byUser.get(key) ?? new Map<string, Entry>()
    for (const { handle, expiresAt } of entries.values()) {
      if (expiresAt <= now && entries.delete(handle)) this.#size -= 1
    }
    if (entries.size === 0) this.#byUser.delete(key)
    return entries
  }

  #keep(user: string, entries: Entries, changed: readonly Entry[], now: number): void {
    const key = keyOf(user)
    if (this.#byUser.delete(key)) this.#size -= entries.size
    for (const entry of changed) entries.set(entry.handle, entry)
    this.#byUser.set(key, entries)
    this.#size += entries.size
    this.#tidyUp(key, now)
  }

  // Twice as many are looked at as come, so that what has lapsed is gone in time.
  #tidyUp(own: string, now: number): void {
    let looks = 2
    for (const [key, entries] of this.#byUser) {
      if (key === own || (looks <= 0 && this.#size <= this.#maxSessions)) return
      looks -= 1
      const lapsed = [...entries.values()].every(({ expiresAt }) => expiresAt <= now)
      if (!lapsed && this.#size <= this.#maxSessions) return
      this.#byUser.delete(key)
      this.#size -= entries.size
    }
  }
}

function refusalOf(entries: Entries, limit: number, now: number): SessionLimited | undefined {
  const open = openOf(entries)
  const ended = [...entries.values()].filter(({ endedAt }) => endedAt !== undefined)
  if (open.length < limit && ended.length < MAX_ENDED) return undefined
  const retryAfterMs = Math.max(untilFewer(open, limit, now), untilFewer(ended, MAX_ENDED, now))
  return { allowed: false, reason: 'limit', limit, active: open.length, retryAfterMs }
}

/** How long it takes until fewer than `limit` are left. */
function untilFewer(entries: readonly Entry[], limit: number, now: number): number {
  const lapses = entries.map(({ expiresAt }) => expiresAt - now).sort((one, two) => one - two)
  return lapses[entries.length - limit] ?? 0
}

function openOf(entries: Entries): readonly Entry[] {
  return [...entries.values()].filter(({ endedAt }) => endedAt === undefined)
}

function sessionOf({ endedAt: _, ...session }: Entry): Session {
  return session
}

function keyOf(user: string): string {
  return user.length > LONGEST_USER ? `#${hash('sha256', user, 'hex')}` : user
}
