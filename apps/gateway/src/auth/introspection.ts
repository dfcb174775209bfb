import { type CircuitBreaker, createCircuitBreaker } from '@tidegate/resilience'
import type { IntrospectionSettings } from '../config/auth-settings.ts'
import { type Claims, judgeClaims } from './claims.ts'
import { FetchFault } from './fetch-json.ts'
import { TokenCache } from './token-cache.ts'
import { type Known, type TokenVerifier, unknown, type Verdict } from './verdict.ts'

/** How many answers are remembered. */
const MOST_ANSWERS = 10_000

/** How many tokens may be asked about at a time. */
const MOST_PENDING = 256

/** A refused token is asked about again soon: it may have been too new for a replica of the server. */
const LONGEST_NO_MS = 5_000

const LONGEST_TOKEN = 8_192

/** What a token may be made of (RFC 6749 §A.12), but for the space, which no Bearer token has. */
const TOKEN = /^[\x21-\x7e]+$/

/** By these a server says that it doesn't like the token: it is well, and was asked nonsense. */
const OF_THE_TOKEN: ReadonlySet<number | undefined> = new Set([400, 413, 414, 422])

const OPEN_FOR_MS = 3_000

/** One question to the authorization server. */
type Introspect = (
  form: Readonly<Record<string, string>>,
  authorization: string,
) => Promise<unknown>

export interface IntrospectionOptions {
  readonly settings: IntrospectionSettings
  readonly ask: Introspect
  readonly tiers: ReadonlySet<string>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

/**
 * Asks the authorization server about tokens (RFC 7662). While it doesn't answer nobody passes but those
 * it was asked about lately; after five faults in a row it is left alone for a moment.
 */
export class Introspection implements TokenVerifier {
  readonly #options: IntrospectionOptions
  readonly #answers: TokenCache<Verdict>
  readonly #pending = new Map<string, Promise<Verdict>>()
  readonly #breaker: CircuitBreaker
  readonly #authorization: string

  constructor(options: IntrospectionOptions) {
    this.#options = options
    this.#answers = new TokenCache(MOST_ANSWERS, options.now)
    this.#breaker = createCircuitBreaker({ openForMs: OPEN_FOR_MS, now: options.now })
    this.#authorization = basic(options.settings)
  }

  recall(token: string): Known | undefined {
    const answer = this.#answers.get(TokenCache.keyOf(token))
    return answer?.kind === 'known' ? answer : undefined
  }

  verify(token: string): Verdict | Promise<Verdict> {
    if (token.length > LONGEST_TOKEN || !TOKEN.test(token)) return unknown
    const key = TokenCache.keyOf(token)
    const known = this.#answers.get(key) ?? this.#pending.get(key)
    if (known !== undefined) return known
    const permit = this.#pending.size < MOST_PENDING ? this.#breaker.tryEnter() : undefined
    if (permit === undefined) return this.#unavailable()
    const asking = this.#ask(token, key, permit).finally(() => this.#pending.delete(key))
    this.#pending.set(key, asking)
    return asking
  }

  async #ask(
    token: string,
    key: string,
    permit: NonNullable<ReturnType<CircuitBreaker['tryEnter']>>,
  ): Promise<Verdict> {
    const { ask, now, onFault, settings } = this.#options
    try {
      const form = { token, token_type_hint: 'access_token' }
      const claims = await ask(form, this.#authorization).then(answerOf, this.#faultOf)
      permit.succeed()
      const verdict = this.#judge(claims)
      const { cacheFor } = settings
      const wait = verdict.kind === 'known' ? cacheFor : Math.min(cacheFor, LONGEST_NO_MS)
      const end = typeof claims.exp === 'number' ? claims.exp * 1000 : Number.POSITIVE_INFINITY
      this.#answers.set(key, verdict, Math.min(now() + wait, end))
      return verdict
    } catch (error) {
      permit.fail()
      onFault(error)
      return this.#unavailable()
    }
  }

  /** Or anybody's nonsense could have the server left alone, and so keep all others out. */
  #faultOf = (error: unknown): Claims => {
    if (!(error instanceof FetchFault && OF_THE_TOKEN.has(error.status))) throw error
    this.#options.onFault(error)
    return { active: false }
  }

  #judge(claims: Claims): Verdict {
    const { settings, tiers, now } = this.#options
    const { exp, nbf, aud } = claims
    // Nobody can tell a guess from a token that is over.
    if (claims.active !== true) return { kind: 'rejected', reason: 'inactive', genuine: false }
    if (typeof exp === 'number' && exp * 1000 <= now()) {
      return { kind: 'rejected', reason: 'expired', genuine: true }
    }
    if (typeof nbf === 'number' && nbf * 1000 > now()) {
      return { kind: 'rejected', reason: 'not_yet_valid', genuine: true }
    }
    const named = Array.isArray(aud) ? aud : [aud]
    if (settings.audience?.some((each) => named.includes(each)) === false) {
      return { kind: 'rejected', reason: 'audience', genuine: true }
    }
    return judgeClaims(claims, { ...settings, kind: 'oauth', tiers })
  }

  #unavailable(): Verdict {
    return { kind: 'unavailable', retryAfterMs: Math.max(1000, this.#breaker.retryAfterMs) }
  }
}

function answerOf(answer: unknown): Claims {
  const claims = Object(answer) as Claims
  if (typeof claims.active === 'boolean') return claims
  throw new FetchFault('the answer does not say whether the token is active')
}

/** RFC 6749 §2.3.1: both parts are form-encoded before they are joined. */
function basic({ clientId, clientSecret }: IntrospectionSettings): string {
  const [id, secret] = [clientId, clientSecret.reveal()].map(formEncode)
  return `Basic ${Buffer.from(`${id}:${secret}`, 'utf8').toString('base64')}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ text }).toString().slice('text='.length)
}
