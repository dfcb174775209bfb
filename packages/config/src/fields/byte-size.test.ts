import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byteSize, formatByteSize } from './byte-size.ts'

describe('byteSize', () => {
  it.each([
    ['10mb', 10_485_760],
    ['64kb', 65_536],
    ['64 KiB', 65_536],
    ['1.5gb', 1_610_612_736],
    ['512b', 512],
    ['512', 512],
    [512, 512],
  ])('reads %j', (written, bytes) => {
    expect(byteSize().parse(written)).toBe(bytes)
  })

  it.each(['', 'big', '-1kb', '1tb', '10 m', '0.1b', 1.5, -1, true, null, {}])(
    'refuses %j',
    (written) => {
      const result = byteSize().safeParse(written)
      expect(result.error?.issues[0]?.message).toBe('expected a size such as 10mb')
    },
  )

  it('names its bounds', () => {
    const result = byteSize({ max: 1024 }).safeParse('2kb')
    expect(result.error?.issues[0]?.message).toBe('expected a size such as 10mb of at most 1kb')
  })

  it('reads back what formatByteSize writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(byteSize().parse(formatByteSize(bytes))).toBe(bytes)
      }),
    )
  })
})
