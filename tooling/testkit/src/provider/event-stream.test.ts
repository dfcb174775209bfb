import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutPiece, encodeEvents } from './event-stream.ts'
import type { StreamEvent } from './reply.ts'

const events: StreamEvent[] = [
  { part: 'open', event: 'start', data: '1' },
  { part: 'content', data: '2' },
]
const encode = (behaviour = {}) => Buffer.concat(encodeEvents(events, behaviour)).toString()

describe('encodeEvents', () => {
  it('writes every line end of the standard', () => {
    expect(encode()).toBe('event: start\ndata: 1\n\ndata: 2\n\n')
    expect(encode({ lineEnd: '\r\n' })).toBe('event: start\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n')
    expect(encode({ lineEnd: '\r' })).toBe('event: start\rdata: 1\r\rdata: 2\r\r')
  })

  it('puts comments and insertions before their events', () => {
    expect(encode({ comments: true, insert: [{ before: 1, bytes: 'data: {oops\n\n' }] })).toBe(
      ': keep-alive 0\n\nevent: start\ndata: 1\n\ndata: {oops\n\n: keep-alive 1\n\ndata: 2\n\n',
    )
  })
})

describe('cutPiece', () => {
  it('never changes the bytes', () => {
    const cut = fc.oneof(fc.constant('awkward' as const), fc.integer({ min: 1, max: 9 }))
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), cut, (text, how) => {
        const piece = Buffer.from(text)
        expect(Buffer.concat(cutPiece(piece, how)).equals(piece)).toBe(true)
      }),
    )
  })

  it('cuts into so many bytes', () => {
    expect(cutPiece(Buffer.from('abcde'), 2).map(String)).toEqual(['ab', 'cd', 'e'])
  })

  it('cuts inside characters and inside the blank line', () => {
    const writes = cutPiece(Buffer.from('data: é\r\n\r\n'), 'awkward')
    expect(writes.map((bytes) => bytes.toString('latin1'))).toEqual([
      'data: \u00c3',
      '\u00a9\r',
      '\n',
      '\r',
      '\n',
    ])
  })
})
