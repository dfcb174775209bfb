import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HoldBack } from './hold-back.ts'

const event = (n: number): Buffer => Buffer.from(`data: {"n":${n}}\n\n`)

describe('HoldBack', () => {
  it('keeps everything until the stream has ended well', () => {
    const holdBack = new HoldBack('full')
    for (let n = 1; n <= 1000; n += 1) expect(holdBack.push(event(n), n, false)).toBeUndefined()
    expect(holdBack.released).toBe(false)
    const all = holdBack.push(event(1001), 1001, true)
    const events = Array.from({ length: 1001 }, (_, i) => event(i + 1))
    expect(all?.equals(Buffer.concat(events))).toBe(true)
    expect(holdBack).toMatchObject({ released: true, bytes: 0 })
  })

  it('keeps events until the one of the given number, and then nothing', () => {
    const holdBack = new HoldBack(3)
    expect(holdBack.push(event(1), 1, false)).toBeUndefined()
    expect(holdBack.push(event(2), 2, false)).toBeUndefined()
    expect(String(holdBack.push(event(3), 3, false))).toBe(`${event(1)}${event(2)}${event(3)}`)
    const fourth = event(4)
    expect(holdBack.push(fourth, 4, false)).toBe(fourth)
  })

  it('hands a first piece that is enough on as it is', () => {
    const pieces = Buffer.concat([event(1), event(2)])
    expect(new HoldBack(2).push(pieces, 2, false)).toBe(pieces)
    expect(new HoldBack('full').push(pieces, 2, true)).toBe(pieces)
  })

  it('begins to deliver when more has come than may be kept', () => {
    const holdBack = new HoldBack('full', 10)
    expect(holdBack.push(Buffer.from('0123456'), 0, false)).toBeUndefined()
    expect(holdBack.push(Buffer.from('789'), 0, false)).toBeUndefined()
    expect(holdBack.bytes).toBe(10)
    expect(String(holdBack.push(Buffer.from('!'), 0, false))).toBe('0123456789!')
    expect(holdBack.released).toBe(true)
  })

  it('forgets what it kept when the stream broke', () => {
    const holdBack = new HoldBack('full')
    holdBack.push(event(1), 1, false)
    holdBack.discard()
    expect(holdBack.bytes).toBe(0)
    expect(String(holdBack.push(event(2), 2, true))).toBe(String(event(2)))
  })

  it('does not change when the bytes it was given do', () => {
    const holdBack = new HoldBack(2)
    const reused = Buffer.from('first ')
    holdBack.push(reused, 1, false)
    reused.fill('x')
    expect(String(holdBack.push(Buffer.from('second'), 2, false))).toBe('first second')
  })

  it('never delivers before its limit, and every byte once and in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.constantFrom('full' as const, 1, 3, 10),
        fc.integer({ min: 0, max: 200 }),
        (pieces, limit, maxBytes) => {
          const holdBack = new HoldBack(limit, maxBytes)
          const sent: Buffer[] = []
          let came = 0
          pieces.forEach((piece, i) => {
            came += piece.length
            const ended = i === pieces.length - 1
            const out = holdBack.push(Buffer.from(piece), i + 1, ended)
            const due = ended || i + 1 >= (limit === 'full' ? Infinity : limit) || came > maxBytes
            expect(out !== undefined).toBe(due)
            expect(holdBack.bytes).toBeLessThanOrEqual(maxBytes)
            if (out !== undefined) sent.push(out)
          })
          expect(Buffer.concat(sent).equals(Buffer.concat(pieces))).toBe(true)
        },
      ),
    )
  })
})
