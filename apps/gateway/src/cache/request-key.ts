import { createHash } from 'node:crypto'
import type { CanonicalObject } from './canonical-json.ts'

/** All that an answer depends on. */
export interface KeyedRequest {
  /** The route's `match` and the names of its upstreams. */
  readonly route: readonly string[]
  /** Who shares the answer. */
  readonly scope: string
  readonly method: string
  /** Normalised, and the query as it came. */
  readonly path: string
  readonly query: string
  /** Those that tell, flat. */
  readonly headers: readonly string[]
  /** As JSON where it is such, else its bytes. */
  readonly body: CanonicalObject | Buffer | null
}

/** The form of the keys: another one finds nothing that was kept under this. */
const FORM = 1

const LONGEST_PATH = 200
const LONGEST_MODEL = 100

/**
 * The name under which an answer is kept: the path and the model, by which operators throw away what they
 * mean, and a SHA-256 of all that the answer depends on. No two requests that differ in any of it have one
 * name.
 */
export function requestKey(request: KeyedRequest): string {
  const { route, scope, method, path, query, headers, body } = request
  const isRaw = body === null || Buffer.isBuffer(body)
  // JSON says where each text ends, and so the body is all that follows.
  const form = isRaw ? (body === null ? 'none' : 'bytes') : 'json'
  const meta = JSON.stringify([FORM, route, scope, method, path, query, headers, form])
  const digest = createHash('sha256')
    .update(meta)
    .update(isRaw ? (body ?? '') : body.text)
    .digest('base64url')
  const model = modelOf(body) ?? '-'
  return `${path.slice(0, LONGEST_PATH).toWellFormed()} ${model} ${digest}`
}

/** The model that a request names, as it names it. */
export function modelOf(body: KeyedRequest['body']): string | undefined {
  if (body === null || Buffer.isBuffer(body)) return undefined
  const named = body.members.get('model')
  if (named === undefined || named[0] !== '"') return undefined
  const model: string = JSON.parse(named)
  return model === '' ? undefined : model.slice(0, LONGEST_MODEL).toWellFormed()
}
