import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageParser } from './http1.ts'

const MESSAGES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nt: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
]
const EXPECTED = ['200:hello', '204:', '200:abc0123456789', '200:']

function parse(pieces: readonly Buffer[]): string[] {
  const seen: string[] = []
  let current = ''
  const parser = new MessageParser({
    head: (text) => {
      current = `${text.slice(9, 12)}:`
    },
    body: (buffer, start, end) => {
      current += buffer.toString('latin1', start, end)
    },
    end: () => seen.push(current),
  })
  for (const piece of pieces) {
    // As the load's sockets do: a larger buffer with leftovers behind the new bytes.
    const buffer = Buffer.alloc(piece.length + 8, '\r\n')
    piece.copy(buffer)
    parser.feed(buffer, piece.length)
  }
  return seen
}

test('messages are read the same wherever they are split', () => {
  const all = Buffer.from(MESSAGES.join(''))
  for (let first = 0; first <= all.length; first += 1) {
    for (let second = first; second <= all.length; second += 1) {
      const pieces = [all.subarray(0, first), all.subarray(first, second), all.subarray(second)]
      assert.deepEqual(parse(pieces), EXPECTED, `split at ${first} and ${second}`)
    }
  }
})

test('a chunk size that is none is an error', () => {
  const broken = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'
  assert.throws(() => parse([Buffer.from(broken)]), /not a chunk size/)
})
