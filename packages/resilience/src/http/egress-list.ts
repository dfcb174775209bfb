import { BlockList, isIP, isIPv4 } from 'node:net'
import { canonicalHost } from './canonical-host.ts'

/** The entries of an `allow` or `deny`, ready to be asked. */
export interface EgressList {
  /** Whether an entry names this address, with this port or without one. */
  hasAddress(address: string, port: number): boolean
  /** Whether an entry names this host, with this port or without one. */
  hasName(name: string, port: number): boolean
}

const ENTRY = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d{1,5}))?$/

/**
 * Reads entries as `api.example.com`, `*.example.com` (below it, not itself), `10.1.2.3`, `fd00::1`,
 * `10.0.0.0/8`, and with a port `api.example.com:8443`, `10.1.2.3:8080`, `[fd00::1]:8080`.
 *
 * @throws TypeError when an entry is none of these. It isn't quoted, as it may be a URL with a password.
 */
export function createEgressList(entries: readonly string[], option: string): EgressList {
  const anyPort = new AddressSet()
  const byPort = new Map<number, AddressSet>()
  const names = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    if (!add(entry)) {
      throw new TypeError(
        `egress.${option}[${index}] is no host, address, CIDR or host:port; write it like "api.example.com", "10.0.0.0/8" or "10.1.2.3:8080".`,
      )
    }
  }

  function add(entry: string): boolean {
    if (entry.includes('/')) return anyPort.addSubnet(entry)
    const parts = (isIP(entry) === 6 ? `[${entry}]` : entry).match(ENTRY)?.groups
    const host = canonicalHost(parts?.v6 ?? parts?.host?.replace(/^\*\./, '') ?? '')
    const port = parts?.port === undefined ? undefined : Number(parts.port)
    if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) return false
    if (isIP(host) === 0) {
      if (parts?.v6 !== undefined) return false
      const name = parts?.host?.startsWith('*.') ? `*.${host}` : host
      names.add(port === undefined ? name : `${name}:${port}`)
      return true
    }
    if (entry.startsWith('*.')) return false
    const addresses = port === undefined ? anyPort : (byPort.get(port) ?? new AddressSet())
    if (port !== undefined) byPort.set(port, addresses)
    addresses.addAddress(host)
    return true
  }

  const hasEntry = (name: string, port: number) => names.has(name) || names.has(`${name}:${port}`)
  return {
    hasAddress: (address, port) => anyPort.has(address) || byPort.get(port)?.has(address) === true,
    hasName: (name, port) => {
      if (names.size === 0) return false
      if (hasEntry(name, port)) return true
      for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
        if (hasEntry(`*${name.slice(dot)}`, port)) return true
      }
      return false
    },
  }
}

/**
 * Addresses and networks. IPv4 ones hold for the IPv4-mapped form of IPv6 too, but IPv6 ones never for
 * IPv4: `::/0` would otherwise be every address there is.
 */
class AddressSet {
  readonly #v4 = new BlockList()
  readonly #v6 = new BlockList()

  addAddress(address: string): void {
    if (isIPv4(address)) this.#v4.addAddress(address, 'ipv4')
    else this.#v6.addAddress(address, 'ipv6')
  }

  /** Answers false for what is no CIDR. */
  addSubnet(cidr: string): boolean {
    const [, net = '', digits = ''] = /^([\d.]+|[\da-f:.]+)\/(\d{1,3})$/i.exec(cidr) ?? []
    const prefix = Number(digits)
    if (isIP(net) === 0 || prefix > (isIPv4(net) ? 32 : 128)) return false
    if (isIPv4(net)) this.#v4.addSubnet(net, prefix, 'ipv4')
    else this.#v6.addSubnet(net, prefix, 'ipv6')
    return true
  }

  has(address: string): boolean {
    if (isIPv4(address)) return this.#v4.check(address, 'ipv4')
    return this.#v4.check(address, 'ipv6') || this.#v6.check(address, 'ipv6')
  }
}
