import { GatewayError } from '../problems.ts'
import type { AuthFailure } from './authenticate.ts'
import type { Judged } from './callers.ts'
import { type TokenFault, unknown, type Verdict } from './verdict.ts'

const REALM = 'Bearer realm="tidegate"'

/** What a client whose token was rejected can know about it. */
const faults: Readonly<Record<TokenFault, string>> = {
  malformed: 'The token is malformed',
  algorithm: 'The token is signed by an algorithm that is not taken here',
  key: 'The token is signed with a key that its issuer does not list',
  signature: 'The signature of the token is wrong',
  expired: 'The token has expired',
  not_yet_valid: 'The token is not valid yet',
  audience: 'The token is meant for another audience',
  claim: 'The token lacks a claim that it needs, or has it in a wrong form',
  nobody: 'The token does not say whom it speaks for',
  inactive: 'The token is not active',
}

/** Nothing was sent: RFC 6750 §3.1 gives no error code then. */
export function missing(takesTokens: boolean): GatewayError {
  const message = takesTokens ? 'No API key or token was sent.' : 'No API key was sent.'
  return new GatewayError('missing_api_key', message, { facts: { authenticate: REALM } })
}

export function tooManyFailures(retryAfterMs: number): GatewayError {
  const message = 'Too many wrong credentials came from this network.'
  return new GatewayError('too_many_failed_attempts', message, { facts: { retryAfterMs } })
}

/** Why none of the credentials lets its sender in; the most telling of them is spoken of. */
export function refusalOf(judged: readonly Judged[]): {
  readonly error: GatewayError
  /** Absent where nobody can tell whether it is one. */
  readonly failure?: AuthFailure
} {
  const { presented, verdict } = mostTelling(judged)
  const header = presented?.header ?? 'authorization'
  switch (verdict.kind) {
    case 'unavailable': {
      const { retryAfterMs } = verdict
      const message = 'The token could not be checked, as its issuer does not answer.'
      return { error: new GatewayError('auth_unavailable', message, { facts: { retryAfterMs } }) }
    }
    case 'insufficient': {
      const message = `The token lacks ${verdict.lacks.join(' and ')}.`
      const error = lacking(message, verdict.scope)
      return { error, failure: { reason: 'insufficient', header } }
    }
    case 'rejected': {
      const { reason } = verdict
      const error = invalid('invalid_token', `${faults[reason]}.`, faults[reason])
      return { error, failure: { reason, header } }
    }
    default: {
      const message = `The key in "${header}" is not known here.`
      const error = invalid('invalid_api_key', message, 'The key is not known here')
      return { error, failure: { reason: 'unknown', header } }
    }
  }
}

const ranks: Readonly<Record<Verdict['kind'], number>> = {
  known: 0,
  insufficient: 1,
  unavailable: 2,
  rejected: 3,
  unknown: 4,
}

function mostTelling(judged: readonly Judged[]): Partial<Judged> & Pick<Judged, 'verdict'> {
  const [first] = judged.toSorted(
    (one, other) => ranks[one.verdict.kind] - ranks[other.verdict.kind],
  )
  return first ?? { verdict: unknown }
}

function invalid(
  code: 'invalid_token' | 'invalid_api_key',
  message: string,
  description: string,
): GatewayError {
  const authenticate = `${REALM}, error="invalid_token", error_description="${description}"`
  return new GatewayError(code, message, { facts: { authenticate } })
}

function lacking(message: string, scope: string): GatewayError {
  // Quotes and backslashes can't be in a scope (RFC 6749 §3.3), and would end the parameter here.
  const named = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) ? `, scope="${scope}"` : ''
  const authenticate = `${REALM}, error="insufficient_scope"${named}`
  return new GatewayError('insufficient_scope', message, { facts: { authenticate } })
}
