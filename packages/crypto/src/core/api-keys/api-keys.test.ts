import { createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, DAY, PEPPER, refused, setUp } from './api-keys.fixture.ts'
import type { ApiKeyRecord } from './record.ts'

/** Any UTF-16, lone surrogates and NUL among it. */
const utf16 = (maxLength: number) =>
  fc.array(fc.nat(0xffff), { maxLength }).map((codes) => String.fromCharCode(...codes))

describe('generate', () => {
  it('writes prefix, environment, id, secret and checksum', () => {
    const { key, record } = setUp()
    expect(key).toMatch(/^tg_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{39}$/)
    expect(key.split('_')[2]).toBe(record.id)
  })

  it('stores what the key may do and nothing that gives the key away', () => {
    const { key, record, clock } = setUp()
    expect(record).toEqual({
      id: record.id,
      digest: expect.stringMatching(/^[\w-]{8}\.[\w-]{43}$/),
      scopes: ['configs:read'],
      tier: 'free',
      createdAt: clock.now,
      notBefore: null,
      expiresAt: null,
    })
    expect(JSON.stringify(record)).not.toContain(key.slice(-39, -6))
  })

  it('stores the HMAC-SHA256 of the whole key, keyed by what HKDF derives from the pepper', () => {
    const { key, record } = setUp()
    const derive = (use: string, bytes: number) =>
      Buffer.from(hkdfSync('sha256', PEPPER, '', `tidegate/api-keys/1/${use}`, bytes))
    const mac = createHmac('sha256', derive('digest', 32)).update(key).digest('base64url')
    expect(record.digest).toBe(`${derive('name', 6).toString('base64url')}.${mac}`)
  })

  it('takes nothing from its options but what they are for', () => {
    const { keys, clock } = setUp()
    const sent =
      '{"id":"mine","digest":"mine","createdAt":1,"tenant":"x","__proto__":{"tier":"pro"}}'
    const { key, record } = keys.generate(JSON.parse(sent))
    expect(Object.keys(record)).toEqual([
      'id',
      'digest',
      'scopes',
      'tier',
      'createdAt',
      'notBefore',
      'expiresAt',
    ])
    expect(record).toMatchObject({ tier: null, createdAt: clock.now })
    expect(keys.verify(key, record).ok).toBe(true)
  })

  it('never makes the same key or id twice', () => {
    const { keys } = setUp()
    const made = Array.from({ length: 500 }, () => keys.generate())
    expect(new Set(made.map(({ record }) => record.id)).size).toBe(500)
    expect(new Set(made.map(({ key }) => key.slice(-39))).size).toBe(500)
  })

  it.each([
    [{ scopes: ['configs:'] }, /"configs:" is no scope/],
    [{ scopes: ['a:*:b'] }, /no scope/],
    [{ expiresAt: 1_800_000_000_000 }, /expiresAt has to be later than 2027-01-15T08:00:00.000Z/],
    [{ expiresAt: Number.NaN }, /expiresAt is NaN/],
    [{ expiresAt: 1e300 }, /whole number of milliseconds/],
    [{ notBefore: 1_900_000_000_000, expiresAt: 1_850_000_000_000 }, /would never work/],
    [{ notBefore: 0.5 }, /notBefore is 0.5/],
  ])('refuses %j', (options, message) => {
    const { keys } = setUp()
    expect(() => keys.generate(options)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
    )
  })
})

