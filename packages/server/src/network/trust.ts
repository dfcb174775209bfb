import { SetupError } from '../problems/errors.ts'
import { type Address, maskGroups, parseAddress } from './address.ts'

/** Which peers are believed when they speak for others (`X-Forwarded-For`, `X-Request-ID`). */
export interface Trust {
  /** True when the address lies in one of the networks. What is no address is never trusted. */
  trusts(ip: string): boolean
}

type Network = (address: Address) => boolean

// A flood of distinct peers must not grow the memory: past this the cache starts anew.
const CACHED_PEERS = 4096

/**
 * Compiles a list of networks (`10.0.0.0/8`, `2001:db8::/32`, or a single address). Addresses are
 * judged by their bits, never by text, and an IPv4-mapped IPv6 address as the IPv4 address it is.
 * Nobody is trusted with an empty list, not even loopback.
 *
 * @throws SetupError naming the first entry that is no network.
 */
export function createTrust(cidrs: readonly string[]): Trust {
  const networks = cidrs.map(parseNetwork)
  const judged = new Map<string, boolean>()
  if (networks.length === 0) return { trusts: () => false }
  return {
    trusts(ip) {
      const known = judged.get(ip)
      if (known !== undefined) return known
      const address = parseAddress(ip)
      const trusted = address !== undefined && networks.some((contains) => contains(address))
      if (judged.size >= CACHED_PEERS) judged.clear()
      judged.set(ip, trusted)
      return trusted
    },
  }
}

function parseNetwork(cidr: string): Network {
  const slash = cidr.indexOf('/')
  const text = slash === -1 ? cidr : cidr.slice(0, slash)
  const address = parseAddress(text)
  if (address === undefined || text.includes('%')) {
    throw notANetwork(cidr, 'it does not begin with an IPv4 or IPv6 address')
  }
  // A mapped network (::ffff:10.0.0.0/104) is the IPv4 network behind its first 96 bits.
  const shift = address.family === 4 && text.includes(':') ? 96 : 0
  const width = address.family === 4 ? 32 : 128
  const prefix = slash === -1 ? width : parsePrefix(cidr, cidr.slice(slash + 1), shift, width)
  return address.family === 4 ? v4Network(address.bits, prefix) : v6Network(address.groups, prefix)
}

function parsePrefix(cidr: string, text: string, shift: number, width: number): number {
  const prefix = /^\d{1,3}$/.test(text) ? Number(text) - shift : Number.NaN
  if (prefix >= 0 && prefix <= width) return prefix
  throw notANetwork(cidr, `its prefix must be a number from ${shift} to ${shift + width}`)
}

function notANetwork(cidr: string, why: string): SetupError {
  return new SetupError(`"${cidr}" is not a network: ${why}. Write it like 10.0.0.0/8.`, { cidr })
}

function v4Network(bits: number, prefix: number): Network {
  const size = 2 ** (32 - prefix)
  const network = Math.floor(bits / size)
  return (address) => address.family === 4 && Math.floor(address.bits / size) === network
}

function v6Network(groups: readonly number[], prefix: number): Network {
  const network = maskGroups(groups, prefix).join()
  return (address) => address.family === 6 && maskGroups(address.groups, prefix).join() === network
}

/** True for 127.0.0.0/8 and ::1, IPv4-mapped forms included. */
export function isLoopback(ip: string): boolean {
  if (ip === '127.0.0.1' || ip === '::1') return true
  const address = parseAddress(ip)
  if (address === undefined) return false
  if (address.family === 4) return address.bits >>> 24 === 127
  return address.groups.every((group, index) => group === (index === 7 ? 1 : 0))
}
