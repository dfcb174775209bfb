import { ServerError } from '@tidegate/server'
import type { Context, Handler } from 'hono'
import type { GatewayEnv } from '../env.ts'
import type { GatewayRequest } from '../request.ts'
import type { Route } from '../routes.ts'
import { requestHeaders } from '../upstreams/headers.ts'
import { type BodyLimits, bodyLength, readBody, tooLarge, Upload } from './body.ts'
import { Passage } from './passage.ts'

/**
 * Up to this size a body of known length is read before the upstream hears of the request: it nearly
 * always came with the head, one write carries both on, and a slow client holds no upstream slot.
 */
const READ_FIRST_BYTES = 64 * 1024

/** What a forwarded request goes through with. */
export interface ForwardLimits {
  readonly body: BodyLimits
  /** The longest that a client may stop reading, in milliseconds. */
  readonly write: number
}

/** The end of a route: carries the request to its upstream and the answer back. */
export function forward(route: Route, limits: ForwardLimits): Handler<GatewayEnv> {
  return (c) => {
    const exchange = c.get('exchange')
    const { incoming, outgoing } = c.env
    const passage = new Passage({
      upstream: route.upstream,
      exchange,
      path: incoming.target.ok ? incoming.target.path : '',
      outgoing,
      writeLimit: limits.write,
    })
    const target = upstreamTarget(route, incoming)
    const send = (body: Body): Promise<Response> =>
      passage.send(target, exchange.method, forwardedHeaders(c, route, incoming, body), body)
    const body = requestBody(c, limits.body, passage)
    return body instanceof Promise ? body.then(send) : send(body)
  }
}

/** Where this request goes on the route's upstream: its path and query, ready for the request line. */
export function upstreamTarget(
  { upstream, stripPrefix }: Route,
  { target }: GatewayRequest,
): string {
  if (!target.ok) throw new ServerError('invalid_target', target.reason)
  return upstream.target(target.path.slice(stripPrefix.length), target.query)
}

type Body = Buffer | Upload | null

function requestBody(
  c: Context<GatewayEnv>,
  limits: BodyLimits,
  passage: Passage,
): Body | Promise<Body> {
  const { incoming, outgoing } = c.env
  const known = c.get('body')
  if (known !== undefined) return known
  const length = bodyLength(incoming)
  if (length === 0) return null
  if (length !== 'unknown' && length > limits.limit) throw tooLarge(limits.limit)
  // From here on the body is wanted: authentication and size have had their say.
  incoming.welcomeBody(outgoing)
  if (length !== 'unknown' && length <= READ_FIRST_BYTES) {
    return readBody(incoming, length, limits, c.get('exchange').deadlineAt)
  }
  return new Upload(incoming, limits, () => passage.bodySent())
}

function forwardedHeaders(
  c: Context<GatewayEnv>,
  route: Route,
  incoming: GatewayRequest,
  body: Body,
): string[] {
  const exchange = c.get('exchange')
  const headers = requestHeaders(
    incoming.rawHeaders,
    incoming.headers.connection,
    route.upstream.credentials,
    c.get('consumedHeaders'),
  )
  headers.push('x-request-id', exchange.requestId)
  const length = incoming.headers['content-length']
  if (body instanceof Upload && length !== undefined) headers.push('content-length', length)
  if (route.upstream.protocol === 'http') pushForwarded(headers, c)
  return headers
}

/**
 * Our own services hear who calls them; a provider has no business with that. What a trusted proxy in
 * front says of the client's own connection holds; what anyone else says does not.
 */
export function pushForwarded(headers: string[], c: Context<GatewayEnv>): void {
  const { incoming } = c.env
  const { clientIp, peerTrusted } = c.get('exchange')
  const proto = peerTrusted ? incoming.headers['x-forwarded-proto'] : undefined
  const host = peerTrusted ? incoming.headers['x-forwarded-host'] : undefined
  headers.push('x-forwarded-for', clientIp)
  headers.push('x-forwarded-proto', proto === 'https' || incoming.secure ? 'https' : 'http')
  const named = typeof host === 'string' ? host : incoming.headers.host
  if (named !== undefined) headers.push('x-forwarded-host', named)
}
