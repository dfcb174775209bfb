import type { Secret } from '@tidegate/config'

/** How clients prove who they are, besides by keys. Durations are milliseconds. */
export interface AuthSettings {
  /** Whose JWTs are taken; empty: nobody's. */
  readonly jwt: readonly IssuerSettings[]
  /** Absent: no token is asked about. */
  readonly introspection: IntrospectionSettings | undefined
  /** Absent: off. */
  readonly guard: GuardSettings | undefined
}

/** Which claims are read, and what they must say. */
export interface ClaimSettings {
  readonly userClaim: string
  readonly tierClaim: string
  /** All of them must be there. */
  readonly scopes: readonly string[]
  readonly claims: ReadonlyMap<string, string | number | boolean>
}

export interface IssuerSettings extends ClaimSettings {
  readonly issuer: string
  /** Put before the names of its users. */
  readonly name: string | undefined
  /** One of them is enough. */
  readonly audience: readonly string[]
  /** Absent: found by discovery. */
  readonly jwksUrl: string | undefined
  readonly algorithms: readonly string[]
  readonly clockTolerance: number
  /** How often the signing keys are fetched again. */
  readonly cacheFor: number
  /** How long the last ones go on being used while they can't be. */
  readonly keepFor: number
}

export interface IntrospectionSettings extends ClaimSettings {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly audience: readonly string[] | undefined
  readonly cacheFor: number
  readonly timeout: number
}

export interface GuardSettings {
  readonly limit: number
  readonly windowMs: number
  readonly blockMs: number
}
