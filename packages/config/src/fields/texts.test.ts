import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../core/secret.ts'
import { duration } from './duration.ts'
import { connectionUrl, httpUrl, list, secret } from './texts.ts'

describe('httpUrl', () => {
  it.each(['http://localhost:8084', 'https://api.openai.com/v1', 'HTTPS://X', 'http://[::1]:1/'])(
    'takes %s as it is written',
    (written) => {
      expect(httpUrl().parse(written)).toBe(written)
    },
  )

  it.each([
    '',
    'localhost:80',
    '//x',
    'http://',
    'ftp://x',
    'javascript:alert(1)',
    'http://a b',
    'http://a\nb',
    5,
  ])('refuses %j', (written) => {
    expect(httpUrl().safeParse(written).success).toBe(false)
  })
})

describe('connectionUrl', () => {
  it('becomes a secret', () => {
    const url = connectionUrl({ protocols: ['redis', 'rediss'] }).parse(
      ' rediss://:pw@host:6379/0\n',
    )
    expect(url.reveal()).toBe('rediss://:pw@host:6379/0')
    expect(`${url}`).toBe('[redacted]')
  })

  it.each(['host:6379', 'http://:hunter2@host', 'redis://:hunter2@ho st', ''])(
    'refuses %j and shows no password',
    (written) => {
      const result = connectionUrl({ protocols: ['redis'] }).safeParse(written)
      expect(result.success).toBe(false)
      expect(inspect(result.error, { depth: 9 })).not.toContain('hunter2')
    },
  )
})

describe('secret', () => {
  it('keeps every character', () => {
    expect(secret().parse(' spaced ').reveal()).toBe(' spaced ')
    expect(secret().parse('x')).toBeInstanceOf(Secret)
  })

  it('shows no part of a value it refuses', () => {
    const schema = secret({ minLength: 64, published: ['published'.repeat(8)] })
    const value = fc
      .string({ minLength: 10, maxLength: 63 })
      .filter((text) => text.trim().length >= 10)
    fc.assert(
      fc.property(value, (written) => {
        const result = schema.safeParse(written)
        expect(result.success).toBe(false)
        expect(JSON.stringify(result.error?.issues)).not.toContain(
          JSON.stringify(written).slice(1, -1),
        )
      }),
    )
  })

  it.each([[''], [12_345_678], [true], [{}], ['example-value']])('refuses %j', (written) => {
    expect(secret({ published: ['example-value'] }).safeParse(written).success).toBe(false)
  })
})

describe('list', () => {
  it('takes a list, or text with commas', () => {
    expect(list().parse(['a', 'b'])).toEqual(['a', 'b'])
    expect(list().parse(' a, b ,,')).toEqual(['a', 'b'])
    expect(list().parse('')).toEqual([])
  })

  it('reads each item', () => {
    expect(list(duration()).parse('5s,1m')).toEqual([5000, 60_000])
    expect(list(duration()).safeParse(['5s', 'x']).error?.issues[0]?.path).toEqual([1])
  })

  it.each([[5], [{}], [[5]]])('refuses %j', (written) => {
    expect(list().safeParse(written).success).toBe(false)
  })
})
