import { ServerError } from '@tidegate/server'
import type { Handler } from 'hono'
import { anonymous } from './auth/identity.ts'
import type { GatewayEnv } from './env.ts'
import type { Gate } from './gates.ts'
import { tooLarge } from './handlers/body.ts'
import type { Route } from './routes.ts'

/** Refuses a target or Host that could mean another place to the next reader, and a body too large. */
export function wellFormed(bodyLimit: number): Gate {
  return (c) => {
    const { target, headers, httpVersionMajor } = c.env.incoming
    // Node's parser still knows HTTP/0.9, which has neither a Host nor a status to answer with.
    if (httpVersionMajor !== 1) {
      throw new ServerError('malformed_request', 'The request is not in HTTP/1.0 or HTTP/1.1.')
    }
    if (!target.ok) {
      throw new ServerError('invalid_target', `The request target is refused: ${target.reason}.`)
    }
    if (c.get('exchange').method === 'TRACE') {
      throw new ServerError('method_not_allowed', 'TRACE is not passed on.')
    }
    const declared = headers['content-length']
    if (declared !== undefined && Number(declared) > bodyLimit) throw tooLarge(bodyLimit)
  }
}

/** Names the route for the log and for the form that its errors take, and starts its clock. Nobody is known yet. */
export function enter(route: Route): Gate {
  const { name, protocol, timeouts } = route.primary
  const hop = `upstream ${name}`
  return (c) => {
    const exchange = c.get('exchange')
    exchange.route = route.match
    exchange.hop = hop
    exchange.deadlineAt = exchange.startedAt + timeouts.total
    c.set('protocol', protocol)
    c.set('identity', anonymous)
  }
}

/** The end of a route: a handshake is carried on as a tunnel, any other request as itself. */
export function carry(
  forward: Handler<GatewayEnv>,
  tunnel: Handler<GatewayEnv>,
): Handler<GatewayEnv> {
  return (c, next) => (c.env.incoming.upgraded === undefined ? forward : tunnel)(c, next)
}

/** What a page of another origin may read of an answer: what clients retry by, and what they report. */
export const toldHeaders = [
  ...['x-request-id', 'retry-after', 'retry-after-ms', 'x-should-retry'],
  ...['ratelimit', 'ratelimit-policy', 'x-tidegate-cache', 'age', 'idempotent-replayed'],
  ...['limit', 'remaining', 'reset'].flatMap((part) => [
    `x-ratelimit-${part}-requests`,
    `x-ratelimit-${part}-tokens`,
  ]),
]

/** All endpoints of our own: what they go through is put in front of each of them. */
export const ownPaths = [
  ...['/livez', '/readyz', '/health/*', '/cache/*', '/metrics/*', '/dashboard/*'],
] as const
