import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ReportedUsage, UsageScanner } from './usage-scanner.ts'

function scan(...pieces: readonly (string | Buffer)[]): ReportedUsage | undefined {
  const scanner = new UsageScanner()
  for (const piece of pieces) scanner.push(Buffer.from(piece))
  return scanner.reported
}

const usage = (fields: unknown): string => JSON.stringify({ id: 'x', usage: fields, last: 1 })

/** The bytes of a text, cut in any way. */
const cut = (text: string): fc.Arbitrary<Buffer[]> => {
  const bytes = Buffer.from(text)
  const places = fc.uniqueArray(fc.nat(bytes.length), { maxLength: 40 })
  return places.map((at) => {
    const ends = [...at.toSorted((a, b) => a - b), bytes.length]
    return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
  })
}

describe('UsageScanner', () => {
  it.each<[string, unknown, ReportedUsage]>([
    [
      'completions',
      { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
      { input: 9, output: 4, total: 13 },
    ],
    [
      'embeddings',
      { prompt_tokens: 9, total_tokens: 9 },
      { input: 9, output: undefined, total: 9 },
    ],
    [
      'responses',
      { input_tokens: 9, output_tokens: 4, total_tokens: 13 },
      { input: 9, output: 4, total: 13 },
    ],
    [
      'messages, cache included',
      {
        input_tokens: 9,
        cache_creation_input_tokens: 100,
        cache_read_input_tokens: 1000,
        output_tokens: 4,
      },
      { input: 1109, output: 4, total: 1113 },
    ],
    [
      'completions that name the cached ones by both names',
      { prompt_tokens: 9, completion_tokens: 4, cache_read_input_tokens: 8 },
      { input: 9, output: 4, total: 13 },
    ],
    [
      'a total with thoughts in it',
      { prompt_tokens: 9, completion_tokens: 4, total_tokens: 50 },
      { input: 9, output: 4, total: 50 },
    ],
    [
      'objects inside',
      { prompt_tokens: 9, details: { cached: { n: '}"{' } }, completion_tokens: 4 },
      { input: 9, output: 4, total: 13 },
    ],
  ])('reads the usage of %s', (_name, fields, expected) => {
    expect(scan(usage(fields))).toEqual(expected)
  })

  it('is put off neither by white space nor by line breaks', () => {
    const pretty = JSON.stringify({ usage: { prompt_tokens: 3, completion_tokens: 1 } }, null, 2)
    expect(scan(pretty.replace(':', ' \n :'))).toMatchObject({ input: 3, output: 1 })
  })

  it('takes the largest of what a stream tells', () => {
    const events = [
      'data: {"message":{"usage":{"input_tokens":25,"output_tokens":1}}}\n\n',
      'data: {"usage":{"output_tokens":15}}\n\n',
      'data: {"usage":{"output_tokens":12}}\n\n',
    ]
    expect(scan(events.join(''))).toEqual({ input: 25, output: 15, total: 40 })
  })

  it('never takes the words of a model, or of a client, for usage', () => {
    const words = JSON.stringify({ text: usage({ prompt_tokens: 9, completion_tokens: 4 }) })
    expect(scan(words)).toBeUndefined()
    expect(scan('{"type":"usage","of":{"prompt_tokens":9}}')).toBeUndefined()
  })

  it.each([
    null,
    'none',
    7,
    [],
    {},
    { prompt_tokens: -1, completion_tokens: '4' },
    { prompt_tokens: null, total_tokens: 1e300 },
    { type: 'object', properties: { prompt_tokens: { type: 'number' } } },
  ])('takes %o for nothing', (fields) => {
    expect(scan(usage(fields))).toBeUndefined()
  })

  it('makes fractions whole', () => {
    expect(scan(usage({ prompt_tokens: 1.2, completion_tokens: 3 }))).toMatchObject({ input: 2 })
  })

  it('goes on behind what is broken, too deep or too large', () => {
    const good = usage({ prompt_tokens: 5, completion_tokens: 6 })
    const expected = { input: 5, output: 6, total: 11 }
    expect(scan(`"usage":{"a":{"b":${'x'.repeat(9000)}}}`, good)).toEqual(expected)
    expect(scan(`"usage":${'{"a":'.repeat(1000)}`, 'x'.repeat(9000), good)).toEqual(expected)
    expect(scan('"usage":{oops}', good)).toEqual(expected)
    expect(scan('"usage""usage":true "usage" ', good)).toEqual(expected)
  })

  it('finds the same however the bytes are cut', () => {
    const text = [
      `{"data":[{"embedding":[${'0.125,'.repeat(30)}1]}],"usage":null,"x":"\\"usage\\":{"`,
      ',"usage" : { "prompt_tokens" : 321, "d": {"s": "\\"}"}, "completion_tokens": 45 },',
      '"usage":{"total_tokens":999}}',
    ].join('')
    fc.assert(
      fc.property(cut(text), (pieces) => {
        expect(scan(...pieces)).toEqual({ input: 321, output: 45, total: 999 })
      }),
      { numRuns: 500 },
    )
    expect(scan(...text)).toEqual({ input: 321, output: 45, total: 999 })
  })

  it('takes any bytes whatever', () => {
    const part = fc.constantFrom('"usage"', '"usage":{', '{', '}', '"', '\\', ':', ' ', '9', 'null')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const whole = scan(parts.join(''))
        expect(scan(...parts)).toEqual(whole)
      }),
    )
  })
})
