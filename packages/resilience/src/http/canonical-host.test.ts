import { describe, expect, it } from 'vitest'
import { canonicalHost } from './canonical-host.ts'

describe('canonicalHost', () => {
  it.each([
    ['Example.COM.', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['_http._tcp.api', '_http._tcp.api'],
    ['0x7f.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['[::1]', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FE80::1%eth0', 'fe80::1'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['', undefined],
    ['.', undefined],
    ['a%b', undefined],
    ['a b', undefined],
    ['a/b', undefined],
    ['a@b', undefined],
    ['a:80', undefined],
    ['*.a', undefined],
    ['256.256.256.256', undefined],
    ['[a]', 'a'],
  ])('reads %j as %j', (host, expected) => {
    expect(canonicalHost(host)).toBe(expected)
  })
})
