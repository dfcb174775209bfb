import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renameModel } from './model-alias.ts'

const models = new Map([
  ['fast', 'gpt-4o-mini'],
  ['größe "1"', 'claude\u2028"x"'],
  ['a', 'b'],
  ['b', 'c'],
])

const rename = (text: string): string => String(renameModel(Buffer.from(text), models))

type Json = Record<string, unknown>

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** `text` with some of its characters as escapes. */
function escaped(text: string, mask: number): string {
  const units = text.split('').map((unit, i) => {
    const plain = ((mask >> (i % 30)) & 1) === 0
    return plain ? JSON.stringify(unit).slice(1, -1) : `\\u${hex(unit)}`
  })
  return `"${units.join('')}"`
}

function hex(unit: string): string {
  return unit.charCodeAt(0).toString(16).padStart(4, '0')
}

const space = fc.constantFrom('', '', ' ', '\n  ', '\t\r\n')
const name = fc.constantFrom('model', 'model', 'Model', 'models', 'mode', 'stream', '', 'mödel')
const value = fc.oneof(
  fc
    .tuple(fc.constantFrom(...models.keys(), 'other', ''), fc.nat())
    .map((pair) => escaped(...pair)),
  fc.json({ maxDepth: 2 }),
  fc.constant('{"model":"fast","a":[{"model":"a"}]}'),
)
const member = fc
  .tuple(fc.tuple(name, fc.nat()), value, space, space, space, space)
  .map(([key, held, a, b, c, d]) => `${a}${escaped(...key)}${b}:${c}${held}${d}`)
const object = fc
  .tuple(fc.constantFrom('', '\uFEFF'), space, fc.array(member, { maxLength: 5 }), space)
  .map(([mark, before, members, after]) => `${mark}${before}{${members.join(',')}}${after}`)

describe('renameModel', () => {
  it('replaces an alias and leaves every other byte as it is', () => {
    expect(rename('{ "stream":true,\n "model" : "fast" , "n":1.0 }')).toBe(
      '{ "stream":true,\n "model" : "gpt-4o-mini" , "n":1.0 }',
    )
  })

  it.each([
    ['{"mod\\u0065l":"f\\u0061st"}', '{"mod\\u0065l":"gpt-4o-mini"}'],
    ['{"model":"fast","model":"a"}', '{"model":"gpt-4o-mini","model":"b"}'],
    ['{"model":"a"}', '{"model":"b"}'],
    ['{"model":"größe \\"1\\""}', '{"model":"claude\u2028\\"x\\""}'],
    ['\uFEFF {"model":"fast"}', '\uFEFF {"model":"gpt-4o-mini"}'],
    [
      '{"x":"\\"model\\":\\"fast\\"","model":"fast"}',
      '{"x":"\\"model\\":\\"fast\\"","model":"gpt-4o-mini"}',
    ],
  ])('makes of %s %s', (before, after) => {
    expect(rename(before)).toBe(after)
  })

  it.each([
    '{"model":"other"}',
    '{"model":["fast"]}',
    '{"model":null}',
    '{"x":{"model":"fast"}}',
    '{"messages":[{"model":"fast"}]}',
    '{"Model":"fast"}',
    '{"model ":"fast"}',
    '{"x":"\\"model\\":\\"fast\\""}',
    '{}',
    '',
    '"fast"',
    '[{"model":"fast"}]',
    '{"model":"fast"',
    '{"model":"fast"}}',
    '{"model":"fast",}',
    '{"model":"fast"} trailing',
    '{"model":"fast","n":01}',
    "{'model':'fast'}",
  ])('gives %s back as it is', (text) => {
    const body = Buffer.from(text)
    expect(renameModel(body, models)).toBe(body)
  })

  it('does not look where there are no aliases', () => {
    const body = Buffer.from('{"model":"fast"}')
    expect(renameModel(body, new Map())).toBe(body)
  })

  it('changes to JSON.parse the model and nothing else', () => {
    fc.assert(
      fc.property(object, (text) => {
        const body = Buffer.from(text)
        const before = parsed(body) as Json
        const expected = { ...before }
        if (typeof before.model === 'string' && Object.hasOwn(before, 'model')) {
          expected.model = models.get(before.model) ?? before.model
        }
        const renamed = renameModel(body, models)
        expect(parsed(renamed)).toEqual(expected)
      }),
      { numRuns: 3000 },
    )
  })

  it('gives back what JSON.parse refuses as it is, and never makes it worse', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
    fc.assert(
      fc.property(object, change, (text, { at, byte }) => {
        const body = Buffer.from(text)
        body[at % body.length] = byte
        const renamed = renameModel(body, models)
        const before = parsed(body)
        if (before === undefined) expect(renamed).toBe(body)
        else expect(parsed(renamed)).toBeDefined()
      }),
      { numRuns: 3000 },
    )
  })
})

