import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HeldBytes } from './held-bytes.ts'

/** Takes `sizes[0]`, `sizes[1]`, … bytes at a time, then nothing more. */
function taker(sizes: readonly number[], into: Buffer[]) {
  const left = [...sizes]
  return (bytes: Buffer): number => {
    const size = left.shift()
    if (size === undefined) throw new Error('full')
    const taken = Math.min(size, bytes.length)
    into.push(Buffer.from(bytes.subarray(0, taken)))
    return taken
  }
}

describe('HeldBytes', () => {
  it('hands over every byte once and in order, however little is taken at a time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string()),
        fc.array(fc.integer({ min: 0, max: 9 })),
        (texts, sizes) => {
          const held = new HeldBytes()
          const taken: Buffer[] = []
          for (const text of texts) held.add(text)
          try {
            held.drain(taker(sizes, taken))
          } catch {
            // The rest follows.
          }
          held.drain((bytes) => taken.push(Buffer.from(bytes)) && bytes.length)
          expect(Buffer.concat(taken).toString()).toBe(texts.join(''))
          expect(held.length).toBe(0)
        },
      ),
    )
  })

  it('forgets a line that was cut, too, once nobody reads any more', () => {
    const held = new HeldBytes()
    held.add('a line\n')
    expect(() => held.drain(taker([3], []))).toThrow('full')
    held.forget()
    expect(held.length).toBe(0)
  })

  it('ends a line that was cut when the rest is dropped', () => {
    const held = new HeldBytes()
    const taken: Buffer[] = []
    held.add('one\ntwo\nthree\n')
    expect(() => held.drain(taker([6], taken))).toThrow('full')
    expect(held.countLines()).toBe(2)
    held.clear()
    held.add('four\n')
    held.drain(taker([100, 100], taken))
    expect(Buffer.concat(taken).toString()).toBe('one\ntw\nfour\n')
  })

  it('adds nothing when what was written ended with a line', () => {
    const held = new HeldBytes()
    held.add('one\n')
    held.add('two\n')
    expect(() => held.drain(taker([4], []))).toThrow('full')
    held.clear()
    expect(held.length).toBe(0)
  })
})
