import { CryptoError } from '../errors.ts'

const LONGEST = 200
const SCOPE = /^(?:[\w.-]+:)*(?:[\w.-]+|\*)$/

/**
 * Whether a text is a scope: words of letters, digits, `_`, `.` and `-`, joined by `:`, up to 200 characters; the last
 * word may be `*`. A scope is matched as it is written: `Configs` isn't `configs`.
 */
export function isScope(text: string): boolean {
  return typeof text === 'string' && text.length <= LONGEST && SCOPE.test(text)
}

/**
 * Whether what is granted covers what is wanted.
 *
 * - A scope covers itself.
 * - `configs:*` covers all that goes on after `configs:`, at any depth: `configs:read`, `configs:eu:read`; neither
 *   `configs` itself nor `configs-old:read`.
 * - `*` covers every scope.
 * - A wanted wildcard is covered by the same or a wider one alone, so this also tells whether somebody may pass a
 *   scope on.
 * - What isn't a scope covers nothing and is never covered; nor does `*` mean anything but at the end.
 */
export function hasScope(granted: readonly string[], wanted: string): boolean {
  return isScope(wanted) && granted.some((scope) => covers(scope, wanted))
}

function covers(scope: string, wanted: string): boolean {
  if (!isScope(scope)) return false
  if (scope === wanted) return true
  return scope.endsWith('*') && wanted.startsWith(scope.slice(0, -1))
}

/** Each scope once, in the order given. Throws a CryptoError, `invalid_option`, at what isn't one. */
export function checkScopes(scopes: readonly string[]): readonly string[] {
  const wrong = scopes.find((scope) => !isScope(scope))
  if (wrong === undefined) return [...new Set(scopes)]
  const shown = JSON.stringify(String(wrong).slice(0, LONGEST))
  throw new CryptoError(
    'invalid_option',
    `${shown} is no scope: it has to be words of letters, digits, "_", "." and "-" joined by ":", as in "configs:read" or "configs:*".`,
  )
}
