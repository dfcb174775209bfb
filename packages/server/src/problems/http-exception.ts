import { HTTPException } from 'hono/http-exception'
import type { ServerErrorCode } from './errors.ts'

const CODES: Readonly<Record<number, ServerErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  503: 'unavailable',
  504: 'deadline_exceeded',
}

/** Hono's own exception, in the kit's terms. */
export interface HonoProblem {
  readonly code: ServerErrorCode
  readonly status: number
  readonly headers: string[]
}

// What a client needs to act on a refusal; everything else of the exception's response is replaced.
const KEPT_HEADERS = ['www-authenticate', 'allow', 'retry-after']

/** Reads Hono's `HTTPException`: its status stays, and so do the headers a client acts on. */
export function fromHttpException(error: unknown): HonoProblem | undefined {
  if (!(error instanceof HTTPException)) return undefined
  const status = error.status >= 400 && error.status <= 599 ? error.status : 500
  const code = CODES[status] ?? (status < 500 ? 'bad_request' : 'internal_error')
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = error.res?.headers.get(name)
    return value === null || value === undefined ? [] : [name, value]
  })
  return { code, status, headers }
}
