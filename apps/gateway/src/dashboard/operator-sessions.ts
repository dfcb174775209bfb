import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '@tidegate/config'
import { sessionTokens } from './cookie.ts'

/** How long an operator is known. */
export const SESSION_MS = 12 * 3_600_000

/** Its end in seconds since 1970 (base 36), 16 random bytes, and the signature of both. */
const TOKEN = /^([0-9a-z]{1,9}\.[\w-]{22})\.([\w-]{43})$/

/** How many sessions are remembered as ended. */
const MOST_ENDED = 10_000

/** A session that has been proved. */
export interface OperatorSession {
  /** What tells it from others. No secret. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * Knows operators by a token that the admin key has signed: so every gateway with that key takes it, none has
 * to keep it, and another key ends all of them. One that was ended by hand isn't taken again by this process;
 * others take it until it expires, if somebody has kept a copy.
 */
export class OperatorSessions {
  readonly #key: Secret
  readonly #now: () => number
  readonly #ended = new Map<string, number>()
  #signing: Promise<Buffer> | undefined

  /** `now`: milliseconds since 1970. */
  constructor(key: Secret, now: () => number = Date.now) {
    this.#key = key
    this.#now = now
  }

  /** Begins a session. */
  async begin(): Promise<string> {
    const expiresAt = Math.floor((this.#now() + SESSION_MS) / 1000)
    const id = `${expiresAt.toString(36)}.${randomBytes(16).toString('base64url')}`
    return `${id}.${await this.#sign('session', id)}`
  }

  /** The session that a `Cookie` header speaks of, if it is one and goes on. */
  async find(cookies: string | undefined): Promise<OperatorSession | undefined> {
    for (const token of sessionTokens(cookies)) {
      const [, id, signature] = TOKEN.exec(token) ?? []
      if (id === undefined || signature === undefined) continue
      const expiresAt = Number.parseInt(id, 36) * 1000
      if (expiresAt <= this.#now() || this.#ended.has(id)) continue
      if (isSame(signature, await this.#sign('session', id))) return { id, expiresAt }
    }
    return undefined
  }

  /** What only a page that may read answers of this origin can know of a session. */
  async csrfTokenOf({ id }: OperatorSession): Promise<string> {
    return await this.#sign('csrf', id)
  }

  async isCsrfToken(session: OperatorSession, presented: string): Promise<boolean> {
    return isSame(presented, await this.csrfTokenOf(session))
  }

  end({ id, expiresAt }: OperatorSession): void {
    const now = this.#now()
    for (const [other, until] of this.#ended) {
      if (until > now && this.#ended.size < MOST_ENDED) break
      this.#ended.delete(other)
    }
    this.#ended.set(id, expiresAt)
  }

  async #sign(purpose: 'session' | 'csrf', id: string): Promise<string> {
    // Slow to derive: whoever got hold of a token could otherwise try many admin keys on it a second.
    this.#signing ??= derive(
      this.#key.reveal(),
      'tidegate operator sessions v1',
      32,
    ) as Promise<Buffer>
    return createHmac('sha256', await this.#signing)
      .update(`${purpose} ${id}`)
      .digest('base64url')
  }
}

const derive = promisify(scrypt)

function isSame(presented: string, right: string): boolean {
  const [one, other] = [Buffer.from(presented), Buffer.from(right)]
  return one.length === other.length && timingSafeEqual(one, other)
}
