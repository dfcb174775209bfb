import type { Context, MiddlewareHandler } from 'hono'
import { canonicalAddress } from '../network/address.ts'
import { resolveClientIp } from '../network/client-ip.ts'
import { isLoopback, type Trust } from '../network/trust.ts'
import { applyHeaders } from './apply-headers.ts'
import { incomingOf, onConnectionEnd, requestHeader } from './connection.ts'
import type { Exchange, ExchangeEnv } from './exchange.ts'
import { isStrict, type Profile } from './profile.ts'
import { ExchangeRecord } from './record.ts'
import { acceptRequestId, newRequestId } from './request-id.ts'
import { timingHeaders } from './timing.ts'

/** What {@link exchange} needs to know. */
export interface ExchangeOptions {
  readonly profile: Profile
  /** The proxies whose `X-Forwarded-For` and `X-Request-ID` are believed. */
  readonly trust: Trust
  /** This server's name in `Server-Timing`, an HTTP token. Default `server`. */
  readonly service?: string
  /** A clock in milliseconds. Default `performance.now()`. */
  readonly now?: () => number
}

/**
 * The outermost middleware: opens the request's {@link Exchange} at `c.var.exchange` and, when a
 * handler returned a response, puts the kit's headers, `server-timing` and `x-response-time` on it.
 * When a handler wrote Node's response itself (`exchange.sent`), nothing is touched.
 *
 * A well-formed `X-Request-ID` is kept from anyone in development and test; in staging and production
 * from trusted proxies and loopback. Otherwise it becomes `clientRequestId`, and the request gets an
 * id of ours.
 */
export function exchange(options: ExchangeOptions): MiddlewareHandler<ExchangeEnv> {
  const { open, finish } = createExchanges(options)
  return async function exchangeMiddleware(c, next) {
    const record = open(c)
    try {
      await next()
    } catch (thrown) {
      // Hono hands only instances of Error to onError; anything else would end as a bare 500.
      throw thrown instanceof Error
        ? thrown
        : new Error('Not an Error was thrown.', { cause: thrown })
    }
    if (record.sent) return
    const response = finish(c, c.res)
    if (response !== c.res) c.res = response
  }
}

/** What {@link exchange} is made of, for whoever puts handlers together without middleware. */
export interface Exchanges {
  /** Opens the request's exchange at `c.var.exchange`. */
  readonly open: (c: Context) => Exchange
  /**
   * Puts the kit's headers onto the response that a handler returned, or onto a copy where it can't be
   * changed, and follows it to its end. Only for an exchange that isn't `sent`.
   */
  readonly finish: (c: Context, response: Response) => Response
}

/** Compiles the two halves of {@link exchange}. */
export function createExchanges(options: ExchangeOptions): Exchanges {
  const { trust, service = 'server', now = () => performance.now() } = options
  const peers = createPeers(options)
  const open = (c: Context): ExchangeRecord => {
    const peer = peers(incomingOf(c)?.socket?.remoteAddress)
    const given = acceptRequestId(requestHeader(c, 'x-request-id'))
    const kept = peer.mayNameRequests ? given : undefined
    const record = new ExchangeRecord({
      context: c,
      requestId: kept ?? newRequestId(),
      clientRequestId: kept === undefined ? given : undefined,
      service,
      peerIp: peer.ip,
      clientIp: peer.trusted
        ? resolveClientIp({
            peer: peer.ip,
            forwardedFor: requestHeader(c, 'x-forwarded-for'),
            trust,
          })
        : peer.ip,
      peerTrusted: peer.trusted,
      now,
    })
    c.set('exchange', record)
    return record
  }
  return { open, finish: (c, response) => finish(c, response, now()) }
}

interface Peer {
  readonly ip: string
  readonly trusted: boolean
  readonly mayNameRequests: boolean
}

const CACHED_PEERS = 1024

function createPeers({ profile, trust }: ExchangeOptions): (address: string | undefined) => Peer {
  const anyoneNames = !isStrict(profile)
  const known = new Map<string, Peer>()
  return (address = 'unknown') => {
    let peer = known.get(address)
    if (peer !== undefined) return peer
    const ip = canonicalAddress(address)
    const trusted = trust.trusts(ip)
    peer = { ip, trusted, mayNameRequests: anyoneNames || trusted || isLoopback(ip) }
    if (known.size >= CACHED_PEERS) known.clear()
    known.set(address, peer)
    return peer
  }
}

function finish(c: Context, response: Response, now: number): Response {
  const record = exchangeOf(c)
  const timing = timingHeaders(record, now)
  let finished = response
  try {
    applyHeaders(finished.headers, record.headers)
    applyHeaders(finished.headers, timing)
  } catch {
    // The headers of a response that came from fetch() or Response.redirect() can't be changed.
    finished = new Response(response.body, response)
    applyHeaders(finished.headers, record.headers)
    applyHeaders(finished.headers, timing)
  }
  record.status = finished.status
  settleOnceSent(c, record)
  return finished
}

function settleOnceSent(c: Context, record: Exchange): void {
  if (incomingOf(c) === undefined) {
    // Without a connection to watch, handing the response over is the end that can be seen.
    if (record.outcome === 'open') record.outcome = 'complete'
    return
  }
  onConnectionEnd(c, (complete) => {
    if (record.outcome === 'open') record.outcome = complete ? 'complete' : 'client_gone'
  })
}

/**
 * The exchange of a context.
 *
 * @throws Error when {@link exchange} isn't among the middleware before this one.
 */
export function exchangeOf(c: Context): Exchange {
  const record = c.get('exchange') as Exchange | undefined
  if (record !== undefined) return record
  throw new Error(
    'There is no exchange: app.use(exchange({ … })) must come before this middleware.',
  )
}
