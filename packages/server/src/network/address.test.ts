import { SocketAddress } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalAddress, formatAddress, parseAddress } from './address.ts'

const text = (ip: string) => {
  const address = parseAddress(ip)
  return address === undefined ? undefined : formatAddress(address)
}

describe('parseAddress', () => {
  it('reads both families', () => {
    expect(text('192.0.2.1')).toBe('192.0.2.1')
    expect(text('255.255.255.255')).toBe('255.255.255.255')
    expect(text('2001:DB8:0:0:0:0:0:1')).toBe('2001:db8::1')
    expect(text('::')).toBe('::')
    expect(text('1::')).toBe('1::')
    expect(text('64:ff9b::192.0.2.33')).toBe('64:ff9b::c000:221')
  })

  it('takes an IPv4-mapped address for the IPv4 address it is, however it is spelled', () => {
    expect(text('::ffff:10.0.0.1')).toBe('10.0.0.1')
    expect(text('::FFFF:0a00:0001')).toBe('10.0.0.1')
    expect(text('0:0:0:0:0:ffff:a00:1')).toBe('10.0.0.1')
  })

  it('drops a zone', () => {
    expect(text('fe80::1%eth0')).toBe('fe80::1')
  })

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    ':1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2:3:4:5:6:7:8',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3.4:5',
    '1.2.3.4::',
    `${'0:'.repeat(5000)}1`,
  ])('refuses %j', (ip) => {
    expect(parseAddress(ip)).toBeUndefined()
  })

  it('agrees with Node on every IPv6 address, and writes it so that it reads the same', () => {
    fc.assert(
      fc.property(fc.ipV6(), (ip) => {
        const ours = text(ip)
        expect(ours).toBeDefined()
        expect(text(ours ?? '')).toBe(ours)
        const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(
          new SocketAddress({ address: ip, family: 'ipv6' }).address,
        )
        const node = new SocketAddress({ address: ip, family: 'ipv6' }).address
        if (mapped !== null) expect(ours).toBe(mapped[1])
        else expect(text(node)).toBe(ours)
      }),
    )
  })

  it('reads any text without throwing', () => {
    fc.assert(fc.property(fc.string(), (any) => void parseAddress(any)))
  })
})

describe('canonicalAddress', () => {
  it('leaves what is no address as it is', () => {
    expect(canonicalAddress('unknown')).toBe('unknown')
    expect(canonicalAddress('a:b')).toBe('a:b')
    expect(canonicalAddress('::ffff:127.0.0.1')).toBe('127.0.0.1')
  })
})
