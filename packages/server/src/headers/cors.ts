import type { MiddlewareHandler } from 'hono'
import { requestHeader } from '../exchange/connection.ts'
import type { ExchangeEnv } from '../exchange/exchange.ts'
import { exchangeOf } from '../exchange/middleware.ts'
import { isStrict, type Profile } from '../exchange/profile.ts'
import { SetupError } from '../problems/errors.ts'
import { compileOrigins } from './origins.ts'

/** Who may call this server from a browser, and how. */
export interface CorsOptions {
  readonly profile: Profile
  /**
   * The origins allowed: exact, `https://*.example.com` for subdomains, or `*` for any. Default: none
   * in staging and production, any in development and test.
   */
  readonly origins?: readonly string[]
  /** Response headers that scripts may read. */
  readonly exposeHeaders?: readonly string[]
  /** Methods allowed where the origins are limited. Default GET, HEAD, POST, PUT, PATCH, DELETE. */
  readonly methods?: readonly string[]
  /** Request headers allowed where the origins are limited. Default {@link CORS_REQUEST_HEADERS}. */
  readonly headers?: readonly string[]
  /** Whether browsers may send cookies along. Default false. */
  readonly credentials?: boolean
  /** How long a browser may remember a preflight's answer. Default 600 seconds. */
  readonly maxAgeSeconds?: number
}

/** CORS, compiled: what to answer to an origin. Lists are flat, shared and frozen. */
export interface Cors {
  /** The headers for a response to a request from this origin (`undefined`: none was sent). */
  readonly headers: (origin: string | undefined) => readonly string[]
  /** The headers for the answer to a preflight. */
  readonly preflight: (request: Preflight) => readonly string[]
}

/** What a browser asks before a request that isn't simple. */
export interface Preflight {
  readonly origin: string | undefined
  readonly method: string
  /** `Access-Control-Request-Headers`. */
  readonly headers: string | undefined
}

/** The request headers that browsers may send by default: those of AI clients and of this server. */
export const CORS_REQUEST_HEADERS: readonly string[] = Object.freeze([
  ...['accept', 'authorization', 'content-type', 'idempotency-key', 'last-event-id', 'x-api-key'],
  ...['x-request-id', 'x-session-id', 'openai-beta', 'openai-organization', 'openai-project'],
  ...['anthropic-beta', 'anthropic-version', 'anthropic-dangerous-direct-browser-access'],
  ...['x-stainless-arch', 'x-stainless-async', 'x-stainless-custom-poll-interval'],
  ...['x-stainless-helper-method', 'x-stainless-lang', 'x-stainless-os'],
  ...['x-stainless-package-version', 'x-stainless-poll-helper', 'x-stainless-retry-count'],
  ...['x-stainless-runtime', 'x-stainless-runtime-version', 'x-stainless-timeout'],
])

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const TOKEN_LIST = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/
const CACHED_ORIGINS = 1024

/**
 * Compiles CORS to two look-ups, for a hot path without middleware. Development and test without
 * a list answer any origin, method and header; otherwise only those listed are. `*` never goes with
 * credentials. As soon as the answer depends on the origin, `vary` says so, to every request.
 *
 * @throws SetupError for what is no origin, and for `*` together with credentials.
 */
export function compileCors(options: CorsOptions): Cors {
  const { origins = [], credentials = false } = options
  const lenient = !isStrict(options.profile) && origins.length === 0
  const anyone = lenient || origins.includes('*')
  if (credentials && origins.includes('*') && !lenient) {
    throw new SetupError(
      'CORS with credentials can not be open to any origin (*): list the origins.',
    )
  }
  const allows = anyone ? () => true : compileOrigins(origins)
  const forOrigin = cachedByOrigin((origin) =>
    origin === undefined || !allows(origin) ? undefined : allowed(options, anyone, origin),
  )
  const refused = Object.freeze(anyone && !credentials ? [] : ['vary', 'Origin'])
  const limits = lenient ? undefined : preflightLimits(options)
  return {
    headers: (origin) => forOrigin(origin) ?? refused,
    preflight(request) {
      const headers = forOrigin(request.origin)
      if (headers === undefined) return refused
      return [...headers, ...(limits ?? reflected(request)), ...maxAge(options)]
    },
  }
}

/**
 * Answers preflights with 204 and adds the CORS headers to all other responses. An `OPTIONS` request
 * without `Access-Control-Request-Method` is no preflight and passes on.
 */
export function cors(options: CorsOptions): MiddlewareHandler<ExchangeEnv> {
  const compiled = compileCors(options)
  return (c, next) => {
    const { headers, method } = exchangeOf(c)
    const origin = requestHeader(c, 'origin')
    const asked =
      method === 'OPTIONS' ? requestHeader(c, 'access-control-request-method') : undefined
    if (asked === undefined) {
      headers.push(...compiled.headers(origin))
      return next()
    }
    const requested = requestHeader(c, 'access-control-request-headers')
    headers.push(...compiled.preflight({ origin, method: asked, headers: requested }))
    return Promise.resolve(c.body(null, 204))
  }
}

type HeadersOf = (origin: string | undefined) => readonly string[] | undefined

function cachedByOrigin(compute: HeadersOf): HeadersOf {
  const known = new Map<string, readonly string[] | undefined>()
  return (origin) => {
    if (origin === undefined) return compute(undefined)
    if (known.has(origin)) return known.get(origin)
    const headers = compute(origin)
    if (known.size >= CACHED_ORIGINS) known.clear()
    known.set(origin, headers)
    return headers
  }
}

function allowed(options: CorsOptions, anyone: boolean, origin: string): readonly string[] {
  const { credentials = false, exposeHeaders = [] } = options
  const star = anyone && !credentials
  const headers = ['access-control-allow-origin', star ? '*' : origin]
  if (credentials) headers.push('access-control-allow-credentials', 'true')
  if (exposeHeaders.length > 0) {
    headers.push('access-control-expose-headers', exposeHeaders.join(', '))
  }
  if (!star) headers.push('vary', 'Origin')
  return Object.freeze(headers)
}

function preflightLimits(options: CorsOptions): readonly string[] {
  const { methods = METHODS, headers = CORS_REQUEST_HEADERS } = options
  return [
    'access-control-allow-methods',
    methods.join(', '),
    'access-control-allow-headers',
    headers.join(', '),
  ]
}

function reflected({ method, headers }: Preflight): readonly string[] {
  const list = [
    'access-control-allow-methods',
    TOKEN_LIST.test(method) ? method : METHODS.join(', '),
  ]
  if (headers !== undefined && TOKEN_LIST.test(headers)) {
    list.push('access-control-allow-headers', headers)
  }
  list.push('vary', 'Access-Control-Request-Method, Access-Control-Request-Headers')
  return list
}

function maxAge({ maxAgeSeconds = 600 }: CorsOptions): readonly string[] {
  return ['access-control-max-age', String(maxAgeSeconds)]
}
