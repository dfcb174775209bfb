import { isKeyed } from './request-key.ts'

/** A response as it is stored: all of it can be written as JSON but the body, which is bytes. */
export interface CachedResponse {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The decoded body. */
  readonly body: Uint8Array
}

/** Where responses are kept: bring your own. What it throws counts as a miss, and fails no call. */
export interface ResponseCache {
  /** The response stored under `key`, unless its time is over. */
  get(
    key: string,
  ): CachedResponse | undefined | null | PromiseLike<CachedResponse | undefined | null>
  /** Keeps a response for `ttlMs` milliseconds. Not waited for. */
  set(key: string, value: CachedResponse, ttlMs: number): unknown
}

/** An exchange that may be worth storing. Header names are in lower case. */
export interface CacheableExchange {
  readonly method: string
  readonly status: number
  readonly requestHeaders: Headers
  readonly responseHeaders: Headers
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** A year, the longest time worth telling (RFC 9111 §1.2.2 speaks of 2^31 seconds as for ever). */
const MAX_TTL_MS = 365 * 24 * 3_600_000

/** Whether a request may be answered from a cache: it is a GET that says neither no-cache nor no-store. */
export function mayAnswerFromCache(method: string, requestHeaders: Headers): boolean {
  if (method.toUpperCase() !== 'GET' || requestHeaders.range !== undefined) return false
  const asked = directivesOf(requestHeaders)
  return !asked.has('no-cache') && !asked.has('no-store') && asked.get('max-age') !== '0'
}

/**
 * For how many milliseconds a response may be kept and given to whoever sends the same request: a whole
 * 200 to a GET, with a lifetime of its own (`s-maxage`, else `max-age`, less `age`). Undefined for what
 * must not be: `no-store`, `no-cache`, `private`, cookies being set, `vary` on what keys leave out, a
 * request that said `no-store`. Keys contain the credentials, so `authorization` alone forbids nothing.
 */
export function cacheLifetimeMs(exchange: CacheableExchange): number | undefined {
  const { method, status, requestHeaders, responseHeaders } = exchange
  if (method.toUpperCase() !== 'GET' || status !== 200) return undefined
  if (responseHeaders['set-cookie'] !== undefined || !isVaryKnown(responseHeaders)) return undefined
  if (directivesOf(requestHeaders).has('no-store')) return undefined
  const said = directivesOf(responseHeaders)
  if (said.has('no-store') || said.has('no-cache') || said.has('private')) return undefined
  const lifetime = secondsOf(said.get('s-maxage') ?? said.get('max-age'))
  const age = secondsOf(textOf(responseHeaders.age)) ?? 0
  if (lifetime === undefined || lifetime <= age) return undefined
  return Math.min((lifetime - age) * 1000, MAX_TTL_MS)
}

function isVaryKnown(headers: Headers): boolean {
  const names = textOf(headers.vary).split(',')
  return names.every((name) => name.trim() !== '*' && isKeyed(name.trim()))
}

/** `cache-control` as a map; of a directive given twice, the one that keeps shorter. */
function directivesOf(headers: Headers): ReadonlyMap<string, string> {
  const directives = new Map<string, string>()
  const text = textOf(headers['cache-control'])
  for (const [, name = '', quoted, plain] of text.matchAll(
    /([^\s,;="]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]*)))?/g,
  )) {
    const key = name.toLowerCase()
    const value = quoted ?? plain ?? ''
    const known = directives.get(key)
    const shorter = known === undefined || (secondsOf(value) ?? 0) < (secondsOf(known) ?? 0)
    if (shorter) directives.set(key, value)
  }
  return directives
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(',') ?? '')
}

function secondsOf(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
