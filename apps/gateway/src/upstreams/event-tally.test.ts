import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SseScanner } from './sse-scanner.ts'
import { terminalMarker } from './terminal-markers.ts'

const chat = '/v1/chat/completions'

interface Counts {
  readonly events: number
  readonly malformed: number
}

/** What a scanner counts of these bytes when they come in these pieces. */
function count(bytes: Buffer, cuts: readonly number[] = [], path = chat): Counts {
  const scanner = new SseScanner(terminalMarker(path))
  const places = [...new Set([0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length])]
  places.sort((a, b) => a - b)
  places.slice(1).forEach((end, i) => {
    scanner.push(bytes.subarray(places[i], end))
  })
  scanner.rest()
  return { events: scanner.events, malformed: scanner.malformed }
}

/** The same by the letter of the standard: all text at once, line by line. */
function countByTheBook(text: string): Counts {
  const counts = { events: 0, malformed: 0 }
  let data: string[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const line of lines.slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) {
        counts.events += 1
        if (!isReadable(data.join('\n'))) counts.malformed += 1
      }
      data = []
      continue
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'data') data.push(value)
  }
  return counts
}

function isReadable(data: string): boolean {
  if (data.startsWith('[DONE]')) return true
  try {
    JSON.parse(data)
    return true
  } catch {
    return data.startsWith('{') && data.endsWith('}')
  }
}

const line = fc.oneof(
  fc.json({ maxDepth: 2 }).map((json) => `data: ${json}`),
  fc.json({ maxDepth: 2 }).map((json) => `data:${json}`),
  fc.constantFrom(
    ...[
      'data: {"a":1}',
      'data: {"cut":',
      'data: [DONE]',
      'data: broken',
      'data:',
      'data',
      'data: ',
    ],
    ...['data: {', 'data: "é": "潮"}', 'event: delta', 'event', ': ping', 'id: 7', 'datum: {}'],
    ...['data: {"a":1} ', 'data:  {"a":1}', ' data: {}', 'retry: 10'],
  ),
)
const block = fc.tuple(
  fc.array(line, { maxLength: 3 }),
  fc.constantFrom('\n', '\n', '\r\n', '\r'),
  fc.constantFrom('\n', '\n', '\r\n', '\r'),
)
const stream = fc
  .tuple(fc.constantFrom('', '', '\uFEFF'), fc.array(block, { minLength: 1, maxLength: 6 }))
  .map(([mark, blocks]) =>
    blocks.reduce<string>(
      (text, [lines, end, last]) =>
        `${text}${lines.map((each) => each + end).join('')}${lines.length > 0 ? last : ''}`,
      mark,
    ),
  )

describe('EventTally', () => {
  it('counts by the book, whatever the chunks and the line ends', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        expect(count(Buffer.from(text), cuts)).toEqual(countByTheBook(text))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['data: {"a":1}\n\n', 1, 0],
    ['data:{"a":1}\r\n\r\n', 1, 0],
    ['event: delta\ndata: {"a":1}\n\n', 1, 0],
    ['data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n', 3, 0],
    [': ping\n\n', 0, 0],
    ['event: ping\n\n', 0, 0],
    ['data: {\ndata: "a":1}\n\n', 1, 0],
    ['data: null\n\n', 1, 0],
    ['data: {"a":1} \n\n', 1, 0],
    ['data: {"a":1\n\n', 1, 1],
    ['data: {"choices":[{"delta":{"content":"ti\n\n', 1, 1],
    ['data: Internal Server Error\n\n', 1, 1],
    ['data:\n\n', 1, 1],
    ['data: {"a":1}\r\rdata: oops\n\n', 2, 1],
    ['data: {"a":1}', 0, 0],
    ['data: [DONE]\n', 0, 0],
  ])('finds in %j %i events and %i malformed', (text, events, malformed) => {
    expect(count(Buffer.from(text))).toEqual({ events, malformed })
  })

  it('judges nothing where no protocol says what data is', () => {
    expect(count(Buffer.from('data: words\n\n'), [], '/v1/agents/run')).toEqual({
      events: 1,
      malformed: 0,
    })
  })

  it('takes what begins and ends like an object for one', () => {
    expect(count(Buffer.from('data: {"a":{"b":1}\n\n')).malformed).toBe(0)
  })

  it('counts an event that was too large to hold, and does not judge it', () => {
    const scanner = new SseScanner(terminalMarker(chat))
    scanner.push(Buffer.from(`data: ${'x'.repeat(9 * 1024 * 1024)}`))
    scanner.push(Buffer.from('x\n\ndata: x\n\n'))
    expect(scanner).toMatchObject({ events: 2, malformed: 1 })
  })
})
