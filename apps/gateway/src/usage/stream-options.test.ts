import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { askForUsage } from './stream-options.ts'

const asked = (text: string): string => askForUsage(Buffer.from(text)).toString()

describe('askForUsage', () => {
  it.each([
    ['{"stream":true}', '{"stream_options":{"include_usage":true},"stream":true}'],
    [
      '\uFEFF { "stream": true }',
      '\uFEFF {"stream_options":{"include_usage":true}, "stream": true }',
    ],
    ['{"stream_options":null}', '{"stream_options":{"include_usage":true}}'],
    ['{"stream_options" : { } }', '{"stream_options" : {"include_usage":true } }'],
    [
      '{"stream_options":{"include_obfuscation":false}}',
      '{"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    ],
    [
      '{"stream_options":{"include_usage": false ,"a":1}}',
      '{"stream_options":{"include_usage": true ,"a":1}}',
    ],
    [
      '{"stream\\u005foptions":{"include_us\\u0061ge":null}}',
      '{"stream\\u005foptions":{"include_us\\u0061ge":true}}',
    ],
    [
      '{"stream_options":{"include_usage":true},"stream_options":{}}',
      '{"stream_options":{"include_usage":true},"stream_options":{"include_usage":true}}',
    ],
  ])('makes %s a request that asks', (before, after) => {
    expect(asked(before)).toBe(after)
  })

  it.each(['', '[]', '"x"', '{"stream":tru', '{"stream_options":"yes"}', '{"stream_options":[]}'])(
    'leaves %s as it is',
    (body) => {
      expect(asked(body)).toBe(body)
    },
  )

  it('changes nothing else', () => {
    const options = fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: null })
    const body = fc.record(
      { messages: fc.jsonValue(), stream_options: options },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(body, fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        const original = JSON.parse(text)
        expect(JSON.parse(asked(text))).toEqual({
          ...original,
          stream_options: { ...original.stream_options, include_usage: true },
        })
      }),
    )
  })
})
