import { describe, expect, it } from 'vitest'
import { type BodyRules, createBodyValidator } from './body-validator.ts'

const JSON_TYPE = 'application/json'

const check = async (
  rules: BodyRules,
  body: unknown,
  contentType: string | undefined = JSON_TYPE,
) => {
  const validate = await createBodyValidator(rules)
  return validate(contentType, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
}

const schema = {
  type: 'object',
  properties: {
    model: { enum: ['small', 'large'] },
    messages: {
      type: 'array',
      items: {
        type: 'object',
        required: ['role'],
        properties: { role: { type: 'string' }, mail: { type: 'string', format: 'email' } },
        additionalProperties: false,
      },
    },
  },
  required: ['model'],
}

describe('createBodyValidator', () => {
  it('passes what keeps to the schema', async () => {
    expect(
      await check({ schema }, { model: 'small', messages: [{ role: 'x' }], other: 1 }),
    ).toBeUndefined()
  })

  it('names each failing field and no value that was sent', async () => {
    const error = await check(
      { schema },
      { model: 'sk-1', messages: [{ mail: 'sk-2', more: 'sk-3' }] },
    )
    expect(error).toMatchObject({ code: 'validation_failed', param: 'model' })
    expect(error?.facts.errors).toEqual([
      { param: 'model', message: 'The field "model" must be one of "small","large"' },
      { param: 'messages[0].role', message: 'The field "messages[0].role" is missing' },
      { param: 'messages[0].more', message: 'The field "messages[0].more" is not allowed' },
      {
        param: 'messages[0].mail',
        message: 'The field "messages[0].mail" must match format "email"',
      },
    ])
    expect(`${error?.message}${JSON.stringify(error?.facts)}`).not.toContain('sk-')
    expect(await check({ schema }, '[]')).toMatchObject({
      message: 'The body must be object.',
      param: undefined,
    })
  })

  it('asks for required fields by dotted paths', async () => {
    const rules = { required: ['model', 'messages.0.role'] }
    expect(await check(rules, { model: 'x', messages: [{ role: 'y' }] })).toBeUndefined()
    expect(await check(rules, { model: null, messages: [] })).toMatchObject({
      code: 'missing_field',
      param: 'model',
      facts: { errors: [{ param: 'model' }, { param: 'messages[0].role' }] },
    })
    expect(await check({ required: ['toString'] }, {})).toMatchObject({ code: 'missing_field' })
    expect(await check({ required: ['a.length'] }, { a: 'text' })).toMatchObject({
      param: 'a.length',
    })
  })

  it('does not take members of Object.prototype for fields', async () => {
    const error = await check({ schema: { type: 'object', required: ['constructor'] } }, {})
    expect(error).toMatchObject({ code: 'missing_field', param: 'constructor' })
  })

  it('limits the content type, with or without rules about fields', async () => {
    expect(await check({ schema }, '{}', 'text/plain')).toMatchObject({
      code: 'unsupported_media_type',
    })
    expect(await check({ schema }, '{}', '')).toMatchObject({ param: 'content-type' })
    const images = { contentType: ['image/*', 'Application/PDF'] }
    expect(await check(images, 'bytes', 'image/png')).toBeUndefined()
    expect(await check(images, 'bytes', 'application/pdf; v=1')).toBeUndefined()
    expect(await check(images, 'bytes', 'text/html')).toMatchObject({
      code: 'unsupported_media_type',
    })
    expect(await check({ contentType: ['application/json'] }, 'not json')).toBeUndefined()
    expect(await check({}, 'anything', 'x/y')).toBeUndefined()
  })

  it('refuses what is no JSON where JSON is asked for', async () => {
    expect(await check({ schema }, '{"model":')).toMatchObject({ code: 'invalid_json' })
    expect(await check({ required: ['a'] }, '')).toMatchObject({ code: 'invalid_json' })
  })

  it('lists at most fifty fields', async () => {
    const rules = { schema: { type: 'array', items: { type: 'string' } } }
    const error = await check(
      rules,
      Array.from({ length: 500 }, () => 1),
    )
    expect(error?.facts.errors).toHaveLength(50)
    expect(error?.message).toContain('(and 497 more)')
  })

  it('reads draft-07 where the schema says so', async () => {
    const draft07 = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] } },
    }
    expect(await check({ schema: draft07 }, { pair: ['a', 1] })).toBeUndefined()
    expect(await check({ schema: draft07 }, { pair: [1, 'a'] })).toMatchObject({ param: 'pair[0]' })
    const latest = { type: 'array', prefixItems: [{ type: 'string' }] }
    expect(await check({ schema: latest }, [1])).toMatchObject({ param: '[0]' })
  })

  it.each([
    [{ schema: { type: 'nope' } }, 'type must be equal to one of the allowed values'],
    [{ schema: { requird: ['a'] } }, 'unknown keyword: "requird"'],
    [{ schema: { type: 'string', format: 'nope' } }, 'unknown format "nope"'],
    [{ schema: { $ref: 'https://example.com/x' } }, "can't resolve reference"],
    [{ schema: { $async: true } }, '$async'],
    [{ schema: {}, contentType: ['image/*'] }, 'contentType allows "image/*"'],
    [{ required: ['a..b'] }, '"a..b" is no dotted path'],
  ])('says at once what is wrong with %j', async (rules, message) => {
    await expect(createBodyValidator(rules)).rejects.toMatchObject({ code: 'invalid_setup' })
    await expect(createBodyValidator(rules)).rejects.toThrow(message)
  })
})
