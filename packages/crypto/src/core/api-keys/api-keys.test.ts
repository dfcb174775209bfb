import { createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ApiKeysOptions, createApiKeys } from './api-keys.ts'
import type { ApiKeyRecord } from './record.ts'

const PEPPER = 'Vd0q1VxI2k0T3uJqgX5m9wKcZs7yBhPnR4eLaFjQ8oU='
const OTHER_PEPPER = 'm3XyZ8pQ1rT6vW0aB5cD9eF2gH7iJ4kL-nO3qS6uV_x'
const DAY = 86_400_000

/** Any UTF-16, lone surrogates and NUL among it. */
const utf16 = (maxLength: number) =>
  fc.array(fc.nat(0xffff), { maxLength }).map((codes) => String.fromCharCode(...codes))

function setUp(options: Partial<ApiKeysOptions> = {}) {
  const clock = { now: 1_800_000_000_000 }
  const keys = createApiKeys({
    prefix: 'tg',
    env: 'live',
    pepper: PEPPER,
    now: () => clock.now,
    ...options,
  })
  return { clock, keys, ...keys.generate({ scopes: ['configs:read'], tier: 'free' }) }
}

const refused = (reason: string) => ({ ok: false, reason })
const at = (text: string, i: number, character: string) =>
  text.slice(0, i) + character + text.slice(i + 1)

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

describe('rotate', () => {
  it('lets both keys work during the overlap and the new one alone after it', () => {
    const { keys, key, record, clock } = setUp()
    clock.now += 5000
    const { key: newKey, record: newRecord, replaced } = keys.rotate(record, { overlapMs: DAY })
    expect(newRecord).toMatchObject({
      scopes: ['configs:read'],
      tier: 'free',
      createdAt: clock.now,
    })
    expect(replaced).toEqual({ ...record, replacedBy: newRecord.id, overlapUntil: clock.now + DAY })
    for (const [wait, old] of [
      [0, true],
      [DAY - 1, true],
      [DAY, false],
    ] as const) {
      const now = clock.now + wait
      expect(keys.verify(newKey, newRecord, now).ok).toBe(true)
      expect(keys.verify(key, replaced, now)).toEqual(
        old ? { ok: true, record: replaced } : refused('replaced'),
      )
    }
    expect(keys.verify(key, newRecord)).toEqual(refused('mismatch'))
  })

  it('ends the old key at once without an overlap', () => {
    const { keys, key, record } = setUp()
    const { replaced } = keys.rotate(record, { overlapMs: 0 })
    expect(keys.verify(key, replaced)).toEqual(refused('replaced'))
    const { overlapUntil: _, ...without } = replaced
    expect(keys.verify(key, without)).toEqual(refused('replaced'))
  })

  it('prolongs no life unless told to', () => {
    const { keys, clock } = setUp()
    const expiresAt = clock.now + DAY
    const { record } = keys.generate({ expiresAt })
    expect(keys.rotate(record, { overlapMs: 0 }).record.expiresAt).toBe(expiresAt)
    expect(keys.rotate(record, { overlapMs: 0, expiresAt: null }).record.expiresAt).toBeNull()
    const later = expiresAt + DAY
    expect(keys.rotate(record, { overlapMs: 0, expiresAt: later }).record.expiresAt).toBe(later)
  })

  it('keeps the rest of a row with the old key alone', () => {
    const { keys, record } = setUp()
    const rotated = keys.rotate({ ...record, lastUsedAt: 5 }, { overlapMs: 1 })
    expect(rotated.replaced.lastUsedAt).toBe(5)
    expect(rotated.record).not.toHaveProperty('lastUsedAt')
  })

  it('begins no sooner than the old key', () => {
    const { keys, clock } = setUp()
    const notBefore = clock.now + DAY
    const { key, record } = keys.rotate(keys.generate({ notBefore }).record, { overlapMs: 0 })
    expect(keys.verify(key, record)).toEqual(refused('not_yet'))
  })

  it.each([
    ['revoked', { revokedAt: 1 }],
    ['replaced', { replacedBy: 'x', overlapUntil: 9e12 }],
    ['expired', { expiresAt: 1 }],
  ])('refuses a key that is %s', (why, facts) => {
    const { keys, record } = setUp()
    expect(() => keys.rotate({ ...record, ...facts }, { overlapMs: 0 })).toThrow(
      expect.objectContaining({ code: 'key_not_active', message: expect.stringContaining(why) }),
    )
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, undefined, '5'])(
    'refuses an overlap of %s',
    (overlapMs) => {
      const { keys, record } = setUp()
      expect(() => keys.rotate(record, { overlapMs: overlapMs as never })).toThrow(
        expect.objectContaining({
          code: 'invalid_option',
          message: expect.stringContaining('overlapMs'),
        }),
      )
    },
  )
})

describe('a pepper', () => {
  it('goes on as a previous one, with a new digest for each key that is seen', () => {
    const { key, record } = setUp()
    const { keys } = setUp({ pepper: OTHER_PEPPER, previousPeppers: [{ reveal: () => PEPPER }] })
    const verified = keys.verify(key, record)
    const newDigest = verified.ok ? verified.newDigest : undefined
    const renewed = { ...record, digest: String(newDigest) }
    expect(setUp({ pepper: OTHER_PEPPER }).keys.verify(key, renewed)).toEqual({
      ok: true,
      record: renewed,
    })
  })

  it('that is missing is told from a wrong key', () => {
    const { key, record } = setUp()
    expect(setUp({ pepper: OTHER_PEPPER }).keys.verify(key, record)).toEqual(
      refused('other_pepper'),
    )
  })

  it('is refused when it is weak, and not shown', () => {
    const pepper = 'aVeryShortOne-CANARY'
    expect(() => setUp({ pepper })).toThrow(
      expect.objectContaining({
        code: 'weak_secret',
        message: expect.not.stringContaining(pepper),
      }),
    )
    expect(() => setUp({ previousPeppers: [pepper] })).toThrow(/pepper/)
  })

  it('is another one if any of its characters is', () => {
    const { key, record } = setUp()
    for (let i = 0; i < PEPPER.length; i++) {
      const pepper = at(PEPPER, i, PEPPER.charAt(i) === 'A' ? 'B' : 'A')
      expect(setUp({ pepper }).keys.verify(key, record)).toEqual(refused('other_pepper'))
    }
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
