import { SetupError } from '../problems/errors.ts'

// scheme://host[:port], as a browser writes it; the host may begin with `*.`.
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/
const SUBDOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/

interface Wildcard {
  readonly prefix: string
  readonly suffix: string
}

/**
 * Compiles a list of origins: exact ones, and `https://*.example.com` for all subdomains at any depth,
 * but not for `https://example.com` itself.
 *
 * @throws SetupError naming the first entry that is no origin.
 */
export function compileOrigins(origins: readonly string[]): (origin: string) => boolean {
  const exact = new Set<string>()
  const wildcards: Wildcard[] = []
  for (const text of origins) {
    const match = ORIGIN.exec(text.toLowerCase())
    if (match === null) throw notAnOrigin(text)
    const [origin, scheme, star, host, port = ''] = match
    if (star === undefined) exact.add(origin)
    else wildcards.push({ prefix: `${scheme}://`, suffix: `.${host}${port}` })
  }
  return (origin) => exact.has(origin) || wildcards.some((wildcard) => covers(wildcard, origin))
}

function covers({ prefix, suffix }: Wildcard, origin: string): boolean {
  if (!origin.startsWith(prefix) || !origin.endsWith(suffix)) return false
  const length = origin.length - prefix.length - suffix.length
  return length > 0 && SUBDOMAIN.test(origin.slice(prefix.length, prefix.length + length))
}

function notAnOrigin(text: string): SetupError {
  const message =
    `"${text}" is not an origin. Write scheme, host and port and nothing after them: ` +
    'https://app.example.com, http://localhost:3000, or https://*.example.com for subdomains.'
  return new SetupError(message, { origin: text })
}
