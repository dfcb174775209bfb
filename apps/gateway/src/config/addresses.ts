import { isIP } from 'node:net'
import { compileCors, createTrust, isLoopback } from '@tidegate/server'

/** What is wrong with an address or a block of them such as `10.0.0.0/8`, or undefined. */
export function findNetworkFault(text: string): string | undefined {
  return faultOf(() => createTrust([text]))
}

/** What is wrong with an origin of CORS, which is `*` or what a browser sends, or undefined. */
export function findOriginFault(text: string): string | undefined {
  return faultOf(() => compileCors({ profile: 'production', origins: [text] }))
}

// The server is asked itself, so that what passes here never fails at start.
function faultOf(compile: () => unknown): string | undefined {
  try {
    compile()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.replace(/\.$/, '') : 'is not understood'
  }
}

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

/** What is wrong with the address to listen on, or undefined. */
export function findHostFault(text: string): string | undefined {
  if (isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text)) return undefined
  if (text.startsWith('[')) return 'expected an address without brackets, such as ::1'
  return 'expected an address or a name without scheme and port, such as 127.0.0.1 or 0.0.0.0'
}

/** Whether only this machine can reach what listens on `host`. */
export function isLocalHost(host: string): boolean {
  return host.toLowerCase() === 'localhost' || isLoopback(host)
}

/** What is wrong with a node of Redis, which is a host with or without a port, or undefined. */
export function findNodeFault(text: string): string | undefined {
  return parseNode(text) === undefined ? 'expected a host and port such as redis-1:6379' : undefined
}

/** A host and, if it is given, its port; IPv6 addresses in brackets. */
export function parseNode(
  text: string,
): { readonly host: string; readonly port?: number } | undefined {
  const [, bracketed, name, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = bracketed ?? name
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) !== 6)) return undefined
  if (digits === undefined) return { host }
  const port = Number(digits)
  return port >= 1 && port <= 65_535 ? { host, port } : undefined
}
