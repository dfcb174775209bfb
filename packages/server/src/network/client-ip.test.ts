import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ipGroup, resolveClientIp } from './client-ip.ts'
import { createTrust } from './trust.ts'

const trust = createTrust(['10.0.0.0/8', 'fd00::/8'])
const from = (forwardedFor: string | undefined, peer = '10.0.0.1') =>
  resolveClientIp({ peer, forwardedFor, trust })

describe('resolveClientIp', () => {
  it('is the peer when nobody speaks for another', () => {
    expect(from(undefined)).toBe('10.0.0.1')
    expect(from('')).toBe('10.0.0.1')
  })

  it('does not believe a peer that is not trusted', () => {
    expect(from('1.1.1.1', '203.0.113.9')).toBe('203.0.113.9')
  })

  it('takes the first address from the right that is not trusted', () => {
    expect(from('1.1.1.1')).toBe('1.1.1.1')
    expect(from('6.6.6.6, 1.1.1.1')).toBe('1.1.1.1')
    expect(from('6.6.6.6,1.1.1.1 , 10.9.9.9,fd00::3')).toBe('1.1.1.1')
  })

  it('takes the leftmost address when all are trusted', () => {
    expect(from('10.3.3.3, 10.2.2.2')).toBe('10.3.3.3')
  })

  it('ends at the last good address when an entry is none', () => {
    expect(from('1.1.1.1, unknown')).toBe('10.0.0.1')
    expect(from('1.1.1.1, unknown, 10.2.2.2')).toBe('10.2.2.2')
    expect(from('1.1.1.1,, 10.2.2.2')).toBe('10.2.2.2')
    expect(from('1.1.1.1, 10.2.2.2,')).toBe('10.0.0.1')
    expect(from('fe80::1%eth0')).toBe('10.0.0.1')
  })

  it('drops ports and brackets, and writes an address in one form', () => {
    expect(from('1.1.1.1:8080')).toBe('1.1.1.1')
    expect(from('[2001:DB8::1]:443')).toBe('2001:db8::1')
    expect(from('[2001:db8:0:0::1]')).toBe('2001:db8::1')
    expect(from('::ffff:1.1.1.1')).toBe('1.1.1.1')
    expect(from('[1.1.1.1')).toBe('10.0.0.1')
  })

  it('can not be led past an untrusted address by anything to its left', () => {
    fc.assert(
      fc.property(fc.string(), (junk) => {
        expect(from(`${junk}, 203.0.113.5, 10.1.1.1`)).toBe('203.0.113.5')
      }),
    )
  })
})

describe('ipGroup', () => {
  it('counts an IPv4 address by itself and an IPv6 address by its network', () => {
    expect(ipGroup('192.0.2.1')).toBe('192.0.2.1')
    expect(ipGroup('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(ipGroup('2001:db8:1:2ff::1')).toBe('2001:db8:1:200::/56')
    expect(ipGroup('2001:db8:1:200:ffff::')).toBe('2001:db8:1:200::/56')
    expect(ipGroup('2001:db8:1:300::')).toBe('2001:db8:1:300::/56')
    expect(ipGroup('2001:db8:1:2ff::1', { v6Prefix: 64 })).toBe('2001:db8:1:2ff::/64')
  })

  it('leaves what is no address as it is', () => {
    expect(ipGroup('unknown')).toBe('unknown')
    expect(ipGroup('a:b')).toBe('a:b')
  })
})
