import type { AnswerHead } from '../answers/answer-head.ts'
import type { Protocol, RouteCacheSettings } from '../config/settings.ts'
import { terminalMarker } from '../upstreams/terminal-markers.ts'
import { answerTerms, type Terms } from './cache-control.ts'

/** For how long an answer is kept, from when it was complete; milliseconds. */
export interface KeepTerms {
  readonly freshMs: number
  /** After that, while a new one is fetched behind it. */
  readonly staleMs: number
  /** After `freshMs`, for want of a better; at least `staleMs`. */
  readonly errorMs: number
}

/** What decides about an answer beside itself. */
export interface StoreRules {
  readonly protocol: Protocol
  readonly cache: RouteCacheSettings
  /** Whether what varies by this header of the request can be told apart. */
  readonly covers: (header: string) => boolean
}

/**
 * Whether a complete answer may be kept, and for how long; `undefined`: not at all. Only what a 200 says, and
 * never what is for one reader: RFC 9111 §3.
 *
 * Providers of AI say `no-cache` of every stream, as streams are told to, and set cookies of their own for
 * all they answer: there neither counts, and no cookie is kept. What they say of storing, of privacy and of
 * age does.
 */
export function keepTerms(head: AnswerHead, rules: StoreRules): KeepTerms | undefined {
  const { cache, protocol } = rules
  const isPlain = protocol === 'http'
  if (head.status !== 200) return undefined
  const terms = answerTerms(headerOf(head, 'cache-control'))
  if (terms.noStore || (terms.private && cache.scope === 'public')) return undefined
  if (isPlain && (terms.noCache || headerOf(head, 'set-cookie') !== undefined)) return undefined
  if (!isTellable(headerOf(head, 'vary'), rules.covers)) return undefined
  const freshMs = Math.min(cache.ttl, freshnessOf(head, terms, cache.scope === 'public'))
  if (freshMs <= 0) return undefined
  const mayBeStale = !(isPlain && terms.mustRevalidate)
  return {
    freshMs,
    staleMs: mayBeStale ? cache.stale : 0,
    errorMs: mayBeStale ? cache.staleOnError : 0,
  }
}

/**
 * Whether the body is an answer from its beginning to its end: JSON that parses and says of no error, a
 * stream whose protocol has said that it is over.
 */
export function isWhole(
  head: AnswerHead,
  body: Uint8Array,
  protocol: Protocol,
  path: string,
): boolean {
  if (isEncoded(head)) return false
  // That it has come is known of a recording that is complete.
  if (head.stream) return protocol !== 'http' && terminalMarker(path) !== undefined
  const type = headerOf(head, 'content-type') ?? ''
  if (/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return isGoodJson(body, protocol)
  return protocol === 'http' && !/^text\/event-stream\b/i.test(type)
}

/** All of a header's values in an answer, as one. */
export function headerOf({ headers }: AnswerHead, name: string): string | undefined {
  let found: string | undefined
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i] !== name) continue
    found = found === undefined ? headers[i + 1] : `${found}, ${headers[i + 1]}`
  }
  return found
}

/** Nobody was told that it may be: the upstream is asked for plain answers. */
function isEncoded(head: AnswerHead): boolean {
  return (headerOf(head, 'content-encoding') ?? 'identity') !== 'identity'
}

function isTellable(vary: string | undefined, covers: StoreRules['covers']): boolean {
  if (vary === undefined) return true
  const names = vary.split(',').map((name) => name.trim())
  return names.every((name) => name === '' || (name !== '*' && covers(name)))
}

/** How long the upstream lets it be fresh: RFC 9111 §4.2.1, less the age that it has come with. */
function freshnessOf(head: AnswerHead, terms: Terms, isShared: boolean): number {
  const lifetime =
    (isShared ? terms.sharedMaxAgeMs : undefined) ?? terms.maxAgeMs ?? lifetimeByDate(head)
  return lifetime - ageMsOf(head)
}

/** How old it had become elsewhere. What is no number is passed over, and of several the first one counts. */
export function ageMsOf(head: AnswerHead): number {
  const [age = ''] = (headerOf(head, 'age') ?? '').split(',', 1)
  return /^\s*\d+\s*$/.test(age) ? Math.min(Number(age), 2 ** 31) * 1000 : 0
}

function lifetimeByDate(head: AnswerHead): number {
  const expires = headerOf(head, 'expires')
  if (expires === undefined) return Number.POSITIVE_INFINITY
  const lifetime = Date.parse(expires) - Date.parse(headerOf(head, 'date') ?? '')
  // A date that is none has passed.
  return Number.isNaN(lifetime) ? 0 : lifetime
}

function isGoodJson(body: Uint8Array, protocol: Protocol): boolean {
  const value = jsonOf(body)
  return value !== undefined && (protocol === 'http' || !saysError(value))
}

/** Whether it is JSON in which a provider of AI says that it went wrong, whatever the status has said. */
export function tellsError(body: Uint8Array): boolean {
  const value = jsonOf(body)
  return typeof value === 'object' && value !== null && saysError(value)
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}

/** Some say with a 200 that it went wrong. */
function saysError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if ('type' in value && value.type === 'error') return true
  if ('status' in value && value.status === 'failed') return true
  return 'error' in value && value.error !== null && value.error !== undefined
}
