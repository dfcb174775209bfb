import { isIP } from 'node:net'

/** What is wrong with an address or CIDR block such as `10.0.0.0/8`, or undefined. */
export function findCidrFault(text: string): string | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0 || rest.length > 0) return 'expected an IP address or a block such as 10.0.0.0/8'
  if (bits === undefined) return undefined
  const widest = family === 4 ? 32 : 128
  if (/^\d{1,3}$/.test(bits) && Number(bits) <= widest) return undefined
  return `expected a prefix length from 0 to ${widest} after "/"`
}

/** What is wrong with an origin of CORS, which is `*` or what a browser sends, or undefined. */
export function findOriginFault(text: string): string | undefined {
  if (text === '*') return undefined
  const shape = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s*@]+$/
  if (!shape.test(text)) return originForm
  if (!/^https?:/.test(text)) return undefined
  const origin = URL.parse(text)?.origin
  if (origin === text) return undefined
  return origin === undefined ? originForm : `a browser sends this origin as ${origin}`
}

const originForm =
  'expected "*" or an origin such as https://app.example.com: a scheme, a host, a port if need be, nothing after it'

/** What is wrong with an upstream's address, or undefined. */
export function findEndpointFault(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || !/^https?:\/\//i.test(text)) {
    return 'expected an address such as https://api.example.com/v1'
  }
  if (url.username !== '' || url.password !== '') {
    return 'must hold no user or password; put the credential into apiKey'
  }
  if (/[?#]/.test(text)) return 'must have no query and no fragment'
  if (/%(2f|5c|00)/i.test(url.pathname)) return 'must have no encoded slash, backslash or NUL'
  return undefined
}

/** Whether only this machine can reach what listens on `host`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  if (name === 'localhost' || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}

/** The host as it stands in a URL: IPv6 in brackets. */
export function hostInUrl(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
