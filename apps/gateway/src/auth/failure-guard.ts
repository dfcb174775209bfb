import { hash } from 'node:crypto'
import {
  createRateLimiter,
  type RateLimiter,
  type Store,
  slidingWindow,
} from '@tidegate/rate-limit'
import { ipGroup } from '@tidegate/server'
import type { GuardSettings } from '../config/auth-settings.ts'

/** How many callers are remembered as having been right, and how many credentials as wrong. */
const MOST_REMEMBERED = 10_000

/** For how long that counts. */
const REMEMBERED_MS = 3_600_000

/** What was written down so lately needn't be again. */
const FRESH_MS = 60_000

/** How many blocked networks are kept in mind; who counts failures knows of more. */
const MOST_BLOCKED = 50_000

/** What is guarded: each counts for itself. */
export type Surface = 'routes' | 'admin'

/** A network that has been blocked. */
export interface Block {
  readonly surface: Surface
  /** The IPv4 address, or the IPv6 /56. */
  readonly network: string
  readonly failures: number
  readonly blockMs: number
}

export interface FailureGuardOptions {
  readonly surface: Surface
  readonly settings: GuardSettings
  /** Where failures are counted. Default: this process's memory. */
  readonly store?: Store | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly onBlock: (block: Block) => void
}

/**
 * Stops guessing: after `limit` different wrong credentials within `windowMs` from one network, all from
 * there are refused for `blockMs`, but for callers that have been right there within the last hour. So
 * those who share an address with a guesser go on, and a guess tells nothing that wasn't in use there.
 *
 * The same wrong credential again is no guess: a client whose key was revoked, or whose token expired
 * under fifty requests at once, blocks nobody.
 */
export class FailureGuard {
  readonly #options: FailureGuardOptions
  readonly #failures: RateLimiter<'auth-failures'>
  readonly #blocked = new Map<string, number>()
  readonly #right = new Map<string, number>()
  readonly #wrong = new Map<string, number>()

  constructor(options: FailureGuardOptions) {
    const { settings, store, now } = options
    const { limit, windowMs } = settings
    this.#options = options
    this.#failures = createRateLimiter({
      policies: { 'auth-failures': slidingWindow({ limit, windowMs }) },
      store,
      now,
    })
  }

  /** Milliseconds for which credentials from this address are refused; 0 = they are looked at. */
  blockedFor(ip: string): number {
    if (this.#blocked.size === 0) return 0
    const network = ipGroup(ip)
    const left = (this.#blocked.get(network) ?? 0) - this.#options.now()
    if (left > 0) return left
    this.#blocked.delete(network)
    return 0
  }

  /** Whether this caller has been right at this address's network lately. */
  knows(ip: string, caller: string): boolean {
    return this.#remembers(this.#right, `${ipGroup(ip)} ${caller}`)
  }

  /** A credential was right. */
  succeeded(ip: string, caller: string): void {
    const place = `${ipGroup(ip)} ${caller}`
    const now = this.#options.now()
    const at = this.#right.get(place)
    if (at !== undefined && now - at < FRESH_MS) return
    put(this.#right, place, now, MOST_REMEMBERED)
  }

  /** A credential was wrong. It never rejects: a store that fails counts nothing. */
  async failed(ip: string, credential: string): Promise<void> {
    const network = ipGroup(ip)
    const guess = `${network} ${hash('sha256', credential, 'base64')}`
    const isRepeated = this.#remembers(this.#wrong, guess)
    put(this.#wrong, guess, this.#options.now(), MOST_REMEMBERED)
    if (isRepeated) return
    try {
      const { allowed, remaining, retryAfterMs } =
        this.#failures.checkSync('auth-failures', this.#subjectOf(network)) ??
        (await this.#failures.check('auth-failures', this.#subjectOf(network)))
      // Another process that shares the store has blocked it.
      if (!allowed) this.#block(network, retryAfterMs)
      else if (remaining === 0) this.#begin(network)
    } catch {
      // The gateway's log tells of its store; here is nothing to add.
    }
  }

  #remembers(map: ReadonlyMap<string, number>, key: string): boolean {
    const at = map.get(key)
    return at !== undefined && this.#options.now() - at < REMEMBERED_MS
  }

  #begin(network: string): void {
    const { settings, surface, onBlock } = this.#options
    this.#block(network, settings.blockMs)
    onBlock({ surface, network, failures: settings.limit, blockMs: settings.blockMs })
    this.#failures
      .block('auth-failures', this.#subjectOf(network), settings.blockMs)
      .catch(() => undefined)
  }

  // The store may be one for all, where addresses have limits of their own.
  #subjectOf(network: string): string {
    return `${this.#options.surface} ${network}`
  }

  #block(network: string, ms: number): void {
    put(this.#blocked, network, this.#options.now() + ms, MOST_BLOCKED)
  }
}

function put(map: Map<string, number>, key: string, value: number, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= max) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
