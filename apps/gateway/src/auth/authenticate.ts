import type { MiddlewareHandler } from 'hono'
import type { AuthMode } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import { GatewayError } from '../problems.ts'
import type { Identity } from './identity.ts'
import type { KeyRing } from './key-ring.ts'
import { presentedKeys } from './presented.ts'

export interface AuthFailure {
  readonly reason: 'missing' | 'unknown'
  readonly header?: string
}

/**
 * Lets a request with a known key pass as that key's owner. Without any key it is refused where the
 * route requires one; a key that nobody has is refused also where keys are optional, as its sender
 * believes to be somebody.
 */
export function authenticate(
  mode: Exclude<AuthMode, 'none'>,
  ring: KeyRing,
  onFailure: (exchange: GatewayEnv['Variables']['exchange'], failure: AuthFailure) => void,
): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const exchange = c.get('exchange')
    const presented = presentedKeys(c.env.incoming.headers)
    // A client may send its key in several headers: none of them goes on.
    const consumed: string[] = []
    let owner: Identity | undefined
    for (const { header, key } of presented) {
      const identity = ring(key)
      if (identity === undefined) continue
      owner ??= identity
      consumed.push(header)
    }
    if (owner !== undefined) {
      c.set('identity', owner)
      c.set('consumedHeaders', consumed)
      exchange.client = owner.id
      return next()
    }
    const first = presented[0]
    if (first === undefined && mode === 'optional') return next()
    if (first === undefined) {
      onFailure(exchange, { reason: 'missing' })
      throw new GatewayError('missing_api_key', 'No API key was sent.', challenge)
    }
    onFailure(exchange, { reason: 'unknown', header: first.header })
    const message = `The key in "${first.header}" is not known here.`
    throw new GatewayError('invalid_api_key', message, challenge)
  }
}

const challenge = { facts: { authenticate: 'Bearer realm="tidegate"' } }
