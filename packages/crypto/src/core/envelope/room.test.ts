import { describe, expect, it } from 'vitest'
import { createKeyRing } from '../ring/key-ring.ts'
import { open, openText, rewrap, seal } from './envelope.ts'
import { isSealed } from './format.ts'
import { FIXED_BYTES, roomFor } from './room.ts'

const OLD = 'tXh3Vw9cQ2m8ZrLk5JpN0sYbGdFu7EaH'
const ring = createKeyRing({ current: OLD })
const rotated = createKeyRing({ current: 'b7QeWzK1nRj4MvDx6TfP9cGyLhUoS3iA', previous: OLD })
const context = { purpose: 'p', tenant: 't', row: 'r' }

describe('roomFor', () => {
  it('is the same for small envelopes, and one of its own for a large one', () => {
    expect(roomFor(FIXED_BYTES)).toBe(roomFor(FIXED_BYTES + 1_000))
    const large = roomFor(1_000_000)
    expect(large.bytes).toHaveLength(1_000_000)
    expect(roomFor(1_000_000)).not.toBe(large)
  })
})

describe('the memory that calls share', () => {
  const sizes = [0, 1, 4_095, 4_096, 4_097, 100_000, 2]
  const plaintexts = sizes.map((size, i) => Buffer.alloc(size, i + 65))

  it('carries nothing from one call to the next', () => {
    const sealed = plaintexts.map((plaintext) => seal(ring, plaintext, context))
    const opened = sealed.map((text) => open(ring, text, context))
    const moved = sealed.map((text) => rewrap(rotated, text, context))
    const openedLater = moved.map((text) => open(rotated, text, context))
    expect(opened.map((bytes) => Buffer.from(bytes))).toEqual(plaintexts)
    expect(openedLater.map((bytes) => Buffer.from(bytes))).toEqual(plaintexts)
    for (const text of [...sealed, ...moved]) expect(isSealed(text)).toBe(true)
  })

  it('is not disturbed by a context that seals while it is read', () => {
    const outer = seal(ring, 'outer', context)
    const nested = {
      ...context,
      get row() {
        return openText(ring, seal(ring, 'r', context), context)
      },
    }
    expect(openText(ring, outer, nested)).toBe('outer')
    expect(openText(ring, seal(ring, 'outer', nested), context)).toBe('outer')
    expect(openText(rotated, rewrap(rotated, outer, nested), context)).toBe('outer')
  })

  it('holds neither plaintext nor data key afterwards', () => {
    const plaintext = 'a canary of some length, to be found if it is there'
    const text = seal(ring, plaintext, context)
    open(ring, text, context)
    const { bytes } = roomFor(FIXED_BYTES)
    expect(bytes.includes(plaintext.slice(0, 16))).toBe(false)
    const stored = Buffer.from(text.slice(18), 'base64url')
    expect(bytes.subarray(0, stored.length)).toEqual(stored)
  })
})
