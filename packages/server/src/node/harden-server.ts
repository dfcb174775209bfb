import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { newRequestId } from '../exchange/request-id.ts'
import { ServerError } from '../problems/errors.ts'
import { createProblems, type Problems } from '../problems/problems.ts'
import { SERVER_PROBLEMS } from '../problems/table.ts'
import { refuse } from './refusal.ts'
import { endUnread } from './unread.ts'

/** Limits and answers of {@link hardenServer}. */
export interface HardenOptions {
  /** How long an idle connection is kept for another request. Default 65 000 ms. */
  readonly keepAliveMs?: number
  /** Connections at a time; more are closed unheard. Default 10 000. */
  readonly maxConnections?: number
  /** Requests on one connection before it is closed. Default 0: any number. */
  readonly maxRequestsPerConnection?: number
  /** How long a client may leave a pending answer unread. Default 60 000 ms. */
  readonly unreadMs?: number
  /** Renders the refusals. Default: the kit's own table, as in production. */
  readonly problems?: Pick<Problems, 'render'>
  /**
   * Called for each refusal: with the error's code, or `connection_limit` for a connection that was
   * closed unheard, and the peer's address.
   */
  readonly onRefused?: (reason: string, remoteAddress: string | undefined) => void
}

/**
 * Gives a server the defences that stand before any request handler:
 *
 * - what Node's parser refuses is answered with one JSON problem and `connection: close`: 400 malformed,
 *   408 too slow, 413 chunk extensions, 431 headers too large. Where a response has begun, the
 *   connection is reset instead, so that it never looks finished;
 * - `CONNECT` is answered 405, an `Expect` other than `100-continue` 417;
 * - connections, their idle time and their requests are limited, and no header is dropped in silence;
 * - a client that stops reading its answer, or says its last before it has it, loses its connection.
 *
 * The timeouts themselves can only be given when the server is made: see {@link serverOptions}.
 */
export function hardenServer(server: Server, options: HardenOptions = {}): void {
  const problems = options.problems ?? createProblems({ table: SERVER_PROBLEMS, production: true })
  const onRefused = options.onRefused ?? (() => {})
  server.keepAliveTimeout = options.keepAliveMs ?? 65_000
  server.maxConnections = options.maxConnections ?? 10_000
  server.maxRequestsPerSocket = options.maxRequestsPerConnection ?? 0
  // Node would drop headers beyond a count; their size is limited, and what passes is seen whole.
  server.maxHeadersCount = 0

  endUnread(server, options.unreadMs ?? 60_000)

  const refused = new WeakSet<Duplex>()
  const refuseOnce = (socket: Duplex, error: ServerError): void => {
    refused.add(socket)
    onRefused(error.code, addressOf(socket))
    refuse(socket, error, problems.render)
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Bytes that follow the faulty ones are faulty again.
    if (refused.has(socket)) return
    refused.add(socket)
    afterAnswers(socket, () => {
      if (canAnswer(error, socket)) refuseOnce(socket, toServerError(error))
      else socket.destroy()
    })
  })
  server.on('connect', (_request, socket) => refuseOnce(socket, connectRefused()))
  server.on('checkExpectation', (request, response) => {
    onRefused('expectation_failed', addressOf(request.socket))
    answer(request, response, problems.render)
  })
  server.on('drop', (dropped) => onRefused('connection_limit', dropped?.remoteAddress))
}

function addressOf(socket: Duplex): string | undefined {
  return (socket as Partial<Socket>).remoteAddress
}

/** The response that Node is writing on a connection: the one thing about it that isn't public. */
interface Answering {
  readonly _httpMessage?: ServerResponse | null
}

/**
 * Waits for the answers to requests that came whole: what is faulty is a later one, and its refusal
 * would be taken for the answer to the first.
 */
function afterAnswers(socket: Duplex, proceed: () => void): void {
  const answering = (socket as Answering)._httpMessage
  if (!answering?.req.complete) proceed()
  else answering.once('close', () => afterAnswers(socket, proceed))
}

function canAnswer(error: NodeJS.ErrnoException, socket: Duplex): boolean {
  if (error.code === 'ECONNRESET' || !socket.writable) return false
  // A browser's spare connection that timed out: an answer would be taken for its next request's.
  if ((socket as Partial<Socket>).bytesRead === 0) return false
  return (socket as Answering)._httpMessage?.headersSent !== true
}

function toServerError(error: NodeJS.ErrnoException): ServerError {
  const options = { cause: error }
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ServerError(
        'header_overflow',
        'The request line and headers are too large.',
        options,
      )
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ServerError('request_timeout', 'The request took too long to arrive.', options)
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ServerError('payload_too_large', 'The chunk extensions are too large.', options)
    default:
      return new ServerError('malformed_request', 'The request is not valid HTTP/1.1.', options)
  }
}

function connectRefused(): ServerError {
  return new ServerError('method_not_allowed', 'This server is no tunnel: CONNECT is refused.')
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  render: Problems['render'],
): void {
  const requestId = newRequestId()
  const message = 'The only expectation this server can meet is 100-continue.'
  const error = new ServerError('expectation_failed', message)
  const problem = render(error, {
    requestId,
    instance: (request.url ?? '/').split('?', 1)[0] ?? '/',
  })
  // The client waits with its body, or may have sent it: the connection can't serve another request.
  response.shouldKeepAlive = false
  const length = String(Buffer.byteLength(problem.body))
  const own = ['x-request-id', requestId, 'content-length', length]
  response.writeHead(problem.status, [...problem.headers, ...own])
  response.end(problem.body)
}
