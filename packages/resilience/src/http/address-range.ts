import { BlockList, isIPv4 } from 'node:net'

/** The kinds of addresses that are not public. */
export type AddressRange =
  | 'metadata'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link_local'
  | 'multicast'
  | 'unspecified'
  | 'transition'
  | 'reserved'

/**
 * The special-purpose registries of IANA (RFC 6890 and its updates), and the addresses at which cloud
 * platforms hand out credentials. The first match counts.
 */
const RANGES: readonly (readonly [AddressRange, readonly string[], readonly string[]])[] = [
  [
    'metadata',
    ['169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
    ['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254'],
  ],
  ['loopback', ['127.0.0.0/8'], ['::1']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], ['fc00::/7', 'fec0::/10']],
  ['shared', ['100.64.0.0/10'], []],
  ['link_local', ['169.254.0.0/16'], ['fe80::/10']],
  ['multicast', ['224.0.0.0/4'], ['ff00::/8']],
  ['unspecified', ['0.0.0.0/8'], ['::']],
  // Forms that carry an IPv4 address: compatible, mapped, translated, 6to4, Teredo, local NAT64.
  [
    'transition',
    ['192.88.99.0/24'],
    ['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '2002::/16', '2001::/32', '64:ff9b:1::/48'],
  ],
  [
    'reserved',
    [
      ...['192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
      '240.0.0.0/4',
    ],
    ['2001::/23', '2001:db8::/32', '3fff::/20'],
  ],
]

interface Range {
  readonly range: AddressRange
  // One list per family: a list that holds ::ffff:0:0/96 matches every IPv4 address.
  readonly v4: BlockList
  readonly v6: BlockList
}

const ranges: readonly Range[] = RANGES.map(([range, v4, v6]) => ({
  range,
  v4: listOf(v4, 'ipv4'),
  v6: listOf(v6, 'ipv6'),
}))

const globalUnicast = listOf(['2000::/3'], 'ipv6')
const nat64 = listOf(['64:ff9b::/96'], 'ipv6')

function listOf(entries: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [net = '', prefix] = entry.split('/')
    if (prefix === undefined) list.addAddress(net, family)
    else list.addSubnet(net, Number(prefix), family)
  }
  return list
}

/**
 * The range that `address` is in, or undefined where it is public. IPv6 outside of what is allocated
 * for global unicast is `reserved`.
 */
export function rangeOf(address: string): AddressRange | undefined {
  if (isIPv4(address)) return ranges.find(({ v4 }) => v4.check(address, 'ipv4'))?.range
  const found = ranges.find(({ v6 }) => v6.check(address, 'ipv6'))?.range
  return found ?? (globalUnicast.check(address, 'ipv6') ? undefined : 'reserved')
}

/**
 * The IPv4 address that a NAT64 gateway would connect to for `address` (RFC 6052, well-known prefix),
 * undefined for every other. Where only IPv6 is spoken, DNS answers with these for each IPv4 host, so
 * it is what they stand for that has to be judged.
 */
export function nat64Target(address: string): string | undefined {
  if (isIPv4(address) || !nat64.check(address, 'ipv6')) return undefined
  const groups = new URL(`http://[${address}]`).hostname.slice('[64:ff9b::'.length, -1).split(':')
  const [low = 0, high = 0] = groups.reverse().map((group) => Number.parseInt(group || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
