import { describe, expect, it } from 'vitest'
import { createKeyRing } from '../ring/key-ring.ts'
import { at, DAY, OTHER_PEPPER, PEPPER, refused, setUp } from './api-keys.fixture.ts'

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
    const { keys } = setUp({
      pepper: { current: OTHER_PEPPER, previous: { reveal: () => PEPPER } },
    })
    const verified = keys.verify(key, record)
    const newDigest = verified.ok ? verified.newDigest : undefined
    const renewed = { ...record, digest: String(newDigest) }
    expect(setUp({ pepper: OTHER_PEPPER }).keys.verify(key, renewed)).toEqual({
      ok: true,
      record: renewed,
    })
  })

  it('may be derived from a key ring, before and after its secret is another', () => {
    const before = createKeyRing({ current: PEPPER })
    const after = createKeyRing({ current: OTHER_PEPPER, previous: PEPPER })
    const { key, record } = setUp({ pepper: before.derive('api-keys') })
    const { keys } = setUp({ pepper: after.derive('api-keys') })
    expect(keys.verify(key, record)).toMatchObject({ ok: true, newDigest: expect.any(String) })
    expect(setUp({ pepper: before.derive('else') }).keys.verify(key, record)).toEqual(
      refused('other_pepper'),
    )
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
    expect(() => setUp({ pepper: { current: PEPPER, previous: [pepper] } })).toThrow(
      /^A previous pepper has fewer/,
    )
    expect(() => setUp({ pepper: undefined as never })).toThrow(/^The pepper has to be a text/)
  })

  it('is another one if any of its characters is', () => {
    const { key, record } = setUp()
    for (let i = 0; i < PEPPER.length; i++) {
      const pepper = at(PEPPER, i, PEPPER.charAt(i) === 'A' ? 'B' : 'A')
      expect(setUp({ pepper }).keys.verify(key, record)).toEqual(refused('other_pepper'))
    }
  })
})
