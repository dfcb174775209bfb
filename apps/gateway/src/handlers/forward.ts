import type { Exchange } from '@tidegate/server'
import { ServerError } from '@tidegate/server'
import type { Context, Handler } from 'hono'
import type { Outbound } from '../answers/outbound.ts'
import type { GatewayEnv } from '../env.ts'
import type { GatewayRequest } from '../request.ts'
import type { Route } from '../routes.ts'
import type { Message } from '../upstreams/attempt.ts'
import { Call } from '../upstreams/call.ts'
import type { Ask } from '../upstreams/call-parts.ts'
import type { Endpoint } from '../upstreams/endpoint.ts'
import { requestHeaders } from '../upstreams/headers.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { askForUsage } from '../usage/stream-options.ts'
import type { TokenMeter } from '../usage/token-meter.ts'
import { type BodyLimits, bodyLength, readBody, tooLarge, Upload } from './body.ts'
import { renameModel } from './model-alias.ts'

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

type Body = Buffer | Upload | null

/** The end of a route: carries the request to its upstreams and the answer back. */
export function forward({
  route,
  transfer: limits,
  failureLog,
  calls: observer,
}: Omit<Outbound, 'logger'>): Handler<GatewayEnv> {
  const { upstreams, holdBack } = route
  const readFirst = bytesToRead(route)
  return (c) => {
    const exchange = c.get('exchange')
    const { outgoing } = c.env
    const tokens = c.get('tokens')
    const send = (body: Body): Promise<Response> => {
      // What is kept back or counted has to be read.
      const readable = holdBack !== 'off' || tokens !== undefined
      const ask = new ForwardedRequest(c, route, body, tokens, readable)
      const call = new Call({
        ...{ upstreams, ask, exchange, outgoing, failureLog, holdBack, tokens, observer },
        span: c.get('span'),
        writeLimit: limits.write,
      })
      c.set('call', call)
      if (body instanceof Upload) body.onSent(() => call.bodySent())
      return call.run()
    }
    const body = requestBody(c, limits.body, readFirst)
    return body instanceof Promise ? body.then(send) : send(body)
  }
}

/** Bodies up to this size are read whole: what is to be sent again, or looked into, has to be there. */
function bytesToRead({ upstreams }: Route): number {
  const sizes = upstreams.map(({ retry, endpoints, models }) => {
    if (models.size > 0) return Number.POSITIVE_INFINITY
    const repeats = retry.retries > 0 || endpoints.length > 1 || upstreams.length > 1
    return repeats ? retry.bodyLimit : 0
  })
  return Math.max(READ_FIRST_BYTES, ...sizes)
}

function requestBody(
  c: Context<GatewayEnv>,
  limits: BodyLimits,
  readFirst: number,
): Body | Promise<Body> {
  const { incoming, outgoing } = c.env
  const known = c.get('body')
  if (known !== undefined) return known
  const length = bodyLength(incoming)
  if (length === 0) return null
  if (length !== 'unknown' && length > limits.limit) throw tooLarge(limits.limit)
  // From here on the body is wanted: authentication and size have had their say.
  incoming.welcomeBody(outgoing)
  if (length === 'unknown' ? readFirst === Number.POSITIVE_INFINITY : length <= readFirst) {
    return readBody(incoming, length, limits, c.get('exchange'))
  }
  return new Upload(incoming, limits)
}

/** A client's request as each of a route's upstreams gets it. */
export class ForwardedRequest implements Ask {
  readonly method: string
  readonly path: string
  readonly replayable: boolean
  readonly #context: Context<GatewayEnv>
  readonly #route: Route
  readonly #body: Body
  readonly #tokens: TokenMeter | undefined
  readonly #readable: boolean

