import { describe, expect, it } from 'vitest'
import {
  findEndpointFault,
  findHostFault,
  findNetworkFault,
  findOriginFault,
  isLocalHost,
} from './addresses.ts'

describe('findNetworkFault', () => {
  it.each(['10.0.0.0/8', '127.0.0.1', '::1', '2001:db8::/32', '0.0.0.0/0'])('takes %s', (text) => {
    expect(findNetworkFault(text)).toBeUndefined()
  })

  it.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
    'loopback',
  ])('refuses %j', (text) => {
    expect(findNetworkFault(text)).toBeDefined()
  })
})

describe('findOriginFault', () => {
  it.each([
    '*',
    'http://localhost:3000',
    'https://app.example.com',
    'http://[::1]:3000',
    'capacitor://localhost',
    'https://*.example.com',
  ])('takes %s', (text) => {
    expect(findOriginFault(text)).toBeUndefined()
  })

  it.each([
    '',
    'null',
    'app.example.com',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://u:p@example.com',
    'https://',
  ])('refuses %j', (text) => {
    expect(findOriginFault(text)).toContain('is not an origin')
  })
})

describe('findEndpointFault', () => {
  it.each(['https://api.openai.com/v1', 'http://127.0.0.1:9000', 'http://[::1]/x/'])(
    'takes %s',
    (text) => {
      expect(findEndpointFault(text)).toBeUndefined()
    },
  )

  it.each([
    ['api.openai.com', 'expected an address'],
    ['ftp://x', 'expected an address'],
    ['https:api.openai.com', 'expected an address'],
    ['http://', 'expected an address'],
    ['https://canary:hunter2@x/v1', 'no user or password'],
    ['https://x/v1?key=hunter2', 'no query'],
    ['https://x/v1#', 'no query'],
    ['https://x/a%2Fb', 'encoded slash'],
  ])('refuses %s', (text, fault) => {
    const found = findEndpointFault(text)
    expect(found).toContain(fault)
    expect(found).not.toContain('hunter2')
  })
})

describe('findHostFault', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost', 'gw-1.internal'])(
    'takes %s',
    (text) => {
      expect(findHostFault(text)).toBeUndefined()
    },
  )

  it.each(['[::1]', 'http://localhost', 'localhost:8000', 'a b', '-x', '*'])(
    'refuses %s',
    (text) => {
      expect(findHostFault(text)).toContain('expected')
    },
  )
})

describe('isLocalHost', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['LOCALHOST', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.0.1', false],
    ['127.example.com', false],
    ['localhost.example.com', false],
  ])('%s: %s', (host, expected) => {
    expect(isLocalHost(host)).toBe(expected)
  })
})
