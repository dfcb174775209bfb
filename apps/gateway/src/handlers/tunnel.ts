import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { ClientGone } from '@tidegate/server'
import type { Context, Handler } from 'hono'
import type { GatewayEnv } from '../env.ts'
import { GatewayError } from '../problems.ts'
import type { Upgrade } from '../request.ts'
import type { Route } from '../routes.ts'
import type { Endpoint } from '../upstreams/endpoint.ts'
import { deadline, unavailable } from '../upstreams/failure.ts'
import { faultOf } from '../upstreams/faults.ts'
import { requestHeaders, responseHeaders } from '../upstreams/headers.ts'
import { traceHeadersOf } from '../upstreams/trace-headers.ts'
import { chooseEndpoint, type Upstream } from '../upstreams/upstream.ts'
import { pushForwarded, upstreamTarget } from './forward.ts'

/** Probes a silent connection, so that a peer which vanished without a word is noticed. */
const TCP_KEEP_ALIVE_MS = 30_000

/** How long one side may stay open after the other has said its last. */
const HALF_CLOSED_MS = 10_000

/**
 * The end of a route for a WebSocket handshake, after the same policies as any request. The upstream
 * answers the handshake; from then on bytes pass as they are, with backpressure, both ways, until
 * either side closes. Frames, pings and close codes are never looked at, and no idle limit applies.
 */
export function tunnel(route: Route): Handler<GatewayEnv> {
  return async (c) => {
    const { incoming } = c.env
    const upgrade = incoming.upgraded
    if (upgrade === undefined || incoming.headers.upgrade?.toLowerCase() !== 'websocket') {
      throw new GatewayError('upgrade_unsupported', 'Only upgrades to "websocket" are passed on.')
    }
    const sentAt = performance.now()
    const answer = await findUpstream(c, route)
    c.get('exchange').timings.push({ name: 'upstream', ms: performance.now() - sentAt })
    c.get('exchange').sent = true
    if ('socket' in answer) {
      await join(c, upgrade, answer)
    } else {
      await passOn(c, answer.response)
    }
    return RESPONSE_ALREADY_SENT
  }
}

interface Switched {
  readonly response: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

type Answered = Switched | { readonly response: IncomingMessage }

/**
 * Asks one endpoint after the other until one answers the handshake, in the route's order: nothing but
 * the handshake has been sent by then, so that it can be repeated.
 */
async function findUpstream(c: Context<GatewayEnv>, route: Route): Promise<Answered> {
  const exchange = c.get('exchange')
  const { deadlineAt = Number.POSITIVE_INFINITY } = exchange
  let fault: Error = unavailable(route.primary).error
  for (const upstream of route.upstreams) {
    const asked: Endpoint[] = []
    for (;;) {
      const endpoint = chooseEndpoint(upstream, asked)
      if (endpoint === undefined) break
      asked.push(endpoint)
      exchange.hop = `upstream ${upstream.name}`
      const permit = endpoint.breaker?.tryEnter()
      const { traffic } = endpoint
      traffic.attempts += 1
      try {
        const answer = await handshake(c, route, upstream, endpoint)
        permit?.succeed()
        traffic.answered += 1
        traffic.lastAnswerAt = Date.now()
        return answer
      } catch (error) {
        if (!(error instanceof GatewayError)) {
          permit?.release()
          throw error
        }
        permit?.fail()
        traffic.failed += 1
        traffic.lastFailureAt = Date.now()
        traffic.lastFailure = error.code
        fault = error
      }
      // Whoever asked has left, or has no time left, while this one was tried.
      if (c.env.incoming.upgraded?.socket.destroyed) throw new ClientGone()
      if (performance.now() >= deadlineAt) throw deadline(route.primary).error
    }
  }
  throw fault
}

/** Sends the handshake up; resolves with the switched connection, or with the refusal to pass on. */
function handshake(
  c: Context<GatewayEnv>,
  route: Route,
  upstream: Upstream,
  endpoint: Endpoint,
): Promise<Answered> {
  const { url } = endpoint
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const up: ClientRequest = send({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: upstreamTarget(route, endpoint, c.env.incoming),
      method: 'GET',
      headers: handshakeHeaders(c, upstream, endpoint),
      agent: false,
    })
    const timer = setTimeout(() => {
      up.destroy(new GatewayError('upstream_timeout', `"${upstream.name}" did not answer in time.`))
    }, upstream.timeouts.firstByte)
    const leave = (): void => {
      up.destroy(new Error('The client left.'))
    }
    c.env.incoming.upgraded?.socket.once('close', leave)
    const settle = (): void => {
      clearTimeout(timer)
      c.env.incoming.upgraded?.socket.off('close', leave)
    }
    up.once('upgrade', (response, socket, head) => {
      settle()
      resolve({ response, socket, head })
    })
    up.once('response', (response) => {
      settle()
      resolve({ response })
    })
    up.on('error', (error) => {
      settle()
      c.get('exchange').fault = error
      reject(faultOf(error))
    })
    up.end()
  })
}

