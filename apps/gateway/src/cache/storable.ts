import { type AnswerHead, headerOf } from '../answers/answer-head.ts'
import type { Protocol, RouteCacheSettings } from '../config/settings.ts'
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
