import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidRequestError } from '../core/errors.ts'
import { clientKey } from './client-key.ts'

const BITS = 128n
const bits = fc.bigInt({ min: 0n, max: 2n ** BITS - 1n })
const prefixes = fc.integer({ min: 1, max: 128 })
const spelled = (address: bigint) =>
  fc.constantFrom(plain, shouted, short, dotted, zoned).map((spell) => spell(address))

/** An address, and one that differs from it in some bits: often within the same network, often not. */
const pairs = fc
  .tuple(bits, fc.array(fc.bigInt({ min: 0n, max: BITS - 1n }), { maxLength: 2 }))
  .chain(([one, flipped]) => {
    const other = flipped.reduce((address, bit) => address ^ (1n << bit), one)
    return fc.tuple(
      spelled(one),
      spelled(other),
      fc.constant(plain(one)),
      fc.constant(plain(other)),
    )
  })

function plain(address: bigint): string {
  const hex = address.toString(16).padStart(32, '0')
  return (hex.match(/.{4}/g) ?? []).join(':')
}

function shouted(address: bigint): string {
  return plain(address)
    .toUpperCase()
    .replaceAll(/\b0+(?=\w)/g, '')
}

function short(address: bigint): string {
  return new URL(`http://[${plain(address)}]`).hostname.slice(1, -1)
}

function dotted(address: bigint): string {
  const low = [24n, 16n, 8n, 0n].map((by) => (address >> by) & 255n)
  return `${plain(address).split(':').slice(0, 6).join(':')}:${low.join('.')}`
}

function zoned(address: bigint): string {
  return `${short(address)}%eth0`
}

function inOneNetwork(one: string, other: string, prefix: number): boolean {
  const network = new BlockList()
  network.addSubnet(one, prefix, 'ipv6')
  return network.check(other, 'ipv6')
}

const isMapped = (address: string) => address.startsWith('0000:0000:0000:0000:0000:ffff:')

describe('clientKey', () => {
  it('is an IPv4 address itself, and the network of an IPv6 address', () => {
    expect(clientKey('192.0.2.7')).toBe('192.0.2.7')
    expect(clientKey('2001:db8:1:2ff::1')).toBe('2001:db8:1:200::/56')
    expect(clientKey('2001:DB8:1:200:FFFF::')).toBe('2001:db8:1:200::/56')
    expect(clientKey('2001:db8:1:300::')).toBe('2001:db8:1:300::/56')
    expect(clientKey('2001:db8:1:2ff::1', { ipv6Prefix: 64 })).toBe('2001:db8:1:2ff::/64')
    expect(clientKey('2001:db8:1:2ff::1', { ipv6Prefix: 128 })).toBe('2001:db8:1:2ff::1/128')
    expect(clientKey('::1')).toBe('::/56')
    expect(clientKey('fe80::1%eth0')).toBe('fe80::/56')
  })

  it('knows an IPv4-mapped address by its bits, however it is spelled', () => {
    const spellings = [
      '::ffff:10.0.2.1',
      '::FFFF:0a00:0201',
      '0:0:0:0:0:ffff:a00:201',
      '::ffff:a00:201%1',
    ]
    for (const spelling of spellings) expect(clientKey(spelling)).toBe('10.0.2.1')
    expect(clientKey('::10.0.2.1', { ipv6Prefix: 128 })).toBe('::a00:201/128')
  })

  it('agrees with Node on which addresses share a network', () => {
    fc.assert(
      fc.property(pairs, prefixes, ([one, other, plainOne, plainOther], ipv6Prefix) => {
        fc.pre(!isMapped(plainOne) && !isMapped(plainOther))
        const same = clientKey(one, { ipv6Prefix }) === clientKey(other, { ipv6Prefix })
        expect(same).toBe(inOneNetwork(plainOne, plainOther, ipv6Prefix))
      }),
      { numRuns: 500 },
    )
  })

  it('makes a key whose network, as Node reads it, holds the address', () => {
    fc.assert(
      fc.property(
        bits.chain((address) => fc.tuple(spelled(address), fc.constant(plain(address)))),
        prefixes,
        ([one, address], ipv6Prefix) => {
          fc.pre(!isMapped(address))
          const [network = '', prefix] = clientKey(one, { ipv6Prefix }).split('/')
          expect(Number(prefix)).toBe(ipv6Prefix)
          expect(inOneNetwork(network, address, ipv6Prefix)).toBe(true)
        },
      ),
    )
  })

  it('makes one key of an IPv4 address and all spellings of its mapped form', () => {
    fc.assert(
      fc.property(
        fc.ipV4(),
        prefixes,
        fc.constantFrom(plain, shouted, short, dotted, zoned),
        (v4, ipv6Prefix, spell) => {
          const number = v4.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
          expect(clientKey(spell((0xffffn << 32n) + number), { ipv6Prefix })).toBe(v4)
          expect(clientKey(v4, { ipv6Prefix })).toBe(v4)
        },
      ),
    )
  })

  it.each([
    '',
    ' ',
    'unknown',
    'localhost',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3',
    '192.0.2.7:443',
    '[::1]',
    '[::1]:443',
    '1:2:3:4:5:6:7',
    '1::2::3',
    '1::2:3:4:5:6:7:8:9',
    'g::',
    '::1/64',
    '192.0.2.7, 10.0.0.1',
    `${'0:'.repeat(50_000)}1`,
  ])('refuses %j', (address) => {
    expect(() => clientKey(address)).toThrow(InvalidRequestError)
  })

  it('says what is wrong, of a long text no more than its beginning', () => {
    expect(() => clientKey('192.0.2.7:443')).toThrow(/"192\.0\.2\.7:443".*without a port/)
    expect(() => clientKey('x'.repeat(9_000))).toThrow(/^.{0,250}$/)
    expect(() => clientKey(undefined)).toThrow(/closed/)
  })

  it.each([0, 129, 56.5, -1, Number.NaN])(
    'refuses %d bits of prefix, for any address',
    (ipv6Prefix) => {
      expect(() => clientKey('192.0.2.7', { ipv6Prefix })).toThrow(/from 1 to 128/)
    },
  )

  it('answers any text with a key or an InvalidRequestError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.ipV6(),
          fc.string({ unit: fc.constantFrom(':', '0', 'f', '.', '%', '1') }),
        ),
        (text) => {
          try {
            expect(clientKey(text)).not.toBe('')
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidRequestError)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
