import { createLocalJWKSet, type LocalJWKSet } from 'jose'
import type { IssuerSettings } from '../config/auth-settings.ts'
import { FetchFault } from './fetch-json.ts'

/** The keys of one issuer. While they stay the same they are the same object. */
export type SigningKeys = LocalJWKSet

/** What can be said of an issuer's keys, for operators. */
export interface SigningKeysState {
  readonly issuer: string
  readonly keys: number
  /** Milliseconds since 1970; 0 = never. */
  readonly fetchedAt: number
  readonly lastFault: string | undefined
}

export interface SigningKeysOptions {
  readonly settings: Pick<IssuerSettings, 'issuer' | 'jwksUrl' | 'cacheFor' | 'keepFor'>
  readonly fetch: (url: string) => Promise<unknown>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Calls after so many milliseconds, unless the function it returns is called before. */
  readonly schedule: (work: () => void, ms: number) => () => void
  /** Told when fetching begins to fail, and when it works again. */
  readonly onChange: (event: { readonly available: boolean; readonly error?: unknown }) => void
}

/** Between two fetches because of keys nobody knows: made-up ones must not become a flood elsewhere. */
const COOLDOWN_MS = 10_000

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000
const MOST_KEYS = 100

/**
 * An issuer's public keys: fetched at start and every `cacheFor`, in the background. When that fails the
 * last good ones go on being used for `keepFor`.
 */
export class RemoteSigningKeys {
  readonly #options: SigningKeysOptions
  #keys: SigningKeys | undefined
  #text = ''
  #count = 0
  #fetchedAt = 0
  #renewedAt = Number.NEGATIVE_INFINITY
  #nextTryAt = Number.NEGATIVE_INFINITY
  #faults = 0
  #lastFault: string | undefined
  #pending: Promise<void> | undefined
  #cancel: () => void = () => undefined
  #closed = false

  constructor(options: SigningKeysOptions) {
    this.#options = options
  }

  /** The keys, if there are any that may still be used. */
  get current(): SigningKeys | undefined {
    const { now, settings } = this.#options
    return now() - this.#fetchedAt < settings.keepFor ? this.#keys : undefined
  }

  get state(): SigningKeysState {
    const { issuer } = this.#options.settings
    const keys = this.current === undefined ? 0 : this.#count
    return { issuer, keys, fetchedAt: this.#fetchedAt, lastFault: this.#lastFault }
  }

  /** Milliseconds until it makes sense to ask again after there were no keys. */
  get retryAfterMs(): number {
    return Math.max(FIRST_RETRY_MS, this.#nextTryAt - this.#options.now())
  }

  /** Begins to fetch. */
  start(): void {
    void this.#refresh()
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  /** The keys; waits for them where there are none yet, unless fetching them has just failed. */
  async load(): Promise<SigningKeys | undefined> {
    if (this.current === undefined) {
      if (this.#pending !== undefined || this.#options.now() >= this.#nextTryAt) {
        await this.#refresh()
      }
    }
    return this.current
  }

  /**
   * For a key that isn't among them: asks the issuer again, unless it was for such a one a moment ago.
   *
   * @returns whether what is there now is what the issuer says.
   */
  async renew(): Promise<boolean> {
    const now = this.#options.now()
    const isDue = now - this.#renewedAt >= COOLDOWN_MS
    if (isDue) this.#renewedAt = now
    if (this.#pending !== undefined || isDue) await this.#refresh()
    return this.#faults === 0
  }

  #refresh(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #fetch(): Promise<void> {
    const { settings } = this.#options
    this.#cancel()
    try {
      this.#accept(await this.#ask())
      // The nodes of a fleet that started together shouldn't go on asking together.
      this.#next(settings.cacheFor * (0.9 + 0.1 * Math.random()))
    } catch (error) {
      this.#fail(error)
    }
  }

  async #ask(): Promise<unknown> {
    const { settings, fetch } = this.#options
    return await fetch(settings.jwksUrl ?? (await discover(settings.issuer, fetch)))
  }

  #accept(document: unknown): void {
    const { now, onChange } = this.#options
    const text = JSON.stringify(document)
    if (text !== this.#text) {
      this.#count = countKeys(document)
      this.#keys = createLocalJWKSet(document as Parameters<typeof createLocalJWKSet>[0])
      this.#text = text
    }
    this.#fetchedAt = now()
    this.#lastFault = undefined
    if (this.#faults > 0) onChange({ available: true })
    this.#faults = 0
  }

  #fail(error: unknown): void {
    const { onChange } = this.#options
    this.#lastFault = error instanceof Error ? error.message : 'unknown fault'
    this.#faults += 1
    if (this.#faults === 1) onChange({ available: false, error })
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(10, this.#faults - 1))
    this.#next(wait * (0.5 + 0.5 * Math.random()))
  }

  #next(ms: number): void {
    this.#nextTryAt = this.#options.now() + ms
    if (!this.#closed) this.#cancel = this.#options.schedule(() => void this.#refresh(), ms)
  }
}

/** Where an issuer says its keys are (OpenID Connect Discovery 1.0 §4). */
async function discover(issuer: string, fetch: SigningKeysOptions['fetch']): Promise<string> {
  const found = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const { issuer: named, jwks_uri: url } = Object(found) as Readonly<Record<string, unknown>>
  // §4.3: or one issuer could speak for another.
  if (named !== issuer) throw new FetchFault('the discovery document is of another issuer')
  const at = typeof url === 'string' ? URL.parse(url) : null
  const isSafe = at?.protocol === 'https:' || (at?.protocol === 'http:' && /^http:/.test(issuer))
  if (typeof url !== 'string' || !isSafe) {
    throw new FetchFault('the discovery document names no address of keys by https')
  }
  return url
}

function countKeys(document: unknown): number {
  const { keys } = Object(document) as { readonly keys?: unknown }
  if (!Array.isArray(keys)) throw new FetchFault('the answer is no JSON Web Key Set')
  if (keys.length === 0) throw new FetchFault('the JSON Web Key Set holds no key')
  if (keys.length > MOST_KEYS) {
    throw new FetchFault(`the JSON Web Key Set holds more than ${MOST_KEYS} keys`)
  }
  return keys.length
}
