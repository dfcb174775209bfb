import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutPage, readCursor } from './cursor.ts'

const position = fc.record({
  at: fc.integer({ min: 0, max: 8_640_000_000_000 }),
  id: fc.stringMatching(/^[0-9A-Za-z_-]{1,64}$/),
})

describe('cutPage', () => {
  it('ends a page where the next one begins', () => {
    fc.assert(
      fc.property(
        fc.array(position, { maxLength: 20 }),
        fc.integer({ min: 1, max: 10 }),
        (all, limit) => {
          const { items, next } = cutPage(all, limit, (each) => each)
          expect(items).toEqual(all.slice(0, limit))
          expect(next === null).toBe(all.length <= limit)
          if (next !== null) expect(readCursor(next)).toEqual(all[limit - 1])
        },
      ),
    )
  })
})

describe('readCursor', () => {
  it('refuses whatever no page has given, by name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          readCursor(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'validation_failed', param: 'cursor' })
        }
      }),
    )
    expect(readCursor(undefined)).toBeUndefined()
  })
})
