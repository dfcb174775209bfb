import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTrust, isLoopback } from './trust.ts'

describe('createTrust', () => {
  it('trusts the addresses of its networks and no others', () => {
    const trust = createTrust(['10.0.0.0/8', '192.0.2.7', '2001:db8::/33'])
    expect(trust.trusts('10.255.0.1')).toBe(true)
    expect(trust.trusts('11.0.0.1')).toBe(false)
    expect(trust.trusts('192.0.2.7')).toBe(true)
    expect(trust.trusts('192.0.2.8')).toBe(false)
    expect(trust.trusts('2001:db8:7fff::1')).toBe(true)
    expect(trust.trusts('2001:db8:8000::1')).toBe(false)
    expect(trust.trusts('unknown')).toBe(false)
  })

  it('judges IPv4-mapped addresses and networks as IPv4', () => {
    expect(createTrust(['10.0.0.0/8']).trusts('::ffff:10.1.2.3')).toBe(true)
    expect(createTrust(['::ffff:10.0.0.0/104']).trusts('10.1.2.3')).toBe(true)
    expect(createTrust(['::/0']).trusts('10.1.2.3')).toBe(false)
    expect(createTrust(['0.0.0.0/0']).trusts('2001:db8::1')).toBe(false)
  })

  it('trusts nobody by default, not even loopback', () => {
    expect(createTrust([]).trusts('127.0.0.1')).toBe(false)
  })

  it('gives the same answer again from its cache, and survives a flood of peers', () => {
    const trust = createTrust(['10.0.0.0/8'])
    for (let i = 0; i < 10_000; i++) trust.trusts(`11.0.${i >> 8}.${i & 255}`)
    expect(trust.trusts('10.0.0.1')).toBe(true)
    expect(trust.trusts('10.0.0.1')).toBe(true)
    expect(trust.trusts('11.0.0.1')).toBe(false)
  })

  it.each([
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0/8',
    '::/129',
    '::ffff:10.0.0.0/8',
    'fe80::1%eth0/64',
    '',
  ])('names the entry %j that is no network', (cidr) => {
    expect(() => createTrust(['10.0.0.0/8', cidr])).toThrow(`"${cidr}" is not a network`)
  })

  it('agrees with Node about any IPv4 network', () => {
    const network = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
    fc.assert(
      fc.property(network, fc.ipV4(), ([base, prefix], ip) => {
        const list = new BlockList()
        list.addSubnet(base, prefix)
        expect(createTrust([`${base}/${prefix}`]).trusts(ip)).toBe(list.check(ip))
        expect(createTrust([`${base}/${prefix}`]).trusts(base)).toBe(true)
      }),
    )
  })
})

describe('isLoopback', () => {
  it('knows both families and the mapped form', () => {
    for (const ip of ['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
      expect(isLoopback(ip)).toBe(true)
    }
    for (const ip of ['128.0.0.1', '::2', '1::1', '::ffff:10.0.0.1', 'localhost', '']) {
      expect(isLoopback(ip)).toBe(false)
    }
  })
})
