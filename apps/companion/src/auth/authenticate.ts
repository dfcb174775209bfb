import { hash, timingSafeEqual } from 'node:crypto'
import type { Secret } from '@tidegate/config'
import { type ApiKeyRefusal, type ApiKeys, hasScope } from '@tidegate/crypto/api-keys'
import { type Exchange, requestHeader } from '@tidegate/server'
import type { Context, MiddlewareHandler } from 'hono'
import type { CompanionEnv } from '../env.ts'
import { CompanionError } from '../problems.ts'
import type { Identity } from './identity.ts'
import type { KeyRecord } from './key-record.ts'
import type { Scope } from './scopes.ts'

/** Lets those through whose key allows what an operation asks for. */
export type Authenticate = (scope: Scope) => MiddlewareHandler<CompanionEnv>

/** The tenant of whoever has the environment's key, and of everything that nobody has given to another. */
export const DEFAULT_TENANT = 'default'

/** Why somebody was not let through. */
export interface AuthFailure {
  readonly reason: ApiKeyRefusal | 'missing' | 'insufficient'
  /** The key's id, once it is proved. */
  readonly key?: string
  readonly scope?: Scope
}

export interface AuthenticateOptions {
  readonly keys: Pick<ApiKeys, 'parse' | 'verify'>
  /** The record of a key, whoever's it is. */
  readonly find: (id: string, exchange: Exchange) => Promise<KeyRecord | undefined>
  /** Absent: keys are in the database alone. */
  readonly adminKey: Secret | undefined
  /** Told of each key that was used, and of its new digest if it needs one. */
  readonly onUse: (record: KeyRecord, newDigest: string | undefined) => void
  readonly onRefused: (exchange: Exchange, failure: AuthFailure) => void
}

const STANDING: Partial<Record<ApiKeyRefusal, string>> = {
  revoked: 'The API key was revoked.',
  replaced: 'The API key was replaced by another one.',
  expired: 'The API key has expired.',
  not_yet: 'The API key does not work yet.',
  other_environment: 'The API key is one of another environment.',
}

/** Finds out who is calling, by `Authorization: Bearer` or `x-api-key`, and asks whether they may. */
export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  const identify = createIdentify(options)
  return (scope) => async (c, next) => {
    const exchange = c.get('exchange')
    const identity = await identify(c)
    exchange.client = identity.id
    exchange.tenant = identity.tenant
    if (!hasScope(identity.scopes, scope)) {
      options.onRefused(exchange, { reason: 'insufficient', key: identity.id, scope })
      throw new CompanionError('insufficient_scope', `This needs the scope "${scope}".`, {
        facts: { authenticate: `Bearer error="insufficient_scope", scope="${scope}"` },
      })
    }
    c.set('identity', identity)
    return next()
  }
}

function createIdentify(
  options: AuthenticateOptions,
): (c: Context<CompanionEnv>) => Promise<Identity> {
  const { keys, find, adminKey, onUse, onRefused } = options
  const admin = adminKey && digestOf(adminKey.reveal())

  return async (c) => {
    const exchange = c.get('exchange')
    const presented = presentedKey(c)
    if (presented === undefined) {
      onRefused(exchange, { reason: 'missing' })
      throw new CompanionError('missing_api_key', 'This operation is for those with a key.')
    }
    if (admin !== undefined && timingSafeEqual(digestOf(presented), admin)) return ENVIRONMENT
    const parsed = keys.parse(presented)
    const record = parsed.ok ? await find(parsed.id, exchange) : undefined
    const verdict = keys.verify(presented, record)
    if (!verdict.ok) {
      onRefused(exchange, { reason: verdict.reason })
      const message = STANDING[verdict.reason] ?? 'The API key is not known.'
      throw new CompanionError('invalid_api_key', message, {
        facts: { authenticate: 'Bearer error="invalid_token"' },
      })
    }
    onUse(verdict.record, verdict.newDigest)
    const { id, tenant, scopes, tier = null } = verdict.record
    return { id, tenant, scopes, tier }
  }
}

const ENVIRONMENT: Identity = {
  id: 'environment',
  tenant: DEFAULT_TENANT,
  scopes: ['*'],
  tier: null,
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Longer than any key: what comes above isn't looked at. */
const LONGEST = 512

function presentedKey(c: Context<CompanionEnv>): string | undefined {
  const authorization = requestHeader(c, 'authorization')
  const bearer = authorization && /^bearer +(\S+) *$/i.exec(authorization.slice(0, LONGEST))?.[1]
  return bearer || requestHeader(c, 'x-api-key')?.trim().slice(0, LONGEST) || undefined
}
