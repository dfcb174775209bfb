import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canary, findCanaries } from './canary.ts'

const secret = canary('x-api-key', 'sk-')
const json = JSON.stringify({ nested: { key: secret } })

describe('canary', () => {
  it('makes a different secret each time and carries its label', () => {
    expect(canary()).not.toBe(canary())
    expect(secret).toMatch(/^sk-cnry[0-9a-f]{16}-xapikey-$/)
  })
})

describe('findCanaries', () => {
  it.each([
    ['plain', `token=${secret};`, []],
    ['upper case', secret.toUpperCase(), []],
    ['cut short', secret.slice(0, 14), []],
    ['base64', Buffer.from(`user:${secret}`).toString('base64'), ['base64']],
    ['base64url', Buffer.from(`?>${secret}`).toString('base64url'), ['base64']],
    ['base64 inside a longer run', `prefix${Buffer.from(secret).toString('base64')}`, ['base64']],
    ['hex', Buffer.from(secret).toString('hex'), ['hex']],
    ['hex in upper case', Buffer.from(secret).toString('hex').toUpperCase(), ['hex']],
    ['an inspected buffer', inspect(Buffer.from(secret)), ['hex']],
    ['a serialised buffer', JSON.stringify(Buffer.from(secret)), ['bytes']],
    ['percent encoding', secret.replaceAll('n', '%6E'), ['percent']],
    ['JSON escapes', secret.replaceAll('c', '\\u0063'), ['json']],
    ['base64 of JSON', Buffer.from(json).toString('base64'), ['base64']],
    [
      'base64 of base64',
      Buffer.from(Buffer.from(secret).toString('base64')).toString('base64'),
      ['base64', 'base64'],
    ],
    [
      'percent-encoded base64',
      encodeURIComponent(Buffer.from(`>>>???${secret}`).toString('base64')),
      ['percent', 'base64'],
    ],
  ])('finds a secret in %s', (_, text, disguise) => {
    const found = findCanaries(`{"level":"info","message":"${text}"}`)
    expect(found.map((one) => one.disguise)).toContainEqual(disguise)
    expect(found[0]?.canary).toContain(secret.slice(3, 13))
  })

  it('searches bytes and says where it was', () => {
    const [found] = findCanaries(Buffer.from(`GET /?key=${secret} HTTP/1.1`))
    expect(found).toEqual({
      canary: secret.slice(3),
      disguise: [],
      excerpt: `GET /?key=${secret} HTTP/1.1`,
    })
  })

  it('finds it at every offset of a base64 text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 7 }), fc.string({ maxLength: 7 }), (before, after) => {
        const text = Buffer.from(before + secret + after).toString('base64')
        expect(findCanaries(text)).not.toEqual([])
      }),
    )
  })

  it('finds nothing where there is nothing', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), (text) => {
        expect(findCanaries(text)).toEqual([])
      }),
    )
    expect(findCanaries(Buffer.from('ordinary text, '.repeat(2_000)).toString('base64'))).toEqual(
      [],
    )
  })
})
