import { field } from '@tidegate/config'
import { secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { checked, findCredentialFault } from './checked.ts'
import { guardSchema } from './guard.ts'
import { introspectionSchema, jwtSchema } from './tokens.ts'

const id = checked(z.string(), (text) =>
  /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text)
    ? undefined
    : 'expected up to 64 letters, digits and . _ @ -, as it stands in logs',
)

// Not shown when it is wrong: it may be a key in the wrong place.
const sha256 = checked(z.string(), (text) =>
  /^[0-9a-f]{64}$/i.test(text)
    ? undefined
    : "expected the 64 hexadecimal digits of the key's SHA-256, as printf %s KEY | sha256sum prints them",
)

const key = z.strictObject({
  id: field(id, {
    description: 'The name by which logs know its owner.',
    example: 'mobile-app',
  }),
  key: field(checked(secret(), findCredentialFault).optional(), {
    description: 'The key itself, any characters. Keep it in a variable.',
    example: `\${MOBILE_APP_KEY}`,
  }),
  sha256: field(sha256.optional(), {
    description: "Or the key's SHA-256, so that no file holds the key.",
  }),
  tier: field(z.string().min(1).optional(), {
    description: 'The name of its tier, one of `tiers`.',
    example: 'free',
  }),
})

/** How clients prove who they are. */
export const authSchema = z
  .strictObject({
    keys: field(z.array(key).default([]), {
      description: "Clients' keys, sent as Bearer, `x-api-key` or `api-key`.",
    }),
    jwt: field(jwtSchema, {
      description: 'Who else vouches for clients: the issuer of their JWTs, or a list of issuers.',
    }),
    introspection: introspectionSchema,
    guard: guardSchema,
  })
  .prefault({})

/** How clients prove who they are, as it is written and parsed. */
export type AuthConfig = z.output<typeof authSchema>

type JwtConfig = NonNullable<AuthConfig['jwt']>

/** One issuer, as it is written and parsed. */
export type IssuerConfig = Exclude<JwtConfig, readonly unknown[]>

/** The issuers: none, one, or a list of them. */
export function issuersOf({ jwt }: AuthConfig): readonly IssuerConfig[] {
  if (jwt === undefined) return []
  return Array.isArray(jwt) ? jwt : [jwt]
}

/** Whether there is any way for a client to prove who it is. */
export function takesCredentials(auth: AuthConfig): boolean {
  return auth.keys.length > 0 || auth.jwt !== undefined || auth.introspection !== undefined
}
