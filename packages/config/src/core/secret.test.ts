import { format, inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from './secret.ts'

describe('Secret', () => {
  const printings: Readonly<Record<string, (secret: Secret) => unknown>> = {
    'text conversion': (secret) => String(secret),
    'a template': (secret) => `${secret}`,
    'a joined list': (secret) => [secret, secret].join(' '),
    JSON: (secret) => JSON.stringify({ secret, list: [secret] }),
    inspect: (secret) => inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
    'inspect without custom printing': (secret) =>
      inspect(secret, { customInspect: false, showHidden: true }),
    'format %s %o %O %j': (secret) => format('%s %o %O %j', secret, secret, secret, secret),
    'an error': (secret) => inspect(new Error(`no ${secret}`, { cause: secret })),
    'a structured clone': (secret) => inspect(structuredClone(secret), { showHidden: true }),
    'a spread copy': (secret) => inspect({ ...secret }, { showHidden: true }),
    'its properties': (secret) => inspect(Object.getOwnPropertyDescriptors(secret)),
    'its primitive value': (secret) => secret.valueOf(),
    'a locale': (secret) => secret.toLocaleString(),
  }

  it.each(Object.entries(printings))('stays hidden in %s', (_name, print) => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12, maxLength: 40 }).filter((text) => text.trim().length > 11),
        (value) => {
          expect(String(print(new Secret(value)))).not.toContain(value)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('gives its value out on request', () => {
    expect(new Secret('s3cret').reveal()).toBe('s3cret')
  })

  it('tells whether another holds the same value', () => {
    const secret = new Secret('s3cret')
    expect(secret.equals(new Secret('s3cret'))).toBe(true)
    expect(secret.equals('s3cret')).toBe(true)
    expect(secret.equals('s3cret ')).toBe(false)
    expect(secret.equals('')).toBe(false)
  })
})
