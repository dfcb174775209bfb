import { isIPv4, isIPv6 } from 'node:net'
import { InvalidRequestError } from '../core/errors.ts'

/** How {@link clientKey} groups addresses. */
export interface ClientKeyOptions {
  /**
   * How many leading bits of an IPv6 address make one client; a whole number from 1 to 128. Default 56, a
   * usual household's share. A client owns all of it, and would have a fresh limit at each address.
   */
  readonly ipv6Prefix?: number | undefined
}

/**
 * The subject under which a client's address is limited: an IPv4 address itself (IPv4-mapped IPv6, however
 * it is spelled, too), an IPv6 address by its network (`2001:db8:0:100::/56`). A zone (`%eth0`) is dropped.
 *
 * Give it an address that can be believed: of the socket, or what a proxy that is trusted says.
 *
 * @throws InvalidRequestError for what is no address, also `undefined`, as of a socket that is closed: all
 *   those would share one limit. And for a prefix that is no number of bits.
 */
export function clientKey(
  address: string | undefined,
  { ipv6Prefix = 56 }: ClientKeyOptions = {},
): string {
  if (!Number.isInteger(ipv6Prefix) || ipv6Prefix < 1 || ipv6Prefix > 128) {
    throw new InvalidRequestError('clientKey: ipv6Prefix must be a whole number from 1 to 128.')
  }
  if (typeof address !== 'string' || address === '') {
    throw new InvalidRequestError(
      'clientKey: there is no address. Of a connection that is closed nothing is known: read it when the request arrives.',
    )
  }
  if (isIPv4(address)) return address
  if (isIPv6(address)) return keyOf(groupsOf(address), ipv6Prefix)
  throw new InvalidRequestError(
    `clientKey: ${JSON.stringify(address.slice(0, 64))} is no IPv4 or IPv6 address. Give the address alone, without a port or brackets.`,
  )
}

function keyOf(groups: readonly number[], prefix: number): string {
  const [, , , , , , high = 0, low = 0] = groups
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (mapped) return [high >> 8, high & 255, low >> 8, low & 255].join('.')
  const network = groups.map((group, index) => {
    const dropped = Math.min(16, Math.max(0, (index + 1) * 16 - prefix))
    return ((group >> dropped) << dropped).toString(16)
  })
  // A URL writes an address in its one canonical form (RFC 5952), in brackets.
  return `${new URL(`http://[${network.join(':')}]`).hostname.slice(1, -1)}/${prefix}`
}

/** The eight groups of an address that is known to be one. */
function groupsOf(address: string): readonly number[] {
  const [bare = ''] = address.split('%')
  const [head = '', tail = ''] = bare.split('::')
  const [before, after] = [numbersOf(head), numbersOf(tail)]
  const between = new Array<number>(8 - before.length - after.length).fill(0)
  return [...before, ...between, ...after]
}

function numbersOf(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
