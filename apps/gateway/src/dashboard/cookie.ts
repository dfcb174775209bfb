/** Where a browser keeps an operator's session. */
const SESSION_COOKIE = 'tidegate_session'

const MINE = /^\s*tidegate_session\s*=/

/** Whatever a `Cookie` header holds under our name: another site of the same domain may have set some too. */
export function sessionTokens(header: string | undefined): readonly string[] {
  if (header?.includes(SESSION_COOKIE) !== true) return []
  return header
    .split(';')
    .filter((pair) => MINE.test(pair))
    .map((pair) => pair.slice(pair.indexOf('=') + 1).trim())
}

/** A `Cookie` header for others: without the operator's session. Absent: nothing is left of it. */
export function withoutSession(header: string): string | undefined {
  if (!header.includes(SESSION_COOKIE)) return header
  const left = header.split(';').filter((pair) => !MINE.test(pair))
  return left.length === 0 ? undefined : left.join(';').trim()
}

export interface CookieOptions {
  /** Whether the browser came over TLS: then it never sends the cookie without. */
  readonly secure: boolean
  /** Seconds; 0 makes the browser forget it. */
  readonly maxAgeS: number
}

/** A `Set-Cookie` header. No script can read the cookie, and no other site's page has it sent. */
export function sessionCookie(token: string, { secure, maxAgeS }: CookieOptions): string {
  const attributes = ['Path=/', `Max-Age=${maxAgeS}`, 'HttpOnly', 'SameSite=Strict']
  return [`${SESSION_COOKIE}=${token}`, ...attributes, ...(secure ? ['Secure'] : [])].join('; ')
}
