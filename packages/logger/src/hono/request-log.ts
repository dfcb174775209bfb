import type { Context, Env, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { currentContext, type Fields, withContext } from '../core/context.ts'
import type { Logger } from '../core/logger.ts'
import { onBodyEnd } from './body-end.ts'
import { type NodeResponse, nodeResponse } from './node-response.ts'

/** How a request ended, for `fields`. */
export interface RequestEnd {
  /** The status that was sent; 499 when the client left before the end. */
  readonly statusCode: number
  /** From the middleware's start to the end of the body, in milliseconds. */
  readonly durationMs: number
  /** Whether the connection ended before the response did. */
  readonly clientGone: boolean
}

/** Options of `requestLog`. */
export interface RequestLogOptions<E extends Env = Env> {
  readonly logger: Pick<Logger, 'info' | 'error'> & Partial<Pick<Logger, 'defer'>>
  /**
   * Fields that every line written during the request carries, and its own line too. Called before the
   * handlers. Default: `request_id`, when an earlier middleware has set `requestId`.
   */
  readonly context?: (c: Context<E>) => Fields
  /**
   * Fields of the request's own line; they replace the middleware's where names are equal, and
   * `undefined` leaves a field out. Called when the body has ended.
   */
  readonly fields?: (c: Context<E>, end: RequestEnd) => Fields
  /**
   * The whole line, for who writes many: in place of `context`, `fields` and what the middleware adds, save
   * for what it tells of an error, which goes on top where the line has no `error_code` of its own.
   */
  readonly line?: (c: Context<E>, end: RequestEnd) => Fields
  /** Told first of each request's end, before its line is made. Must not throw. */
  readonly onEnd?: (c: Context<E>, end: RequestEnd) => void
  /** Requests that get no line, such as probes. */
  readonly skip?: (c: Context<E>) => boolean
  /** A clock in milliseconds that never goes back. Default: `performance.now`. */
  readonly now?: () => number
}

const CLIENT_CLOSED_REQUEST = 499
const BODYLESS_METHOD = 'HEAD'

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A variable that some other middleware may have set, whatever this app declares. */
function variable<E extends Env>(c: Context<E>, name: string): string | undefined {
  return text((c as unknown as Context).get(name))
}

function defaultContext<E extends Env>(c: Context<E>): Fields {
  const requestId = variable(c, 'requestId')
  return requestId === undefined ? {} : { request_id: requestId }
}

function errorFields(error: Error, statusCode: number): Fields {
  const { code } = error as { readonly code?: unknown }
  const error_code = text(code) ?? error.name
  if (statusCode < 500) return { error_code }
  return { error_code, err: { type: error.name, message: error.message } }
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** One request on its way; `finish` writes its line, once. */
class RequestLine<E extends Env> {
  readonly #options: RequestLogOptions<E>
  readonly #context: Context<E>
  readonly #now: () => number
  readonly #startedAt: number
  readonly #store = currentContext()
  #done = false

  /** To be made within the request's context: where its end is noticed, that isn't at hand any more. */
  constructor(
    options: RequestLogOptions<E>,
    context: Context<E>,
    now: () => number,
    startedAt: number,
  ) {
    this.#options = options
    this.#context = context
    this.#now = now
    this.#startedAt = startedAt
  }

  finish(statusCode: number, clientGone: boolean, error = this.#context.error): void {
    if (this.#done) return
    this.#done = true
    const durationMs = Math.round((this.#now() - this.#startedAt) * 100) / 100
    const status = clientGone ? CLIENT_CLOSED_REQUEST : statusCode
    const end = { statusCode: status, durationMs, clientGone }
    this.#options.onEnd?.(this.#context, end)
    const line = this.#options.line === undefined ? this.#line(end, error) : this.#whole(end, error)
    const write = (): void => this.#write(line)
    const { logger } = this.#options
    // The next request on this connection may already be there: it needn't wait for this one's line.
    if (logger.defer === undefined) write()
    else logger.defer(write)
  }

  /** A mistake in the callback costs the line its own fields. */
  #whole(end: RequestEnd, error: Error | undefined): Fields {
    try {
      const line = this.#options.line?.(this.#context, end) ?? {}
      if (error === undefined) return line
      return { ...errorFields(error, end.statusCode), ...withoutUndefined(line) }
    } catch (fault) {
      return { status_code: end.statusCode, duration_ms: end.durationMs, fields_error: fault }
    }
  }

  #line(end: RequestEnd, error: Error | undefined): Fields {
    const c = this.#context
    const own = this.#ownFields(end)
    const line: Record<string, unknown> = { ...this.#store }
    line.method = c.req.method
    line.path = c.req.path
    line.route = 'route' in own ? own.route : routePath(c as unknown as Context)
    line.status_code = end.statusCode
    line.duration_ms = end.durationMs
    line.client ??= variable(c, 'clientIp')
    line.tenant ??= variable(c, 'tenant')
    if (error !== undefined) Object.assign(line, errorFields(error, end.statusCode))
    return Object.assign(line, own)
  }

  /** A mistake in the callback costs its fields, not the line: nobody could catch it out here. */
  #ownFields(end: RequestEnd): Fields {
    try {
      return this.#options.fields?.(this.#context, end) ?? {}
    } catch (error) {
      return { fields_error: error }
    }
  }

  #write(line: Fields): void {
    const status = line.status_code
    const failed = typeof status === 'number' && status >= 500
    if (failed) this.#options.logger.error(line, 'request')
    else this.#options.logger.info(line, 'request')
  }
}

/** On Node the connection says when the response has ended, whoever wrote it. */
function followOnNode<E extends Env, T>(
  line: RequestLine<E>,
  response: NodeResponse,
  run: () => T,
): T {
  const ended = () => line.finish(response.statusCode, !response.writableFinished)
  if (!response.closed) {
    response.on('close', ended)
    return run()
  }
  const result = run()
  if (result instanceof Promise) result.then(ended, ended)
  else ended()
  return result
}

async function followOnWeb<E extends Env>(
  line: RequestLine<E>,
  c: Context<E>,
  next: () => Promise<void>,
): Promise<void> {
  try {
    await next()
  } catch (thrown) {
    line.finish(500, false, thrown instanceof Error ? thrown : undefined)
    throw thrown
  }
  watchWeb(line, c)
}

function watchWeb<E extends Env>(line: RequestLine<E>, c: Context<E>): void {
  const response = c.res
  if (response.body === null || c.req.method === BODYLESS_METHOD) {
    line.finish(response.status, false)
    return
  }
  c.res = onBodyEnd(response, ({ gone, error }) =>
    line.finish(response.status, gone, error instanceof Error ? error : c.error),
  )
}

/**
 * Writes one line per request when the response's *body* has ended: `request_id`, `method`, `path`
 * (never the query), `route`, `status_code`, `duration_ms`, `client`, `tenant`, and the message
 * `request`. A stream's duration is its real duration. A client that left is 499.
 *
 * The level is `error` from status 500 on and `info` below, 4xx and 499 among it: what clients do
 * wrong is no fault of the server. On Node the response's `close` event ends a request and `c.res` is
 * never touched; elsewhere the body is passed on chunk by chunk.
 */
export function requestLog<E extends Env = Env>(
  options: RequestLogOptions<E>,
): MiddlewareHandler<E> {
  const follow = followRequests(options)
  const { context = defaultContext, skip, now = () => performance.now() } = options
  return function requestLogMiddleware(c, next) {
    if (nodeResponse(c) !== undefined || skip?.(c) === true) return follow(c, next)
    const startedAt = now()
    return withContext(context(c), () =>
      followOnWeb(new RequestLine(options, c, now, startedAt), c, next),
    )
  }
}

/**
 * As {@link requestLog}, on Node alone and without being a middleware: runs what answers the request in its
 * context, returns what that returns, and writes the line at the response's end. For whoever puts handlers
 * together without the promises that a chain of middleware takes.
 */
export function followRequests<E extends Env = Env>(
  options: RequestLogOptions<E>,
): <T>(c: Context<E>, run: () => T) => T {
  const { context = defaultContext, skip, now = () => performance.now() } = options
  return (c, run) => {
    const response = nodeResponse(c)
    if (response === undefined || skip?.(c) === true) return run()
    const startedAt = now()
    return withContext(context(c), () =>
      followOnNode(new RequestLine(options, c, now, startedAt), response, run),
    )
  }
}
