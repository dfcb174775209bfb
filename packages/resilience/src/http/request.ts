import { Readable } from 'node:stream'
import type { CallOptions, Query, RequestBody } from './call-options.ts'
import { flatHeaders, type HeaderSource } from './headers.ts'
import type { HeaderValue } from './options.ts'
import { isIdempotent } from './semantics.ts'
import { limitOf, type Settings } from './settle-options.ts'

/** A call as it is sent, to whichever endpoint. Times are milliseconds. */
export interface PreparedCall {
  readonly method: string
  /** With its query; goes after an endpoint's own path. */
  readonly path: string
  readonly headers: string[]
  readonly body: string | Uint8Array | Readable | null
  /** Whether a second time does no harm: then it may be sent again although it may have arrived. */
  readonly repeatable: boolean
  /** Whether the body can be sent a second time at all. */
  readonly replayable: boolean
  readonly stream: boolean
  readonly throwOnStatus: boolean
  /** How often it may come back to an endpoint; -1: one attempt. */
  readonly retries: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
}

/**
 * Makes of a call's options what is sent.
 *
 * @throws TypeError for what can't be sent.
 */
export function prepareCall(
  options: CallOptions & { readonly method?: string | undefined; readonly path: string },
  settings: Settings,
  source: HeaderSource,
  stream: boolean,
): PreparedCall {
  const { timeouts, retry = settings.retry } = options
  const method = (options.method ?? 'GET').toUpperCase()
  const { body, type } = encodeBody(options)
  const headers = flatHeaders(source, options.headers, type)
  const retries =
    retry === false || retry === undefined || settings.retry === undefined
      ? -1
      : (retry.retries ?? settings.retry.retries)
  return {
    method,
    path: targetOf(options.path, options.query),
    headers,
    body,
    repeatable: options.idempotent ?? (isIdempotent(method) || hasIdempotencyKey(options.headers)),
    replayable: !(body instanceof Readable),
    stream,
    throwOnStatus: options.throwOnStatus ?? true,
    retries,
    firstByteMs: limitOf(timeouts?.firstByteMs, settings.firstByteMs),
    idleMs: limitOf(timeouts?.idleMs, settings.idleMs),
    totalMs: limitOf(timeouts?.totalMs, settings.totalMs),
  }
}

function encodeBody({ json, body }: CallOptions): {
  readonly body: PreparedCall['body']
  readonly type: string | undefined
} {
  if (json !== undefined) {
    if (body !== undefined) throw new TypeError('A call has either "json" or "body", not both.')
    return { body: JSON.stringify(json), type: 'application/json' }
  }
  if (body === undefined) return { body: null, type: undefined }
  if (typeof body === 'string') return { body, type: 'text/plain; charset=utf-8' }
  if (body instanceof URLSearchParams) {
    return { body: body.toString(), type: 'application/x-www-form-urlencoded' }
  }
  return { body: isBytes(body) ? body : readableOf(body), type: 'application/octet-stream' }
}

function isBytes(body: RequestBody): body is Uint8Array {
  return body instanceof Uint8Array
}

function readableOf(body: AsyncIterable<Uint8Array>): Readable {
  return body instanceof Readable ? body : Readable.from(body, { objectMode: false })
}

function hasIdempotencyKey(headers: Readonly<Record<string, HeaderValue>> = {}): boolean {
  for (const name in headers) {
    if (name.toLowerCase() === 'idempotency-key' && headers[name] !== undefined) return true
  }
  return false
}

/** Printable ASCII without `#`, which would be cut off, and `\`, which some servers take for `/`. */
const PATH = /^\/[!"$-[\]-~]*$/

/** Also encoded, a server may climb by them out of the endpoint's own path. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:[/?]|$)/i

function targetOf(path: string, query: Query | undefined): string {
  if (!PATH.test(path)) {
    throw new TypeError(
      'A path begins with "/" and holds printable ASCII without spaces, "#" and "\\": use encodeURIComponent for its parts.',
    )
  }
  if (DOT_SEGMENT.test(path)) throw new TypeError('A path holds no "." or ".." segments.')
  const text = query === undefined ? '' : queryText(query)
  if (text === '') return path
  return path + (path.includes('?') ? '&' : '?') + text
}

function queryText(query: Query): string {
  if (query instanceof URLSearchParams) return query.toString()
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) params.append(name, String(one))
    }
  }
  return params.toString()
}