describe('renameModel of a form', () => {
  const render = async (form: FormData): Promise<[Buffer, string]> => {
    const response = new Response(form)
    const contentType = response.headers.get('content-type') ?? ''
    return [Buffer.from(await response.arrayBuffer()), contentType]
  }

  it('replaces the field and leaves every other byte as it is', async () => {
    const form = new FormData()
    form.append('file', new Blob([Buffer.from([0, 13, 10, 45, 45, 255])]), 'sound.wav')
    form.append('model', 'fast')
    form.append('prompt', 'fast')
    const [body, contentType] = await render(form)
    const renamed = renameModel(body, models, contentType)
    const expected = body
      .toString('latin1')
      .replace('"model"\r\n\r\nfast', '"model"\r\n\r\ngpt-4o-mini')
    expect(renamed.toString('latin1')).toBe(expected)
    const fields = await new Response(renamed, {
      headers: { 'content-type': contentType },
    }).formData()
    expect(fields.get('model')).toBe('gpt-4o-mini')
  })

  it('gives a form without an alias back as it is', async () => {
    const form = new FormData()
    form.append('model', 'other')
    form.append('model', new Blob(['fast']), 'model')
    form.append('prompt', 'fast')
    const [body, contentType] = await render(form)
    expect(renameModel(body, models, contentType)).toBe(body)
  })

  const part = (head: string, text: string) => `--B\r\n${head}\r\n\r\n${text}\r\n`
  const named = 'Content-Disposition: form-data; name="model"'

  it.each([
    ['a preamble', `hello\r\n${part(named, 'fast')}--B--\r\n`],
    ['padding', `--B \t\r\n${named}\r\n\r\nfast\r\n--B--`],
    ['other headers', `${part(`X: y\r\ncontent-DISPOSITION:form-data;name=model`, 'fast')}--B--`],
    [
      'a line that only begins like a delimiter',
      `${part('X: y', 'a\r\n--Bee')}${part(named, 'fast')}--B--`,
    ],
    ['no end', `${part(named, 'fast')}--B\r\n`],
  ])('reads %s', (_, text) => {
    const renamed = renameModel(Buffer.from(text), models, 'multipart/form-data; boundary=B')
    expect(String(renamed)).toBe(text.replace('fast', 'gpt-4o-mini'))
  })

  it.each([
    ['a value that is not ended', `--B\r\n${named}\r\n\r\nfast`],
    ['no delimiter', `${named}\r\n\r\nfast\r\n`],
    ['another boundary', part(named, 'fast').replaceAll('--B', '--C')],
    [
      'a name inside a name',
      `${part('Content-Disposition: form-data; name="x;name=model;"', 'fast')}--B--`,
    ],
    ['a file of that name', `${part(`${named}; filename="model"`, 'fast')}--B--`],
    ['a part without a head', '--B\r\nfast\r\n--B--'],
    ['the name in another header', `${part('X: form-data; name="model"', 'fast')}--B--`],
    ['nothing', ''],
  ])('does not take %s for the field', (_, text) => {
    const body = Buffer.from(text)
    expect(renameModel(body, models, 'multipart/form-data; boundary="B"')).toBe(body)
  })

  it('reads a form as a form only', () => {
    const body = Buffer.from(part(named, 'fast'))
    expect(renameModel(body, models, 'text/plain; boundary=B')).toBe(body)
    expect(renameModel(body, models)).toBe(body)
  })
})
