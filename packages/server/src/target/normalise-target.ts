/** A request target that may be matched and forwarded, or why it may not. */
export type Target =
  | {
      readonly ok: true
      /** The path, in the one form in which it is matched and forwarded. */
      readonly path: string
      /** The query with its question mark, byte for byte as the client sent it, or `''`. */
      readonly query: string
    }
  | { readonly ok: false; readonly reason: string }

// Nothing to decode, no dot segment, no character outside a URI: what nearly every client sends.
const PLAIN = /^(?:\/(?!\.{1,2}(?:[/?;]|$))[\w.~!$&'()*+,;=:@-]*)+(?:\?[!"$-~]*)?$/

const OUTSIDE_ASCII = /[^!-~]/
const BROKEN_TRIPLET = /%(?![0-9A-Fa-f]{2})/
const TRIPLET = /%[0-9A-Fa-f]{2}/g
const UNRESERVED = /[\w.~-]/
// Lead bytes that can only begin a longer form of a shorter character: lenient decoders read
// %C0%AF as a slash and %C0%AE as a dot.
const OVERLONG = /%C[01]|%E0%[89]|%F0%8/
// Some servers cut `;parameters` off a segment before they resolve it, some after decoding.
const DOT_SEGMENT = /\/\.{1,2}(?:[/;]|%3B|$)/

/**
 * Checks a request target and brings its path to the one form that is both matched and forwarded, so
 * that no other spelling slips past a rule: percent-encoded unreserved characters are decoded
 * (`/v1/%61` is `/v1/a`) and hex digits are upper case (RFC 3986, 6.2.2). The query stays as it is.
 *
 * Refused, with the reason: what is not origin-form; dot segments, plain or encoded; encoded slashes
 * and backslashes; backslashes; NUL; control and non-ASCII characters; `#`; broken percent-encoding;
 * overlong UTF-8.
 *
 * @param rawUrl The target as it stood in the request line (`incoming.url`).
 */
export function normaliseTarget(rawUrl: string): Target {
  const mark = rawUrl.indexOf('?')
  const path = mark === -1 ? rawUrl : rawUrl.slice(0, mark)
  const query = mark === -1 ? '' : rawUrl.slice(mark)
  if (PLAIN.test(rawUrl)) return { ok: true, path, query }
  return normalise(path, query)
}

function normalise(rawPath: string, query: string): Target {
  const before = faultOfRaw(rawPath, query)
  if (before !== undefined) return { ok: false, reason: before }
  const path = rawPath.replace(TRIPLET, normaliseTriplet)
  const after = faultOfDecoded(path)
  return after === undefined ? { ok: true, path, query } : { ok: false, reason: after }
}

function normaliseTriplet(triplet: string): string {
  const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
  return UNRESERVED.test(char) ? char : triplet.toUpperCase()
}

function faultOfRaw(path: string, query: string): string | undefined {
  if (!path.startsWith('/')) return 'it must be a path that begins with a slash'
  if (OUTSIDE_ASCII.test(path) || OUTSIDE_ASCII.test(query)) {
    return 'it contains a control, blank or non-ASCII character that is not percent-encoded'
  }
  if (path.includes('#') || query.includes('#')) return 'it contains a fragment (#)'
  if (path.includes('\\')) return 'its path contains a backslash'
  if (BROKEN_TRIPLET.test(path)) return 'its path contains a % without two hexadecimal digits'
  return undefined
}

function faultOfDecoded(path: string): string | undefined {
  if (path.includes('%00')) return 'its path contains an encoded NUL (%00)'
  if (path.includes('%2F')) return 'its path contains an encoded slash (%2F)'
  if (path.includes('%5C')) return 'its path contains an encoded backslash (%5C)'
  if (OVERLONG.test(path)) return 'its path contains overlong UTF-8'
  if (DOT_SEGMENT.test(path)) return 'its path contains a dot segment (. or ..)'
  return undefined
}
