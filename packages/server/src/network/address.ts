/** An address in the form that is compared by bits: one number for IPv4, eight groups for IPv6. */
export type Address =
  | { readonly family: 4; readonly bits: number }
  | { readonly family: 6; readonly groups: readonly number[] }

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/
const GROUP = /^[0-9a-f]{1,4}$/i

/**
 * Reads an IPv4 or IPv6 address. IPv4-mapped IPv6 (`::ffff:10.0.0.1`) becomes the IPv4 address it
 * stands for; a zone (`%eth0`) is dropped, as it means something on one host only. Anything else,
 * octets with a leading zero among it (read as octal by some), is `undefined`.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.includes(':')) return parseV6(text)
  const bits = parseV4(text)
  return bits === undefined ? undefined : { family: 4, bits }
}

function parseV4(text: string): number | undefined {
  const match = V4.exec(text)
  if (match === null) return undefined
  let bits = 0
  for (let i = 1; i <= 4; i++) {
    const octet = match[i] ?? ''
    const value = Number(octet)
    if (value > 255 || (octet.length > 1 && octet.startsWith('0'))) return undefined
    bits = bits * 256 + value
  }
  return bits
}

function parseV6(text: string): Address | undefined {
  // The longest form there is has 45 characters; a zone adds an interface's name.
  if (text.length > 64) return undefined
  const zone = text.indexOf('%')
  const halves = (zone === -1 ? text : text.slice(0, zone)).split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 1 ? [] : parseGroups(halves[1] ?? '', true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  return unmapped([...head, ...new Array<number>(missing).fill(0), ...tail])
}

function parseGroups(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(Number.parseInt(part, 16))
    else {
      const bits = mayEndInV4 && index === parts.length - 1 ? parseV4(part) : undefined
      if (bits === undefined) return undefined
      groups.push(Math.floor(bits / 65_536), bits % 65_536)
    }
  }
  return groups
}

function unmapped(groups: readonly number[]): Address {
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  if (!mapped) return { family: 6, groups }
  return { family: 4, bits: (groups[6] ?? 0) * 65_536 + (groups[7] ?? 0) }
}

/** Writes an address in its one canonical form: dotted decimal, or RFC 5952 for IPv6. */
export function formatAddress(address: Address): string {
  if (address.family === 4) {
    const { bits } = address
    return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`
  }
  const { start, length } = longestZeroRun(address.groups)
  const hex = address.groups.map((group) => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let length = 0
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > best.length) best = { start: index - length + 1, length }
  }
  return best
}

/**
 * The address as the kit writes it everywhere: IPv4-mapped IPv6 as IPv4, IPv6 in canonical form. What
 * is no address comes back as it is.
 */
export function canonicalAddress(text: string): string {
  if (!text.includes(':')) return text
  const address = parseAddress(text)
  return address === undefined ? text : formatAddress(address)
}

/** Keeps the first `prefix` bits of an IPv6 address and zeroes the rest. */
export function maskGroups(groups: readonly number[], prefix: number): number[] {
  return groups.map((group, index) => {
    const kept = Math.min(16, Math.max(0, prefix - index * 16))
    return group & (0xffff << (16 - kept)) & 0xffff
  })
}
