import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoClock } from './timestamp.ts'

describe('isoClock', () => {
  it('tells what Date tells, forwards, backwards and with fractions', () => {
    let time = 0
    const clock = isoClock(() => time)
    fc.assert(
      fc.property(
        fc.integer({ min: -1e12, max: 4e12 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (ms, part) => {
          time = ms + part
          expect(clock()).toBe(new Date(Math.floor(time)).toISOString())
        },
      ),
    )
  })
})
