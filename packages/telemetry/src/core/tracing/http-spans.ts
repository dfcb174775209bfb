import type { SpanAttributes, SpanEnding, SpanOptions } from './span.ts'
import type { BeginOptions } from './tracing.ts'

// Names by OpenTelemetry's semantic conventions for HTTP, stable since 1.23. No other file has them.
const REQUEST_METHOD = 'http.request.method'
const REQUEST_METHOD_ORIGINAL = 'http.request.method_original'
const RESEND_COUNT = 'http.request.resend_count'
const RESPONSE_STATUS = 'http.response.status_code'
const ROUTE = 'http.route'

const knownMethods = new Set(
  'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE'.split(' '),
)
const maxPath = 1_024

/** A request that came in. */
export interface ServerRequest {
  readonly method: string
  /** The path; what follows a `?` or `#` is never recorded. */
  readonly path: string
  /** `http` or `https`. */
  readonly scheme?: string
  /** The pattern of the route; once it is known: {@link routed}. */
  readonly route?: string
  /** The host that was asked for, without its port. */
  readonly serverAddress?: string
  readonly serverPort?: number
  /** Who asks. */
  readonly clientAddress?: string
  readonly userAgent?: string
  /** `1.1` or `2`. */
  readonly protocolVersion?: string
}

/** A request that goes out. */
export interface ClientRequest {
  readonly method: string
  /** Where to; userinfo, query and fragment are never recorded. */
  readonly url: string
  /** How many tries came before this one. Default: 0. */
  readonly resendCount?: number
}

/**
 * The span of a request that came in, for `tracing.begin`. Where few requests are sampled, begin without
 * it, and `set` its attributes only if the span is `sampled`.
 */
export function serverSpan(request: ServerRequest): BeginOptions & { readonly name: string } {
  return {
    name: nameOf(request.method, request.route),
    kind: 'server',
    attributes: {
      ...methodOf(request.method),
      'url.path': pathOf(request.path),
      'url.scheme': request.scheme,
      [ROUTE]: request.route,
      'server.address': request.serverAddress,
      'server.port': request.serverPort,
      'client.address': request.clientAddress,
      'user_agent.original': request.userAgent,
      'network.protocol.version': request.protocolVersion,
    },
  }
}

/** What a server's span is called and says once its route is known. */
export function routed(
  method: string,
  route: string,
): { readonly name: string; readonly attributes: SpanAttributes } {
  return { name: nameOf(method, route), attributes: { [ROUTE]: route } }
}

/** The span of one try of a request that goes out, for `span.child`. */
export function clientSpan(request: ClientRequest): SpanOptions & { readonly name: string } {
  const url = URL.parse(request.url)
  const resent = request.resendCount ?? 0
  return {
    name: nameOf(request.method, undefined),
    kind: 'client',
    attributes: {
      ...methodOf(request.method),
      'url.full': url === null ? undefined : url.origin + pathOf(url.pathname),
      'server.address': url?.hostname.replace(/^\[|\]$/g, ''),
      'server.port': url === null ? undefined : portOf(url),
      [RESEND_COUNT]: resent === 0 ? undefined : resent,
    },
  }
}

/**
 * How a server's span ends. A status of 500 and above is an error; one of 400 and above is the caller's
 * affair, and the trace says only the status.
 *
 * @param error a code of what went wrong where the status alone doesn't tell: a stream that broke
 */
export function serverEnding(status: number | undefined, error?: string): SpanEnding {
  return ending(status, error, 500)
}

/** How a client's span ends. A status of 400 and above is an error, as is no answer with its code. */
export function clientEnding(status: number | undefined, error?: string): SpanEnding {
  return ending(status, error, 400)
}

function ending(status: number | undefined, error: string | undefined, bad: number): SpanEnding {
  const failure = error ?? (status !== undefined && status >= bad ? String(status) : undefined)
  return {
    ...(status !== undefined && { attributes: { [RESPONSE_STATUS]: status } }),
    ...(failure !== undefined && { error: failure }),
  }
}

function methodOf(method: string): SpanAttributes {
  if (knownMethods.has(method)) return { [REQUEST_METHOD]: method }
  return { [REQUEST_METHOD]: '_OTHER', [REQUEST_METHOD_ORIGINAL]: method.slice(0, 32) }
}

/** Never the path: as many names as callers like would be made of it. */
function nameOf(method: string, route: string | undefined): string {
  const known = knownMethods.has(method) ? method : 'HTTP'
  return route === undefined ? known : `${known} ${route}`
}

function pathOf(path: string): string {
  const end = path.search(/[?#]/)
  return (end < 0 ? path : path.slice(0, end)).slice(0, maxPath)
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
