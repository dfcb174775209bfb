import type { SrvRecord } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { canonicalHost } from './canonical-host.ts'
import type { DiscoveredEndpoint, Discovery } from './discovery.ts'
import { endpointUrl } from './setting-rules.ts'

/** What is asked of a DNS resolver; `Resolver` of `node:dns/promises` is one. */
interface DnsResolver {
  resolve4(name: string): Promise<readonly string[]>
  resolve6(name: string): Promise<readonly string[]>
  resolveSrv(name: string): Promise<readonly SrvRecord[]>
}

/** Which DNS name tells the endpoints. */
export type DnsDiscoveryOptions = (
  | {
      /**
       * Each address of this URL's host becomes an endpoint with the URL's protocol, port and path. `Host`
       * and TLS keep asking for the name.
       */
      readonly url: string
    }
  | {
      /** A name with SRV records (RFC 2782), such as `_http._tcp.api.internal`. */
      readonly srv: string
      /** Default `http`. */
      readonly protocol?: 'http' | 'https'
      /** Goes before the path of each call. Default none. */
      readonly path?: string
    }
) & {
  /** How often it is asked, in milliseconds. Default 30,000. */
  readonly refreshMs?: number
  /**
   * Asks a DNS server of your own. Default for `url`: the system's resolver, with its hosts file and search
   * domains; for `srv`: the system's DNS servers.
   */
  readonly resolver?: DnsResolver
}

/**
 * Finds endpoints in DNS: by addresses (A, AAAA), all with the same weight, or by SRV records with their
 * weights and priorities. A weight of 0 becomes a hundredth of the smallest other.
 *
 * @throws TypeError when the URL is none that an endpoint can have.
 */
export function createDnsDiscovery(options: DnsDiscoveryOptions): Discovery {
  const { refreshMs = 30_000, resolver } = options
  if ('srv' in options) {
    const { srv, protocol = 'http', path = '' } = options
    const service = resolver ?? new Resolver({ timeout: 2_000, tries: 2 })
    const discover = async () => fromRecords(await service.resolveSrv(srv), protocol, path)
    return Object.assign(discover, { refreshMs })
  }
  const [issue] = endpointUrl(options.url, 'url')
  if (issue !== undefined) throw new TypeError(`A DNS discovery's URL ${issue.message}.`)
  const url = new URL(options.url)
  const name = canonicalHost(url.hostname) ?? ''
  const discover = async () => {
    if (isIP(name) !== 0) return [{ url: url.href }]
    const addresses = resolver ? await bothFamilies(resolver, name) : await bySystem(name)
    return addresses.filter((address) => isIP(address) !== 0).map((address) => at(url, address))
  }
  return Object.assign(discover, { refreshMs })
}

async function bySystem(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address)
}

/** One family is enough; only when both fail is it a failure. */
async function bothFamilies(resolver: DnsResolver, name: string): Promise<readonly string[]> {
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (found.length === 0 && failed !== undefined) throw failed.reason
  return found
}

function at(url: URL, address: string): DiscoveredEndpoint {
  const endpoint = new URL(url)
  endpoint.hostname = isIP(address) === 6 ? `[${address.replace(/%.*$/, '')}]` : address
  return { url: endpoint.href, host: url.host }
}

function fromRecords(
  records: readonly SrvRecord[],
  protocol: string,
  path: string,
): DiscoveredEndpoint[] {
  // A target of "." says that the service is decidedly not available.
  const usable = records.filter(({ name }) => canonicalHost(name) !== undefined)
  const smallest = Math.min(...usable.map(({ weight }) => weight || Number.POSITIVE_INFINITY))
  const least = Number.isFinite(smallest) ? smallest / 100 : 1
  return usable.map(({ name, port, weight, priority }) => ({
    url: new URL(`${protocol}://${canonicalHost(name)}:${port}/${path.replace(/^\/+/, '')}`).href,
    weight: weight || least,
    priority,
  }))
}