function handshakeHeaders(
  c: Context<GatewayEnv>,
  upstream: Upstream,
  endpoint: Endpoint,
): string[] {
  const { incoming } = c.env
  const span = c.get('span')
  // `Connection: Upgrade` is this hop's own; what else it names stays here.
  const listed = incoming.headers.connection?.replace(/\bupgrade\b/gi, '')
  const headers = requestHeaders(
    incoming.rawHeaders,
    listed,
    endpoint.credentials,
    c.get('consumedHeaders'),
    false,
    traceHeadersOf(span),
  )
  headers.push('host', endpoint.url.host, 'connection', 'Upgrade', 'upgrade', 'websocket')
  headers.push('x-request-id', c.get('exchange').requestId)
  if (upstream.protocol === 'http') pushForwarded(headers, c)
  return headers
}

/** Answers the client with the upstream's own 101 and joins the two connections. */
function join(c: Context<GatewayEnv>, client: Upgrade, up: Switched): Promise<void> {
  const exchange = c.get('exchange')
  const { outgoing } = c.env
  const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket']
  const headers: string[] = []
  responseHeaders(up.response.headers, exchange.headers, headers)
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  exchange.status = 101
  outgoing.statusCode = 101
  if (client.socket instanceof Socket) outgoing.detachSocket(client.socket)
  client.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  if (client.head.length > 0) up.socket.write(client.head)
  if (up.head.length > 0) client.socket.write(up.head)
  return new Promise((resolve) => {
    splice(client.socket, up.socket)
    splice(up.socket, client.socket)
    let open = 2
    const closed = (): void => {
      open -= 1
      if (open > 0) return
      exchange.outcome = 'complete'
      // The response left through the bare connection: Node can't tell that it is over.
      outgoing.emit('close')
      resolve()
    }
    client.socket.once('close', closed)
    up.socket.once('close', closed)
  })
}

/** Carries one direction. A half-close passes as such; a connection that broke breaks the other. */
function splice(from: Duplex, to: Duplex): void {
  if (from instanceof Socket) from.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS)
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.once('end', () => {
    to.end()
    // A WebSocket has no use for half a connection: the other half closes, or is closed.
    setTimeout(() => {
      from.destroy()
      to.destroy()
    }, HALF_CLOSED_MS).unref()
  })
  from.once('error', () => breakOff(to))
  from.once('close', () => {
    if (!from.readableEnded) breakOff(to)
    else if (!to.writableEnded) to.end()
  })
}

function breakOff(socket: Duplex): void {
  if (socket.destroyed) return
  if (socket instanceof Socket && !('encrypted' in socket)) socket.resetAndDestroy()
  else socket.destroy()
}

/** The upstream refused the handshake: its answer goes to the client as it is. */
function passOn(c: Context<GatewayEnv>, response: IncomingMessage): Promise<void> {
  const exchange = c.get('exchange')
  const { outgoing } = c.env
  const headers: string[] = []
  responseHeaders(response.headers, exchange.headers, headers)
  headers.push('connection', 'close')
  exchange.status = response.statusCode ?? 502
  outgoing.writeHead(exchange.status, response.statusMessage, headers)
  response.pipe(outgoing)
  return new Promise((resolve) => {
    outgoing.once('close', resolve)
    response.once('error', () => outgoing.destroy())
    outgoing.once('finish', () => {
      exchange.outcome = 'complete'
    })
  })
}