describe('parse', () => {
  it('gives the id to look up', () => {
    const { keys, key, record } = setUp()
    expect(keys.parse(key)).toEqual({ ok: true, id: record.id })
  })

  it('tells a key of another environment from a mistyped one', () => {
    const { keys, key } = setUp()
    const test = setUp({ env: 'test' })
    expect(keys.parse(test.key)).toEqual(refused('other_environment'))
    expect(keys.parse(key.replace('_live_', '_test_'))).toEqual(refused('wrong_checksum'))
    expect(setUp({ prefix: 'acme' }).keys.parse(key)).toEqual(refused('malformed'))
  })

  it('refuses a key in which any one character is another', () => {
    const { keys, key } = setUp()
    const position = fc.integer({ min: 0, max: key.length - 1 })
    const character = fc.nat(0xffff).map((code) => String.fromCharCode(code))
    fc.assert(
      fc.property(position, character, (i, other) => {
        fc.pre(key.charAt(i) !== other)
        expect(keys.parse(at(key, i, other)).ok).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  it('refuses a key of which two neighbours are swapped', () => {
    const { keys, key } = setUp()
    for (let i = 0; i < key.length - 1; i++) {
      if (key.charAt(i) === key.charAt(i + 1)) continue
      const swapped = at(at(key, i, key.charAt(i + 1)), i + 1, key.charAt(i))
      expect(keys.parse(swapped).ok).toBe(false)
    }
  })

  it.each([
    ['nothing', ''],
    ['blanks around it', (key: string) => ` ${key}`],
    ['a line break', (key: string) => `${key}\n`],
    ['NUL', (key: string) => `${key}\0`],
    ['a missing character', (key: string) => key.slice(0, -1)],
    ['a scheme', (key: string) => `Bearer ${key}`],
    ['capitals', (key: string) => key.toUpperCase()],
    ['digits of another script', (key: string) => at(key, 20, '٣')],
    ['full width letters', (key: string) => at(key, 0, 'ｔ')],
    ['a letter whose low byte is the right one', (key: string) => at(key, 0, '\u0174')],
    ['a lone surrogate', (key: string) => at(key, 30, '\ud800')],
    ['twice the key', (key: string) => key + key],
    ['very much', 'tg_live_'.padEnd(5_000_000, 'A')],
  ])('refuses %s', (_, text) => {
    const { keys, key, record } = setUp()
    const given = typeof text === 'string' ? text : text(key)
    expect(keys.parse(given)).toEqual(refused('malformed'))
    expect(keys.verify(given, record)).toEqual(refused('malformed'))
  })

  it.each([undefined, null, 7, ['tg_live_'], { length: 60 }])(
    'refuses %j, which is no text',
    (given) => {
      const { keys, record } = setUp()
      expect(keys.parse(given as never)).toEqual(refused('malformed'))
      expect(keys.verify(given as never, record)).toEqual(refused('malformed'))
    },
  )

  it('never throws and takes nothing but keys', () => {
    const { keys } = setUp()
    fc.assert(
      fc.property(utf16(100), (text) => {
        expect(keys.parse(text).ok).toBe(false)
      }),
    )
  })
})

describe('verify', () => {
  it('gives the record of a key that is right', () => {
    const { keys, key, record } = setUp()
    const row = { ...record, tenant: 'acme' }
    const verified = keys.verify(key, row)
    expect(verified).toEqual({ ok: true, record: row })
    expect(verified.ok && verified.record.tenant).toBe('acme')
  })

  it('refuses the secret of one key with the id of another', () => {
    const { keys, key, record } = setUp()
    const other = keys.generate()
    expect(keys.verify(other.key, record)).toEqual(refused('mismatch'))
    expect(keys.verify(key, other.record)).toEqual(refused('mismatch'))
    expect(keys.verify(key, { ...record, digest: other.record.digest })).toEqual(
      refused('mismatch'),
    )
  })

  it('refuses a key without a record', () => {
    const { keys, key } = setUp()
    expect(keys.verify(key, undefined)).toEqual(refused('unknown'))
    expect(keys.verify(key, null)).toEqual(refused('unknown'))
  })

  it('refuses a digest in which any one character is another, and a cut one', () => {
    const { keys, key, record } = setUp()
    // Of the last character two bits belong to no byte.
    for (let i = 0; i < record.digest.length - 1; i++) {
      const digest = at(record.digest, i, record.digest.charAt(i) === 'A' ? 'B' : 'A')
      expect(keys.verify(key, { ...record, digest }).ok).toBe(false)
    }
    for (const digest of [
      '',
      record.digest.slice(0, -1),
      `${record.digest}A`,
      record.digest.slice(0, 9),
    ]) {
      expect(keys.verify(key, { ...record, digest }).ok).toBe(false)
    }
  })

  it.each([null, 7, {}, ['a']])('refuses the digest %j, which is no text', (digest) => {
    const { keys, key, record } = setUp()
    const row = { ...record, digest: digest as never }
    expect(keys.verify(key, row)).toEqual(refused('other_pepper'))
  })

  it('carries nothing over from one key to the next', () => {
    const { keys, key, record } = setUp()
    keys.verify(key, record)
    const strange = `${record.digest.slice(0, 9)}${'!'.repeat(43)}`
    expect(keys.verify(key, { ...record, digest: strange })).toEqual(refused('mismatch'))
    expect(keys.verify(keys.generate().key, undefined)).toEqual(refused('unknown'))
    expect(keys.verify(key, record).ok).toBe(true)
  })

  const cases: [keyof ApiKeyRecord, number, string][] = [
    ['notBefore', 1000, 'not_yet'],
    ['expiresAt', 1000, 'expired'],
  ]
  it.each(cases)('looks at %s', (field, moment, reason) => {
    const { keys, key, record } = setUp()
    const row = { ...record, [field]: moment }
    const isOk = [999, 1000, 1001].map((now) => keys.verify(key, row, now).ok)
    expect(isOk).toEqual(reason === 'expired' ? [true, false, false] : [false, true, true])
    expect(keys.verify(key, { ...record, [field]: Number.NaN }, 1000)).toEqual(refused(reason))
    expect(keys.verify(key, { ...record, [field]: null }, 1000).ok).toBe(true)
  })

  it('refuses a revoked key even where the clock is behind', () => {
    const { keys, key, record, clock } = setUp()
    const row = { ...record, revokedAt: clock.now + DAY }
    expect(keys.verify(key, row)).toEqual(refused('revoked'))
  })

  it('tells who has not the secret nothing about the record', () => {
    const { keys, record } = setUp()
    const other = keys.generate()
    const row = { ...record, revokedAt: 1, expiresAt: 1 }
    expect(keys.verify(other.key, row)).toEqual(refused('mismatch'))
  })
})

describe('createApiKeys', () => {
  it.each(['', 'TG', 't_g', '1a', 'a'.repeat(17), 'tg\n', 'té', '.*'])(
    'refuses %j as a word',
    (word) => {
      expect(() => setUp({ prefix: word })).toThrow(/prefix has to be 1 to 16/)
      expect(() => setUp({ env: word })).toThrow(/env has to be 1 to 16/)
    },
  )

  it('takes the longest words', () => {
    const { keys, key, record } = setUp({ prefix: 'a'.repeat(16), env: 'b'.repeat(16) })
    expect(keys.verify(key, record).ok).toBe(true)
    expect(setUp({ prefix: 'a'.repeat(16) }).keys.parse(key)).toEqual(refused('other_environment'))
  })
})
