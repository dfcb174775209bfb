import { type Exchange, ipGroup } from '@tidegate/server'
import type { Identity } from '../auth/identity.ts'
import { GatewayError } from '../problems.ts'

/**
 * Whose sessions a request's are: `key:ID`, `jwt:USER` or `oauth:USER`, so that nobody gets at another's
 * by a name that is the same; of whoever is anonymous the address, `ip:ADDRESS`.
 */
export function sessionUser({ kind, id }: Identity, exchange: Exchange): string {
  return kind === 'anonymous' ? `ip:${ipGroup(exchange.clientIp)}` : `${kind}:${id}`
}

const NAMED = /^(?:key|jwt|oauth|ip):./

/** The user whom an operator means: in the same form, an IPv6 address also without its network. */
export function namedUser(text: string): string {
  if (!NAMED.test(text) || text.length > 1_000) {
    const message = 'The user in "user" has another form than the gateway gives users.'
    throw new GatewayError('invalid_session_user', message, { param: 'user' })
  }
  return text.startsWith('ip:') ? `ip:${ipGroup(text.slice(3))}` : text
}
