import { describe, expect, it } from 'vitest'
import { parseJson } from './parse-json.ts'

const parse = (text: string) => parseJson(new TextEncoder().encode(text))
const messageOf = (text: string) => {
  const parsed = parse(text)
  return parsed.ok ? undefined : parsed.error.message
}

describe('parseJson', () => {
  it('reads a value', () => {
    expect(parse('{"a":[1,null,"é"]}')).toEqual({ ok: true, value: { a: [1, null, 'é'] } })
    expect(parse('\ufeff1')).toEqual({ ok: true, value: 1 })
  })

  it('names the place of a fault and never the text around it', () => {
    const message = messageOf('{"key": "sk-secret" oops}')
    expect(message).toBe(
      'The body is not valid JSON: expected "," or "}" at line 1, column 21 (position 20).',
    )
  })

  it('tells an empty body and broken UTF-8 apart', () => {
    expect(messageOf('')).toBe('The body is empty.')
    expect(messageOf(' \n')).toBe('The body is empty.')
    const parsed = parseJson(Uint8Array.of(0x22, 0xff, 0x22))
    expect(parsed.ok ? '' : parsed.error.message).toBe('The body is not valid UTF-8.')
  })

  it.each([
    '{"a":{"__proto__":{"admin":true},"b":1}}',
    '{"a":{"\\u005f_proto__":{"admin":true},"b":1}}',
    '{"a":{"constructor":{"prototype":{"admin":true}},"b":1}}',
    '{"a":{"c\\u006fnstructor":{"prototype":{"admin":true}},"b":1}}',
  ])('leaves keys out that reach a prototype: %s', (text) => {
    expect(parse(text)).toEqual({ ok: true, value: { a: { b: 1 } } })
    const parsed = parse(text)
    const merged = parsed.ok ? structuredClone(parsed.value) : undefined
    expect(Object.assign({}, (merged as { a: object }).a)).not.toHaveProperty('admin')
  })

  it('leaves texts alone that only speak of prototypes', () => {
    const value = { content: 'What is __proto__ and constructor?', constructor: 'a name' }
    expect(parse(JSON.stringify(value))).toEqual({ ok: true, value })
  })
})
