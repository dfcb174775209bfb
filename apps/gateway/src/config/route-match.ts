/** A route's `match`, taken apart: literal segments and `*`, and whether `**` ends it. */
export interface RouteMatch {
  readonly segments: readonly string[]
  /** True when the match ends in `**`, which stands for any number of segments, none among them. */
  readonly open: boolean
}

/** Either a match, or a sentence saying what is wrong with its text. */
export type ParsedMatch =
  | { readonly match: RouteMatch; readonly fault?: never }
  | { readonly match?: never; readonly fault: string }

/** The first segment of each of the gateway's own paths, which no route can take. */
const OWN_SEGMENTS: readonly string[] = [
  'livez',
  'readyz',
  'health',
  'metrics',
  'cache',
  'dashboard',
]

// What RFC 3986 allows in a segment, less ":" and "*" and anything percent-encoded.
const LITERAL = /^[A-Za-z0-9._~!$&'()+,;=@-]+$/

/** Parses `/v1/**`: `*` is one whole segment, `**` stands last and is zero or more. */
export function parseMatch(text: string): ParsedMatch {
  if (!text.startsWith('/')) return { fault: 'must begin with "/"' }
  if (text === '/') return { match: { segments: [], open: false } }
  const parts = text.slice(1).split('/')
  const open = parts.at(-1) === '**'
  const segments = open ? parts.slice(0, -1) : parts
  for (const segment of segments) {
    const fault = findFault(segment)
    if (fault !== undefined) return { fault }
  }
  const own = segments[0]
  if (own !== undefined && OWN_SEGMENTS.includes(own)) {
    return { fault: `can't be at or below /${own}, which the gateway itself answers` }
  }
  return { match: { segments, open } }
}

function findFault(segment: string): string | undefined {
  if (segment === '*') return undefined
  if (segment === '') return 'must have no empty segment and not end in "/"'
  if (segment === '**') return 'can have "**" only as its last segment'
  if (segment.includes('*')) return 'can have "*" only as a whole segment'
  if (segment === '.' || segment === '..') return 'must have no dot segments'
  if (!LITERAL.test(segment)) {
    return 'can have only letters, digits and -._~!$&\'()+,;=@ in a segment, or "*" as one'
  }
  return undefined
}

/** Whether every path that `later` matches is matched by `earlier` too. */
export function covers(earlier: RouteMatch, later: RouteMatch): boolean {
  const length = earlier.segments.length
  const fits = earlier.open
    ? later.segments.length >= length
    : !later.open && later.segments.length === length
  return (
    fits &&
    earlier.segments.every((segment, index) => segment === '*' || segment === later.segments[index])
  )
}

/** What is wrong with a `stripPrefix`, which has to be whole literal segments that the match begins with. */
export function findPrefixFault(prefix: string, match: RouteMatch): string | undefined {
  if (!prefix.startsWith('/')) return 'must begin with "/"'
  if (prefix.endsWith('/')) return 'must not end in "/"'
  const wildcard = match.segments.indexOf('*')
  const literal = wildcard === -1 ? match.segments : match.segments.slice(0, wildcard)
  const segments = prefix.slice(1).split('/')
  if (segments.every((segment, index) => segment === literal[index])) return undefined
  return `must be what the match begins with, such as "/${literal.join('/')}"`
}
