import { formatAddress, maskGroups, parseAddress } from './address.ts'
import type { Trust } from './trust.ts'

/** What is known about where a request came from. */
export interface ForwardedPeer {
  /** The address of the socket. */
  readonly peer: string
  /** The `X-Forwarded-For` header, several of them joined by commas in the order they came. */
  readonly forwardedFor: string | undefined
  readonly trust: Trust
}

/**
 * The client's address: the peer's own unless a trusted proxy speaks for someone else.
 *
 * `X-Forwarded-For` is walked from right to left, because each proxy appends the address it saw: the
 * first one that isn't trusted is the client, and whatever stands left of it is its own invention.
 * An entry that is no address ends the walk at the last one that was. Ports and brackets are dropped.
 */
export function resolveClientIp({ peer, forwardedFor, trust }: ForwardedPeer): string {
  if (forwardedFor === undefined || !trust.trusts(peer)) return peer
  let client = peer
  let end = forwardedFor.length
  while (end > 0) {
    const comma = forwardedFor.lastIndexOf(',', end - 1)
    const ip = parseEntry(forwardedFor.slice(comma + 1, end).trim())
    if (ip === undefined) return client
    client = ip
    if (!trust.trusts(ip)) return client
    end = comma
  }
  return client
}

const BRACKETED = /^\[([^\]]*)\](?::\d{1,5})?$/
const V4_WITH_PORT = /^([\d.]+):\d{1,5}$/

function parseEntry(entry: string): string | undefined {
  // A zone names an interface of the host that wrote it: from afar it is no address.
  if (entry.length > 64 || entry.includes('%')) return undefined
  const bare = BRACKETED.exec(entry)?.[1] ?? V4_WITH_PORT.exec(entry)?.[1] ?? entry
  const address = parseAddress(bare)
  return address === undefined ? undefined : formatAddress(address)
}

/** How addresses are grouped. */
export interface IpGroupOptions {
  /** Bits of an IPv6 address that make one group. Default 56, a usual household's share. */
  readonly v6Prefix?: number
}

/**
 * The name under which an address is counted: an IPv4 address is itself (IPv4-mapped IPv6 too), an
 * IPv6 address is its network (`2001:db8:0:100::/56`), since one client owns all of it. What is no
 * address comes back as it is.
 */
export function ipGroup(ip: string, { v6Prefix = 56 }: IpGroupOptions = {}): string {
  if (!ip.includes(':')) return ip
  const address = parseAddress(ip)
  if (address === undefined) return ip
  if (address.family === 4) return formatAddress(address)
  const groups = maskGroups(address.groups, v6Prefix)
  return `${formatAddress({ family: 6, groups })}/${v6Prefix}`
}
