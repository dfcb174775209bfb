import { decodeJwt, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { IssuerSettings } from '../config/auth-settings.ts'
import { type ClaimReading, judgeClaims } from './claims.ts'
import type { RemoteSigningKeys, SigningKeys } from './signing-keys.ts'
import { TokenCache } from './token-cache.ts'
import {
  type Known,
  type TokenFault,
  type TokenVerifier,
  unknown,
  type Verdict,
} from './verdict.ts'

/** How many good tokens are remembered, some hundred bytes each. */
const MOST_TOKENS = 10_000

/** JWTs are made of three base64url parts (RFC 7515 §7.1); nothing else is looked into. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** An issuer with its keys. */
export interface Issuer {
  readonly settings: IssuerSettings
  readonly keys: RemoteSigningKeys
}

export interface JwtOptions {
  readonly issuers: readonly Issuer[]
  /** The tiers that there are. */
  readonly tiers: ReadonlySet<string>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Told of what is neither the token's fault nor a known one of the issuer. */
  readonly onFault: (issuer: string, error: unknown) => void
}

interface Remembered {
  readonly verdict: Known
  readonly issuer: Issuer
  /** It was verified with these: once others are there, it is verified again. */
  readonly keys: SigningKeys
}

/**
 * Verifies JWTs of configured issuers. What a token says of itself chooses among them and nothing else:
 * algorithms are the configuration's and keys the issuer's own.
 */
export class JwtVerifier implements TokenVerifier {
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #options: JwtOptions
  readonly #known: TokenCache<Remembered>

  constructor(options: JwtOptions) {
    this.#options = options
    this.#issuers = new Map(options.issuers.map((each) => [each.settings.issuer, each]))
    this.#known = new TokenCache(MOST_TOKENS, options.now)
  }

  recall(token: string): Known | undefined {
    return JWT.test(token) ? this.#recall(TokenCache.keyOf(token)) : undefined
  }

  verify(token: string): Verdict | Promise<Verdict> {
    if (!JWT.test(token)) return unknown
    const key = TokenCache.keyOf(token)
    const remembered = this.#recall(key)
    if (remembered !== undefined) return remembered
    const issuer = this.#issuerOf(token)
    return issuer === undefined ? unknown : this.#verify(token, key, issuer)
  }

  #recall(key: string): Known | undefined {
    const found = this.#known.get(key)
    if (found === undefined) return undefined
    if (found.issuer.keys.current === found.keys) return found.verdict
    this.#known.delete(key)
    return undefined
  }

  #issuerOf(token: string): Issuer | undefined {
    try {
      return this.#issuers.get(decodeJwt(token).iss ?? '')
    } catch {
      return undefined
    }
  }

  async #verify(token: string, key: string, issuer: Issuer): Promise<Verdict> {
    const { settings, keys } = issuer
    const current = await keys.load()
    if (current === undefined) return unavailable(keys)
    try {
      const { payload, by } = await this.#open(token, issuer, current)
      const verdict = judgeClaims(payload, this.#reading(settings))
      if (verdict.kind === 'known') {
        const until = Number(payload.exp) * 1000 + settings.clockTolerance
        this.#known.set(key, { verdict, issuer, keys: by }, until)
      }
      return verdict
    } catch (error) {
      if (error instanceof KeyInDoubt) return unavailable(keys)
      const fault = faultOf(error)
      if (fault !== undefined) return { kind: 'rejected', ...fault }
      this.#options.onFault(settings.issuer, error)
      return unavailable(keys)
    }
  }

  async #open(token: string, { settings, keys }: Issuer, current: SigningKeys) {
    const options = this.#verifyOptions(settings)
    try {
      return { payload: await verifyWith(token, current, options), by: current }
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const isCertain = await keys.renew()
      const renewed = keys.current
      if (renewed !== undefined && renewed !== current) {
        return { payload: await verifyWith(token, renewed, options), by: renewed }
      }
      throw isCertain ? error : new KeyInDoubt()
    }
  }

  #verifyOptions(settings: IssuerSettings): JWTVerifyOptions {
    return {
      algorithms: [...settings.algorithms],
      issuer: settings.issuer,
      audience: [...settings.audience],
      clockTolerance: settings.clockTolerance / 1000,
      // Without it a token would be good for ever.
      requiredClaims: ['exp'],
      currentDate: new Date(this.#options.now()),
    }
  }

  #reading(settings: IssuerSettings): ClaimReading {
    return { ...settings, kind: 'jwt', tiers: this.#options.tiers }
  }
}

/** The token's key isn't known, and who could say whether it is a new one doesn't answer. */
class KeyInDoubt extends Error {}

function unavailable({ retryAfterMs }: RemoteSigningKeys): Verdict {
  return { kind: 'unavailable', retryAfterMs }
}

async function verifyWith(
  token: string,
  keys: SigningKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, options)
    return payload
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return tryAll(token, error, options)
    throw isOfUnnamedKey(token, error) ? new errors.JWKSNoMatchingKey() : error
  }
}

/** A token that doesn't name its key may be of any. */
async function tryAll(
  token: string,
  candidates: InstanceType<typeof errors.JWKSMultipleMatchingKeys>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of candidates) {
    try {
      const { payload } = await jwtVerify(token, key, options)
      return payload
    } catch (error) {
      // One that can't verify anything, such as one that is too short, must not stand before the others.
      const isOther = error instanceof errors.JWSSignatureVerificationFailed || isUnusable(error)
      if (!isOther) throw error
    }
  }
  throw new errors.JWKSNoMatchingKey()
}

/** What WebCrypto and jose throw at keys that they take no signature of. */
function isUnusable(error: unknown): boolean {
  return error instanceof TypeError || error instanceof DOMException
}

/** Without a name, a wrong signature and a key that is new look the same. */
function isOfUnnamedKey(token: string, error: unknown): boolean {
  if (!(error instanceof errors.JWSSignatureVerificationFailed)) return false
  const header: unknown = JSON.parse(
    Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'),
  )
  return typeof header === 'object' && header !== null && !('kid' in header)
}

interface Fault {
  readonly reason: TokenFault
  readonly genuine: boolean
}

// jose looks at claims once the signature is right: what fails there was given by the issuer.
function faultOf(error: unknown): Fault | undefined {
  if (error instanceof errors.JWTExpired) return { reason: 'expired', genuine: true }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return { reason: claimFaults[error.claim] ?? 'claim', genuine: true }
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return { reason: 'algorithm', genuine: false }
  if (error instanceof errors.JWKSNoMatchingKey) return { reason: 'key', genuine: false }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return { reason: 'signature', genuine: false }
  }
  const isMalformed =
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSENotSupported
  return isMalformed ? { reason: 'malformed', genuine: false } : undefined
}

const claimFaults: Readonly<Record<string, TokenFault>> = {
  aud: 'audience',
  nbf: 'not_yet_valid',
}
