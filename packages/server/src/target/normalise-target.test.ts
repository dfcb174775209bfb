import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseTarget } from './normalise-target.ts'

const pathOf = (url: string) => {
  const target = normaliseTarget(url)
  return target.ok ? target.path : `refused: ${target.reason}`
}

describe('normaliseTarget', () => {
  it('passes plain targets and splits off the query', () => {
    expect(normaliseTarget('/v1/models')).toEqual({ ok: true, path: '/v1/models', query: '' })
    expect(normaliseTarget('/?')).toEqual({ ok: true, path: '/', query: '?' })
    expect(normaliseTarget('/v1/models/gemini:generate?alt=sse')).toEqual({
      ok: true,
      path: '/v1/models/gemini:generate',
      query: '?alt=sse',
    })
  })

  it('keeps the query byte for byte', () => {
    for (const query of ['?a=%2f&b=..%2F..', '?x=100%', '?q=a\\b', '?/../..', '??', '?%61=%00']) {
      expect(normaliseTarget(`/a${query}`)).toEqual({ ok: true, path: '/a', query })
    }
  })

  it('has one spelling for each path', () => {
    expect(pathOf('/v1/%61%2d%5F%7e%2E5')).toBe('/v1/a-_~.5')
    expect(pathOf('/caf%c3%a9')).toBe('/caf%C3%A9')
    expect(pathOf('/a%20b%3f%23')).toBe('/a%20b%3F%23')
    expect(pathOf('/%252e%252e/a')).toBe('/%252e%252e/a')
    expect(pathOf('/{id}|[x]')).toBe('/{id}|[x]')
    expect(pathOf('/...')).toBe('/...')
    expect(pathOf('/.well-known/x')).toBe('/.well-known/x')
    expect(pathOf('/a/..b/.c.')).toBe('/a/..b/.c.')
  })

  it.each([
    ['*', 'begins with a slash'],
    ['', 'begins with a slash'],
    ['?a', 'begins with a slash'],
    ['http://evil/v1', 'begins with a slash'],
    ['host:443', 'begins with a slash'],
    ['/a/../b', 'dot segment'],
    ['/..', 'dot segment'],
    ['/.', 'dot segment'],
    ['/a/./b', 'dot segment'],
    ['/a/..?x', 'dot segment'],
    ['/a/%2e%2E/b', 'dot segment'],
    ['/a/.%2e', 'dot segment'],
    ['/a/%2e?x', 'dot segment'],
    ['/a/..;x=1/b', 'dot segment'],
    ['/a%2fb', 'slash'],
    ['/a%5Cb', 'backslash'],
    ['/a\\b', 'backslash'],
    ['/a%00', 'NUL'],
    ['/a\u0000', 'control'],
    ['/a\r\nx: y', 'control'],
    ['/a b', 'control'],
    ['/a?b c', 'control'],
    ['/caf\u00e9', 'non-ASCII'],
    ['/a\u007f', 'control'],
    ['/a#b', 'fragment'],
    ['/a?b#c', 'fragment'],
    ['/a%', 'two hexadecimal'],
    ['/a%4', 'two hexadecimal'],
    ['/%2%35', 'two hexadecimal'],
    ['/%u002e', 'two hexadecimal'],
    ['/%c0%ae%c0%ae/', 'overlong'],
    ['/%C1%9C', 'overlong'],
    ['/%e0%80%af', 'overlong'],
    ['/%f0%80%80%af', 'overlong'],
  ])('refuses %j', (url, reason) => {
    const target = normaliseTarget(url)
    expect(target.ok).toBe(false)
    if (!target.ok) expect(target.reason).toContain(reason)
  })

  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '%61',
      '%25',
      '%',
      ';',
      '\\',
      '?',
      '#',
    ),
    fc.string({ maxLength: 3 }),
    fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`),
  )
  const anyTarget = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyTarget, (url) => {
        const once = normaliseTarget(url)
        if (once.ok) expect(normaliseTarget(once.path + once.query)).toEqual(once)
      }),
      { numRuns: 2000 },
    )
  })

  it('never lets a path through that could lead elsewhere', () => {
    fc.assert(
      fc.property(anyTarget, (url) => {
        const target = normaliseTarget(url)
        if (!target.ok) return
        expect(target.path).toMatch(/^\/[!-~]*$/)
        expect(target.path).not.toMatch(/[\\#?]|%2f|%5c|%00|%(?![0-9A-F]{2})/i)
        for (const segment of target.path.split('/')) {
          const decoded = segment.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          )
          expect(decoded.split(';')[0]).not.toMatch(/^\.{1,2}$/)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('gives equal paths exactly to spellings of the same path', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9._~-]{3,12}$/), (segment) => {
        const encoded = [...segment].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')
        expect(normaliseTarget(`/${encoded}`)).toEqual(normaliseTarget(`/${segment}`))
      }),
    )
  })

  it('stays quick on hostile input', () => {
    const long = `/${'%61/'.repeat(20_000)}${'.'.repeat(50_000)}\u0000`
    expect(normaliseTarget(long).ok).toBe(false)
  })
})
