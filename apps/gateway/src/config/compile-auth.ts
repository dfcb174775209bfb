import type {
  AuthSettings,
  ClaimSettings,
  IntrospectionSettings,
  IssuerSettings,
} from './auth-settings.ts'
import { type AuthConfig, type IssuerConfig, issuersOf } from './schema/auth.ts'

export function compileAuth(auth: AuthConfig): AuthSettings {
  const { introspection, guard } = auth
  return {
    jwt: issuersOf(auth).map(compileIssuer),
    introspection: introspection && compileIntrospection(introspection),
    guard: guard && {
      limit: guard.failures.amount,
      windowMs: guard.failures.windowMs,
      blockMs: guard.block,
    },
  }
}

function compileIssuer(config: IssuerConfig): IssuerSettings {
  const { issuer, name, audience, jwksUrl, algorithms, clockTolerance, cacheFor, keepFor } = config
  return {
    ...{ issuer, name, audience, jwksUrl, algorithms, clockTolerance, cacheFor },
    // What is fetched again later than it is given up would be missing in between.
    keepFor: Math.max(keepFor, cacheFor),
    ...compileClaims(config),
  }
}

function compileIntrospection(
  config: NonNullable<AuthConfig['introspection']>,
): IntrospectionSettings {
  const { url, clientId, clientSecret, audience, cacheFor, timeout } = config
  return {
    ...{ url, clientId, clientSecret, audience, cacheFor, timeout },
    ...compileClaims(config),
  }
}

function compileClaims({
  userClaim,
  tierClaim,
  scopes,
  claims,
}: Pick<IssuerConfig, 'userClaim' | 'tierClaim' | 'scopes' | 'claims'>): ClaimSettings {
  return { userClaim, tierClaim, scopes, claims: new Map(Object.entries(claims)) }
}