  /**
   * `tokens`: what counts them. `readable`: whether the answer has to be read on its way; otherwise it comes
   * as the client itself wishes.
   */
  constructor(
    c: Context<GatewayEnv>,
    route: Route,
    body: Body,
    tokens: TokenMeter | undefined,
    readable: boolean,
  ) {
    const { incoming } = c.env
    this.method = c.get('exchange').method
    this.path = incoming.target.ok ? incoming.target.path : ''
    this.replayable = body === null || (body instanceof Buffer && body.length <= route.replayBytes)
    this.#context = c
    this.#route = route
    this.#body = body
    this.#tokens = tokens
    this.#readable = readable
  }

  get content(): Buffer | undefined {
    return this.#body instanceof Buffer ? this.#body : undefined
  }

  target(endpoint: Endpoint): string {
    return upstreamTarget(this.#route, endpoint, this.#context.env.incoming)
  }

  message(upstream: Upstream, endpoint: Endpoint, traceHeaders?: readonly string[]): Message {
    const { incoming } = this.#context.env
    let body = this.#body
    if (body instanceof Buffer) {
      if (upstream.models.size > 0) {
        body = renameModel(body, upstream.models, incoming.headers['content-type'])
      }
      if (this.#tokens?.question.ask(endpoint)) body = askForUsage(body)
    }
    return {
      method: this.method,
      path: this.target(endpoint),
      headers: this.#headers(upstream, endpoint, body, traceHeaders),
      body,
    }
  }

  #headers(
    upstream: Upstream,
    endpoint: Endpoint,
    body: Body,
    traceHeaders: readonly string[] | undefined,
  ): string[] {
    const c = this.#context
    const { incoming } = c.env
    const headers = requestHeaders(
      incoming.rawHeaders,
      incoming.headers.connection,
      endpoint.credentials,
      c.get('consumedHeaders'),
      this.#readable,
      traceHeaders,
    )
    const { requestId } = c.get('exchange')
    headers.push('x-request-id', requestId)
    const length = incoming.headers['content-length']
    if (body instanceof Upload && length !== undefined) headers.push('content-length', length)
    if (endpoint.idempotencyHeader !== undefined && this.method === 'POST') {
      pushIdempotencyKey(headers, endpoint.idempotencyHeader, incoming, requestId)
    }
    if (upstream.protocol === 'http') pushForwarded(headers, c)
    return headers
  }
}

/** The same on every attempt, so that the provider can tell a repeat from a new request. */
function pushIdempotencyKey(
  headers: string[],
  name: string,
  incoming: GatewayRequest,
  requestId: string,
): void {
  if (incoming.headers[name] === undefined) headers.push(name, requestId)
}

/** Where this request goes on an endpoint: its path and query, ready for the request line. */
export function upstreamTarget(
  { stripPrefix }: Route,
  endpoint: Endpoint,
  { target }: GatewayRequest,
): string {
  if (!target.ok) throw new ServerError('invalid_target', target.reason)
  return endpoint.target(target.path.slice(stripPrefix.length), target.query)
}

/**
 * Our own services hear who calls them; a provider has no business with that. What a trusted proxy in
 * front says of the client's own connection holds; what anyone else says does not.
 */
export function pushForwarded(headers: string[], c: Context<GatewayEnv>): void {
  const { clientIp }: Exchange = c.get('exchange')
  headers.push('x-forwarded-for', clientIp, ...calledBy(c))
}

/** By which scheme and name the client has called us: services make their links of it. */
export function calledBy(c: Context<GatewayEnv>): string[] {
  const { incoming } = c.env
  const { peerTrusted }: Exchange = c.get('exchange')
  const proto = peerTrusted ? incoming.headers['x-forwarded-proto'] : undefined
  const host = peerTrusted ? incoming.headers['x-forwarded-host'] : undefined
  const told = ['x-forwarded-proto', proto === 'https' || incoming.secure ? 'https' : 'http']
  const named = typeof host === 'string' ? host : incoming.headers.host
  if (named !== undefined) told.push('x-forwarded-host', named)
  return told
}
