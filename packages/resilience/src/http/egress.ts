import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { buildConnector } from 'undici'

import { type AddressRange, nat64Target, rangeOf } from './address-range.ts'
import { canonicalHost } from './canonical-host.ts'
import { EgressDeniedError, type EgressRule } from './egress-denied.ts'
import { createEgressList } from './egress-list.ts'
import { createConnector } from './undici.ts'

/** Where a client may connect to. `deny` goes before `allow`, and `allow` before the defaults. */
export interface EgressOptions {
  /**
   * Hosts (`api.internal`, `*.internal`), addresses and CIDRs, each but a CIDR with or without a port
   * (`10.1.2.3:8080`). An address or CIDR permits what it covers, whatever it is. A name permits its
   * addresses also where they are `loopback`, `private` or `shared`, and no others; an endpoint that was
   * found as an address is judged as that address.
   */
  readonly allow?: readonly string[]
  /** Never connected to; written like `allow`. */
  readonly deny?: readonly string[]
  /** What is done with loopback, private, shared (carrier-grade NAT) addresses. Default `deny`. */
  readonly private?: 'allow' | 'deny'
  /** What is done with public addresses. `deny` makes `allow` the whole list. Default `allow`. */
  readonly public?: 'allow' | 'deny'
  /** Protocols of URLs, with or without the colon. Default `http` and `https`. */
  readonly protocols?: readonly string[]
}

/** Judges connections before they are made. */
export interface Egress {
  /**
   * Judges what a URL itself tells: protocol, user, host, port, an address in whatever spelling. A name
   * is resolved, and judged, only when it is connected to.
   *
   * @throws EgressDeniedError naming the rule.
   */
  check(url: URL): void
  /**
   * A connector for undici's pools. The addresses that a name resolves to are judged within the
   * connection attempt that uses them, so a name that changes its answer gains nothing. If one of them
   * is refused, all are: an answer that mixes public and internal addresses is no honest one.
   *
   * @param options What undici's own connector takes. A `lookup` among it resolves the names, and its
   *   answers are judged; HTTP/2 is offered only on request.
   * @throws TypeError when they name a socket's path, which is no address to judge.
   */
  connector(options?: buildConnector.BuildOptions): buildConnector.connector
}

/** The union's members that are of interest, whichever member it is. */
type ConnectOptions = Omit<buildConnector.BuildOptions, 'path'> & {
  readonly lookup?: LookupFunction
  readonly path?: string
}

/** Names and `private: 'allow'` open these, the other ranges only an address or CIDR does. */
const INTERNAL: ReadonlySet<AddressRange> = new Set(['loopback', 'private', 'shared'])

/**
 * Makes the rules for connections: public addresses are allowed; loopback, private, link-local,
 * multicast and reserved ones, cloud metadata, and IPv6 forms that carry IPv4 are denied unless allowed.
 *
 * @throws TypeError when an entry can't be read.
 */
export function createEgress(options: EgressOptions = {}): Egress {
  const allow = createEgressList(options.allow ?? [], 'allow')
  const deny = createEgressList(options.deny ?? [], 'deny')
  const protocols = new Set(
    (options.protocols ?? ['http', 'https']).map((name) => name.replace(/:?$/, ':').toLowerCase()),
  )

  /** Judges an address; `name` is what it was resolved from. */
  function judge(address: string, port: number, name?: string): EgressRule | undefined {
    if (deny.hasAddress(address, port)) return 'deny'
    if (allow.hasAddress(address, port)) return undefined
    const target = nat64Target(address)
    if (target !== undefined) return judge(target, port, name)
    const range = rangeOf(address)
    const named = name !== undefined && allow.hasName(name, port)
    if (range === undefined) return options.public === 'deny' && !named ? 'public' : undefined
    return INTERNAL.has(range) && (named || options.private === 'allow') ? undefined : range
  }

  /** Judges a host before it is resolved. */
  function judgeHost(host: string | undefined, port: number): EgressRule | undefined {
    if (host === undefined) return 'host'
    if (isIP(host) !== 0) return judge(host, port)
    return deny.hasName(host, port) ? 'deny' : undefined
  }

  return {
    check: (url) => {
      if (!protocols.has(url.protocol)) throw new EgressDeniedError('protocol')
      if (url.username !== '' || url.password !== '') throw new EgressDeniedError('credentials')
      const rule = judgeHost(canonicalHost(url.hostname), portOf(url))
      if (rule !== undefined) throw new EgressDeniedError(rule)
    },
    connector: (connect = {}) => {
      const { lookup = systemLookup, ...rest } = connect as ConnectOptions
      if (rest.socketPath || rest.path) {
        throw new TypeError(
          "Egress rules judge addresses; a socket's path has none. Leave one of them out.",
        )
      }
      // A lookup isn't told the port it is for, so each port has a connector of its own. A pool has one.
      const connectors = new Map<number, buildConnector.connector>()
      return (target, callback) => {
        const port = portOf(target)
        const rule = protocols.has(target.protocol)
          ? judgeHost(canonicalHost(target.hostname), port)
          : 'protocol'
        if (rule !== undefined) {
          queueMicrotask(() => callback(new EgressDeniedError(rule), null))
          return
        }
        let connector = connectors.get(port)
        if (connector === undefined) {
          const judgeFor = (address: string, name: string | undefined) => judge(address, port, name)
          connector = createConnector({
            allowH2: false,
            ...rest,
            lookup: judgedLookup(lookup, judgeFor),
          })
          connectors.set(port, connector)
        }
        connector(target, callback)
      }
    },
  }
}

function judgedLookup(
  lookup: LookupFunction,
  judge: (address: string, name: string | undefined) => EgressRule | undefined,
): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, options, (error, found: string | LookupAddress[], family) => {
      if (error !== null) return callback(error, found, family)
      const name = canonicalHost(hostname)
      for (const entry of typeof found === 'string' ? [found] : found) {
        const address = canonicalHost(typeof entry === 'string' ? entry : entry.address)
        const isAddress = address !== undefined && isIP(address) !== 0
        const rule = isAddress ? judge(address, name) : 'host'
        if (rule !== undefined) return callback(new EgressDeniedError(rule), [])
      }
      callback(null, found, family)
    })
}

function portOf({ port, protocol }: { readonly port: string; readonly protocol: string }): number {
  return port ? Number(port) : protocol === 'https:' ? 443 : 80
}
