/** What a client asks of a cache (RFC 9111 §5.2.1). Times are milliseconds. */
export interface Wishes {
  /** Nothing that is kept, and nothing that another asked for. */
  readonly noCache: boolean
  /** Nor may the answer be kept. */
  readonly noStore: boolean
  readonly onlyIfCached: boolean
  readonly maxAgeMs: number
  readonly minFreshMs: number
  /** How long after its time an answer is still welcome; 0 unless asked for. */
  readonly maxStaleMs: number
}

/** Of whoever asks for nothing. */
export const NO_WISHES: Wishes = Object.freeze({
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAgeMs: Number.POSITIVE_INFINITY,
  minFreshMs: 0,
  maxStaleMs: 0,
})

/** Reads a request's `Cache-Control`, and `Pragma` where there is none. */
export function wishesOf(cacheControl: string | undefined, pragma?: string | undefined): Wishes {
  if (cacheControl === undefined) {
    const isPragma = pragma !== undefined && /\bno-cache\b/i.test(pragma)
    return isPragma ? { ...NO_WISHES, noCache: true } : NO_WISHES
  }
  const said = directives(cacheControl)
  const maxAgeMs = msOf(said, 'max-age') ?? Number.POSITIVE_INFINITY
  return {
    // Nothing that is kept is that young.
    noCache: said.has('no-cache') || maxAgeMs === 0,
    noStore: said.has('no-store'),
    onlyIfCached: said.has('only-if-cached'),
    maxAgeMs,
    minFreshMs: msOf(said, 'min-fresh', Number.POSITIVE_INFINITY) ?? 0,
    maxStaleMs:
      said.get('max-stale') === '' ? Number.POSITIVE_INFINITY : (msOf(said, 'max-stale') ?? 0),
  }
}

/** What an upstream says of its answer (RFC 9111 §5.2.2). Times are milliseconds. */
export interface Terms {
  readonly noStore: boolean
  readonly noCache: boolean
  readonly private: boolean
  readonly mustRevalidate: boolean
  readonly maxAgeMs: number | undefined
  /** For caches that several share. */
  readonly sharedMaxAgeMs: number | undefined
}

/** Reads a response's `Cache-Control`. */
export function answerTerms(cacheControl: string | undefined): Terms {
  const said = directives(cacheControl ?? '')
  return {
    noStore: said.has('no-store'),
    noCache: said.has('no-cache'),
    private: said.has('private'),
    mustRevalidate: said.has('must-revalidate') || said.has('proxy-revalidate'),
    maxAgeMs: msOf(said, 'max-age'),
    sharedMaxAgeMs: msOf(said, 's-maxage'),
  }
}

const DIRECTIVE = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g

/** By name in lower case; `''` where it has no value. Of two that contradict each other, neither counts. */
function directives(text: string): ReadonlyMap<string, string> {
  const said = new Map<string, string>()
  for (const [, name = '', quoted, plain] of text.matchAll(DIRECTIVE)) {
    const value = quoted ?? plain ?? ''
    const known = name.toLowerCase()
    const before = said.get(known)
    said.set(known, before === undefined || before === value ? value : 'contradictory')
  }
  return said
}

/** A number of seconds; what is none is `wrong`: as strict as can be (RFC 9111 §4.2.1). */
function msOf(said: ReadonlyMap<string, string>, name: string, wrong = 0): number | undefined {
  const value = said.get(name)
  if (value === undefined) return undefined
  return /^\d+$/.test(value) ? Math.min(Number(value), 2 ** 31) * 1000 : wrong
}
