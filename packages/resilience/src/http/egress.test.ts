import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEgress, type EgressOptions } from './egress.ts'
import { EgressDeniedError } from './egress-denied.ts'

function ruleFor(url: string, options?: EgressOptions): string {
  try {
    createEgress(options).check(new URL(url))
    return 'allowed'
  } catch (error) {
    if (!(error instanceof EgressDeniedError)) throw error
    return error.rule
  }
}

describe('createEgress', () => {
  it.each([
    ['http://127.0.0.1', 'loopback'],
    ['http://127.255.255.254', 'loopback'],
    ['http://2130706433', 'loopback'],
    ['http://0x7f000001', 'loopback'],
    ['http://0177.0.0.1', 'loopback'],
    ['http://0x7f.1', 'loopback'],
    ['http://127.1', 'loopback'],
    ['http://127.0.0.1.', 'loopback'],
    ['http://%31%32%37.0.0.1', 'loopback'],
    ['http://127。0。0。1', 'loopback'],
    ['http://①②⑦.0.0.1', 'loopback'],
    ['http://[::1]', 'loopback'],
    ['http://[0:0:0:0:0:0:0:1]', 'loopback'],
    ['http://10.1.2.3', 'private'],
    ['http://172.16.0.1', 'private'],
    ['http://172.31.255.255', 'private'],
    ['http://192.168.1.1', 'private'],
    ['http://[fd12:3456::1]', 'private'],
    ['http://[fec0::1]', 'private'],
    ['http://100.64.0.1', 'shared'],
    ['http://169.254.1.1', 'link_local'],
    ['http://[fe80::1]', 'link_local'],
    ['http://169.254.169.254/latest/meta-data', 'metadata'],
    ['http://0xa9fea9fe', 'metadata'],
    ['http://[fd00:ec2::254]', 'metadata'],
    ['http://[fd00:0ec2:0:0::254]', 'metadata'],
    ['http://168.63.129.16', 'metadata'],
    ['http://100.100.100.200', 'metadata'],
    ['http://224.0.0.1', 'multicast'],
    ['http://[ff02::1]', 'multicast'],
    ['http://0.0.0.0', 'unspecified'],
    ['http://0', 'unspecified'],
    ['http://[::]', 'unspecified'],
    ['http://[::ffff:127.0.0.1]', 'transition'],
    ['http://[::ffff:8.8.8.8]', 'transition'],
    ['http://[::ffff:0:8.8.8.8]', 'transition'],
    ['http://[::127.0.0.1]', 'transition'],
    ['http://[2002:7f00:1::]', 'transition'],
    ['http://[2001:0:1234::1]', 'transition'],
    ['http://[64:ff9b:1::a00:1]', 'transition'],
    ['http://[64:ff9b::127.0.0.1]', 'loopback'],
    ['http://[64:ff9b::a9fe:a9fe]', 'metadata'],
    ['http://[64:ff9b::]', 'unspecified'],
    ['http://[64:ff9b::10.0.0.0]', 'private'],
    ['http://255.255.255.255', 'reserved'],
    ['http://240.0.0.1', 'reserved'],
    ['http://198.18.0.1', 'reserved'],
    ['http://203.0.113.7', 'reserved'],
    ['http://[2001:db8::1]', 'reserved'],
    ['http://[100::1]', 'reserved'],
    ['http://[4000::1]', 'reserved'],
    ['ftp://example.com', 'protocol'],
    ['file:///etc/passwd', 'protocol'],
    ['http://user@example.com', 'credentials'],
    ['http://:password@example.com', 'credentials'],
    ['http://example.com', 'allowed'],
    ['https://8.8.8.8:8443', 'allowed'],
    ['http://172.32.0.1', 'allowed'],
    ['http://100.128.0.1', 'allowed'],
    ['http://[2606:4700::1111]', 'allowed'],
    ['http://[64:ff9b::8.8.8.8]', 'allowed'],
  ])('judges %s: %s', (url, rule) => {
    expect(ruleFor(url)).toBe(rule)
  })

  it('denies every spelling of every IPv4 address that it denies in the usual one', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    const range = fc.constantFrom([10], [127], [169, 254], [192, 168], [172, 20], [100, 99], [0])
    fc.assert(
      fc.property(range, fc.tuple(octet, octet, octet, octet), (start, filling) => {
        const octets = [...start, ...filling].slice(0, 4)
        const [a = 0, b = 0, c = 0, d = 0] = octets
        const number = ((a * 256 + b) * 256 + c) * 256 + d
        const usual = ruleFor(`http://${octets.join('.')}`)
        expect(usual).not.toBe('allowed')
        const spellings = [
          `${number}`,
          `0x${number.toString(16)}`,
          `0${number.toString(8)}`,
          `${a}.${number % 16_777_216}`,
          `0${a.toString(8)}.0x${b.toString(16)}.${c * 256 + d}`,
          `${octets.join('.')}.`,
        ]
        for (const host of spellings)
          expect([host, ruleFor(`http://${host}`)]).toEqual([host, usual])
        expect(ruleFor(`http://[64:ff9b::${octets.join('.')}]`)).toBe(usual)
        expect(ruleFor(`http://[::ffff:${octets.join('.')}]`)).not.toBe('allowed')
      }),
    )
  })

  it('lets an entry permit an address, a range, or one port of it', () => {
    expect(ruleFor('http://10.1.2.3', { allow: ['10.1.2.3'] })).toBe('allowed')
    expect(ruleFor('http://10.1.2.4', { allow: ['10.1.2.3'] })).toBe('private')
    expect(ruleFor('http://10.9.9.9', { allow: ['10.0.0.0/8'] })).toBe('allowed')
    expect(ruleFor('http://169.254.169.254', { allow: ['169.254.169.254'] })).toBe('allowed')
    expect(ruleFor('http://127.0.0.1:8080', { allow: ['127.0.0.1:8080'] })).toBe('allowed')
    expect(ruleFor('http://127.0.0.1:8081', { allow: ['127.0.0.1:8080'] })).toBe('loopback')
    expect(ruleFor('http://10.0.0.1', { allow: ['10.0.0.1:80'] })).toBe('allowed')
    expect(ruleFor('http://[fd00::5]:99', { allow: ['[fd00::5]:99'] })).toBe('allowed')
    expect(ruleFor('http://[fd00::5]', { allow: ['fd00::5'] })).toBe('allowed')
    expect(ruleFor('http://[fd00::5]', { allow: ['FD00::/8'] })).toBe('allowed')
    expect(ruleFor('http://[64:ff9b::10.0.0.1]', { allow: ['10.0.0.0/8'] })).toBe('allowed')
  })

  it('takes an IPv6 network for no IPv4 address, and an IPv4 network for its mapped form', () => {
    expect(ruleFor('http://169.254.169.254', { allow: ['::/0'] })).toBe('metadata')
    expect(ruleFor('http://10.0.0.1', { allow: ['::ffff:0:0/96'] })).toBe('private')
    expect(ruleFor('http://[fd00::1]', { allow: ['0.0.0.0/0'] })).toBe('private')
    expect(ruleFor('http://8.8.8.8', { deny: ['::/0'] })).toBe('allowed')
    expect(ruleFor('http://[::ffff:10.0.0.1]', { deny: ['10.0.0.0/8'] })).toBe('deny')
  })

  it('opens internal ranges with private: allow, but not metadata and the like', () => {
    const options: EgressOptions = { private: 'allow' }
    expect(ruleFor('http://127.0.0.1', options)).toBe('allowed')
    expect(ruleFor('http://[fd12::1]', options)).toBe('allowed')
    expect(ruleFor('http://100.64.0.1', options)).toBe('allowed')
    expect(ruleFor('http://169.254.169.254', options)).toBe('metadata')
    expect(ruleFor('http://100.100.100.200', options)).toBe('metadata')
    expect(ruleFor('http://[fd00:ec2::254]', options)).toBe('metadata')
    expect(ruleFor('http://0.0.0.0', options)).toBe('unspecified')
    expect(ruleFor('http://169.254.3.4', options)).toBe('link_local')
  })

  it('puts deny before allow, for addresses and for names in every spelling', () => {
    const deny = ['8.8.8.0/24', 'evil.example', '*.bad.example', 'api.example:8443']
    const options: EgressOptions = { deny, allow: ['8.8.8.8', 'evil.example'] }
    expect(ruleFor('http://8.8.8.8', options)).toBe('deny')
    expect(ruleFor('http://[64:ff9b::808:808]', options)).toBe('deny')
    expect(ruleFor('http://EVIL.example.', options)).toBe('deny')
    expect(ruleFor('http://not-evil.example', options)).toBe('allowed')
    expect(ruleFor('http://a.b.bad.example', options)).toBe('deny')
    expect(ruleFor('http://bad.example', options)).toBe('allowed')
    expect(ruleFor('http://xbad.example', options)).toBe('allowed')
    expect(ruleFor('https://api.example:8443', options)).toBe('deny')
    expect(ruleFor('https://api.example', options)).toBe('allowed')
    expect(ruleFor('http://b%C3%BCcher.example', { deny: ['Bücher.example'] })).toBe('deny')
  })

  it('makes allow the whole list where public addresses are denied', () => {
    expect(ruleFor('https://8.8.8.8', { public: 'deny' })).toBe('public')
    expect(ruleFor('https://8.8.8.8', { public: 'deny', allow: ['8.8.8.8:443'] })).toBe('allowed')
  })

  it('permits the protocols that are named, with or without a colon', () => {
    expect(ruleFor('http://example.com', { protocols: ['https'] })).toBe('protocol')
    expect(ruleFor('https://example.com', { protocols: ['HTTPS:'] })).toBe('allowed')
  })

  it.each([
    '',
    'https://user:secret@host.example',
    'host/path',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8:80',
    'fd00::/129',
    'host:0',
    'host:65536',
    'host:port',
    '*.10.0.0.1',
    '*',
    'a*.example',
    'two words',
    '[example.com]',
    '[::1',
    '::1]:80',
  ])('refuses the entry %j without quoting it', (entry) => {
    const create = () => createEgress({ allow: ['example.com', entry] })
    expect(create).toThrow(/^egress\.allow\[1\] is no host, address, CIDR or host:port/)
    expect(create).not.toThrow(/secret/)
  })

  it('makes no connector for a socket that has a path and no address', () => {
    const connector = () => createEgress().connector({ socketPath: '/run/api.sock' })
    expect(connector).toThrow(/path has none/)
  })

  it('names the rule in its error and nothing else', () => {
    const check = () => createEgress().check(new URL('http://10.11.12.13:8081/secret'))
    expect(check).toThrow(EgressDeniedError)
    expect(check).toThrow(/private/)
    expect(check).not.toThrow(/10\.11|8081|secret/)
  })
})
