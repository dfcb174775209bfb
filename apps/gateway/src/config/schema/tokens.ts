import { field } from '@tidegate/config'
import { choice, duration, httpUrl, list, secret } from '@tidegate/config/fields'
import { z } from 'zod'
import { checked } from './checked.ts'
import { LONGEST_MS } from './server.ts'

/** Signatures that a public key verifies; one that needs a shared secret could be forged with that key. */
const algorithm = choice([
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
])

const text = z.string().min(1).max(1000)

const address = checked(httpUrl(), (url) => {
  const { username, password, hash } = new URL(url)
  if (username !== '' || password !== '') return 'must hold no user or password'
  return hash === '' ? undefined : 'must have no fragment'
})

/** What is read from a token's claims, and what they must say. */
const claims = {
  userClaim: field(text.default('sub'), {
    description:
      'The claim that names the caller. `a.b` reads `b` within `a` where no claim is called `a.b`.',
  }),
  tierClaim: field(text.default('tier'), {
    description:
      'The claim that names the tier: text, or a list of which the first that is one of `tiers` counts.',
    example: 'realm_access.roles',
  }),
  scopes: field(list(text).default([]), {
    description: 'Scopes that a token must have, all of them; else 403 `insufficient_scope`.',
    example: 'models.use',
  }),
  claims: field(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}), {
    description: 'Claims that must have this value, or a list with it; else 403.',
  }),
}

const issuer = z.strictObject({
  issuer: field(text, {
    description:
      "Who signs the tokens: exactly their `iss`. Unless `jwksUrl` is given, its signing keys are found by OpenID Connect's discovery.",
    example: 'https://login.example.com/',
  }),
  audience: field(
    list(text).refine((all) => all.length > 0, { error: 'names no audience' }),
    {
      description: "What a token's `aud` must name: this gateway. One of several is enough.",
      example: 'https://gateway.example.com',
    },
  ),
  name: field(
    checked(z.string(), (name) =>
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name)
        ? undefined
        : 'expected up to 32 letters, digits and . _ -, as it stands in logs',
    ).optional(),
    {
      description:
        'Put before the names of its users, `name:user`. With several issuers each needs one.',
    },
  ),
  jwksUrl: field(address.optional(), { description: 'Where its signing keys are (a JWKS).' }),
  algorithms: field(
    list(algorithm)
      .refine((all) => all.length > 0, { error: 'names no algorithm' })
      .default(['RS256', 'PS256', 'ES256', 'EdDSA']),
    { description: 'The signatures that are taken, whatever a token says.' },
  ),
  clockTolerance: field(duration({ max: 600_000 }).default(30_000), {
    description: "How far the issuer's clock may be off.",
  }),
  cacheFor: field(duration({ min: 1000, max: LONGEST_MS }).default(600_000), {
    description:
      'How often the signing keys are fetched again. A key that was withdrawn counts for as long.',
  }),
  keepFor: field(duration({ min: 1000, max: 7 * LONGEST_MS }).default(LONGEST_MS), {
    description: 'How long the last keys go on being used while they can not be fetched.',
  }),
  ...claims,
})

/** Tokens that are verified here: one issuer or a list of them. */
export const jwtSchema = z.union([issuer, z.array(issuer).min(1)]).optional()

/** Tokens that the authorization server is asked about (RFC 7662). */
export const introspectionSchema = z
  .strictObject({
    url: field(address, {
      description: "The authorization server's introspection endpoint.",
      example: 'https://login.example.com/oauth2/introspect',
    }),
    clientId: field(text, { description: 'Who the gateway is there.' }),
    clientSecret: field(secret(), {
      description: 'Its secret there. Keep it in a variable.',
      example: `\${INTROSPECTION_SECRET}`,
    }),
    audience: field(list(text).optional(), {
      description: 'What `aud` must name. Unset: the server knows whom it answers.',
    }),
    cacheFor: field(duration({ max: 3_600_000 }).default(30_000), {
      description:
        'How long an answer is used, never beyond `exp`: a revoked token lives on for as long. At most 5s when it said no.',
    }),
    timeout: field(duration({ min: 10, max: 60_000 }).default(2_000), {
      description: 'How long it may take; then the answer is 503 `auth_unavailable`.',
    }),
    ...claims,
  })
  .optional()
