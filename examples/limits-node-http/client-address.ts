import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

/** Networks (`10.0.0.0/8`) and addresses, of proxies whose `X-Forwarded-For` is believed. */
export function proxiesOf(networks: readonly string[]): BlockList {
  const proxies = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) proxies.addAddress(address, family)
    else proxies.addSubnet(address, Number(prefix), family)
  }
  return proxies
}

/**
 * The client's address. Each proxy appends the address it saw, so that from the right the first one that
 * isn't a trusted proxy is the client; what stands left of it the client may have made up.
 */
export function clientAddress(
  { headers, socket }: IncomingMessage,
  proxies: BlockList,
): string | undefined {
  const told = `${headers['x-forwarded-for'] ?? ''}`.split(',').map((hop) => hop.trim())
  const hops = [...told.filter((hop) => hop !== ''), `${socket.remoteAddress ?? ''}`]
  const isProxy = (hop: string) =>
    isIP(hop) !== 0 && proxies.check(hop, isIPv6(hop) ? 'ipv6' : 'ipv4')
  return hops.findLast((hop) => !isProxy(hop)) ?? hops[0]
}
