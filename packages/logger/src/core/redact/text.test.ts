import { describe, expect, it } from 'vitest'
import { createSecretNames } from './names.ts'
import { createTextScrubber } from './text.ts'

const scrub = createTextScrubber(createSecretNames())
const JWT =
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----'

describe('createTextScrubber', () => {
  it.each([
    ['key sk-proj-abcdEFGH1234 used', 'key [redacted] used'],
    ['sk-ant-api03-abcdefgh', '[redacted]'],
    ['AKIAIOSFODNN7EXAMPLE', '[redacted]'],
    ['ghp_16C7e42F292c6912E7710c838347Ae178B4a!', '[redacted]!'],
    ['github_pat_11ABCDEFG0abcdefghij', '[redacted]'],
    ['tg_live_a1b2c3_d4e5f6a7b8c9', '[redacted]'],
    [`jwt ${JWT}.`, 'jwt [redacted]'],
    [`a ${PEM} b`, 'a [redacted] b'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE', '[redacted]'],
    ['Bearer my-demo-key', 'Bearer [redacted]'],
    ['got bearer%20abcdef', 'got bearer%20[redacted]'],
    ['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
    ['line\\nsk-abcdefghij', 'line\\n[redacted]'],
  ])('replaces the token in %j', (text, clean) => {
    expect(scrub(text)).toBe(clean)
  })

  it.each([
    ['postgres://app:hunter2@db:5432/x', 'postgres://[redacted]@db:5432/x'],
    ['postgres://app:p/a@ss@db/x', 'postgres://[redacted]@db/x'],
    ['https://token@host/a@b', 'https://[redacted]@host/a@b'],
    ['http://a:b@h, http://c:d@e', 'http://[redacted]@h, http://[redacted]@e'],
    ['/cb?access_token=abc&page=2', '/cb?access_token=[redacted]&page=2'],
    ['/v1?key=abc&api_key=def', '/v1?key=[redacted]&api_key=[redacted]'],
    ['/v1?access%5Ftoken=abc#x', '/v1?access%5Ftoken=[redacted]'],
  ])('replaces the credentials of the URL %j', (text, clean) => {
    expect(scrub(text)).toBe(clean)
  })

  it.each([
    ['password=hunter2 user=bob', 'password=[redacted] user=bob'],
    ['x-api-key: abc\r\nhost: b', 'x-api-key: [redacted]\r\nhost: b'],
    ['Cookie: a=b; c=d\nhost: b', 'Cookie: [redacted]\nhost: b'],
    ['Authorization: Digest username="a", response="b"', 'Authorization: [redacted]'],
    ['{"password":"a\\"b","n":1}', '{"password":"[redacted]","n":1}'],
    ['{\\"secret\\":\\"a b\\",\\"n\\":1}', '{\\"secret\\":\\"[redacted]\\",\\"n\\":1}'],
    ["{ apiKey: 'abc', n: 1 }", "{ apiKey: '[redacted]', n: 1 }"],
    ["Map { 'x-api-key' => 'abc' }", "Map { 'x-api-key' => '[redacted]' }"],
    ['{"x-api-key":["a","b"],"n":1}', '{"x-api-key":[redacted],"n":1}'],
    ['pwd=Xk2 http://h?a=b&token=c', 'pwd=[redacted] http://h?a=b&token=[redacted]'],
  ])('replaces the assigned secret in %j', (text, clean) => {
    expect(scrub(text)).toBe(clean)
  })

  it.each([
    ...['task-management-service', 'Basic usage here', 'Bearer token missing', 'sk-SK'],
    ...['OPENAI_API_KEY: missing', 'max_tokens=5 total_tokens: 7', '2001:db8::1', '/a?page=2'],
    ...['http://localhost:4873/@scope/pkg', 'mail bob@example.com', 'GET', '', 'monkey=3'],
  ])('leaves %j alone', (text) => {
    expect(scrub(text)).toBe(text)
  })

  it('replaces every match of extra patterns, whatever their flags', () => {
    const own = createTextScrubber(createSecretNames(), [], [/emp-\d+/, /^x$/y])
    expect(own('emp-1 and emp-22')).toBe('[redacted] and [redacted]')
    expect(own('emp-1 and emp-22')).toBe('[redacted] and [redacted]')
    expect(own('x')).toBe('[redacted]')
  })

  it('replaces assignments to extra names', () => {
    const own = createTextScrubber(createSecretNames(['licence-no']), ['licence-no'])
    expect(own('licence_no=4711 x')).toBe('licence_no=[redacted] x')
  })

  it('cuts long text without leaving half of a secret at the cut', () => {
    for (let at = 16_200; at < 17_420; at += 7) {
      const text = `${'x'.repeat(at)} postgres://bob:hunter2hunter2@db ${'y'.repeat(3_000)}`
      const clean = scrub(text)
      expect(clean).not.toContain('hunter')
      expect(clean).toMatch(/… \[cut: \d+ characters\]$/)
    }
  })

  it('scrubs its own output to itself', () => {
    const once = scrub(`password=a Bearer abcdef {"token":"x"} ${JWT}`)
    expect(scrub(once)).toBe(once)
  })
})
