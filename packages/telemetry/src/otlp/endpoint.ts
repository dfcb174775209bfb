import { validateHeaderName, validateHeaderValue } from 'node:http'
import { invalidOption } from '../core/option-checks.ts'
import type { SenderOptions } from './sender.ts'

/** Where one signal goes, and how. */
export interface OtlpTarget {
  /** Its whole URL, as it is. Default: `endpoint` with `/v1/traces` or `/v1/metrics`. */
  readonly url?: string
  /** Beside `headers`, and before them. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of one export with all its retries, in milliseconds. Default: `timeoutMs`. */
  readonly timeoutMs?: number
  readonly compression?: 'gzip' | 'none'
}

/** What all signals share. */
export interface OtlpTargetDefaults {
  /** The collector's base URL, `http://127.0.0.1:4318`. */
  readonly endpoint?: string
  /** Sent with each export: an authorization, for one. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of one export with all its retries, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number
  /** Default: `none`. */
  readonly compression?: 'gzip' | 'none'
}

/**
 * Where a signal goes; undefined: nowhere, since no URL names a place.
 *
 * @throws TelemetryError `invalid_option`, naming no value that could be a secret
 */
export function senderOptions(
  path: '/v1/metrics' | '/v1/traces',
  defaults: OtlpTargetDefaults,
  own: OtlpTarget = {},
): SenderOptions | undefined {
  const given = own.url ?? defaults.endpoint
  if (given === undefined) return undefined
  const url = URL.parse(given)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalidOption(
      `The OTLP endpoint for ${path} is no http(s) URL; give one as http://host:4318.`,
    )
  }
  if (own.url === undefined) url.pathname = url.pathname.replace(/\/*$/, path)
  const headers = { ...defaults.headers, ...own.headers }
  checkHeaders(headers)
  const timeoutMs = own.timeoutMs ?? defaults.timeoutMs ?? 10_000
  if (!(timeoutMs > 0 && timeoutMs <= 600_000)) {
    throw invalidOption(
      `The OTLP timeout for ${path} is ${timeoutMs} ms; give more than 0, at most 600000.`,
    )
  }
  return { url, headers, timeoutMs, compression: own.compression ?? defaults.compression ?? 'none' }
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name)
    } catch {
      throw invalidOption('An OTLP header has a name that HTTP does not allow.')
    }
    try {
      validateHeaderValue(name, value)
    } catch {
      throw invalidOption(`The OTLP header ${name} has a value that HTTP does not allow.`)
    }
  }
}
