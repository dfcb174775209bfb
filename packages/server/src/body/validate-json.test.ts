import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createProblems } from '../problems/problems.ts'
import { SERVER_PROBLEMS } from '../problems/table.ts'
import { validateJson } from './validate-json.ts'

const schema = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.enum(['user', 'system']) })).min(1),
  size: z.coerce.number().optional(),
})

const app = new Hono()
app.onError(createProblems({ table: SERVER_PROBLEMS, production: true }).onError)
app.post('/', validateJson(schema, { maxBytes: 200 }), (c) => {
  const body: z.output<typeof schema> = c.req.valid('json')
  return c.json(body)
})

interface Answer {
  readonly code: string
  readonly detail: string
  readonly errors: readonly { readonly param: string }[]
}

const send = async (body: string, contentType: string | undefined = 'application/json') => {
  const headers: Record<string, string> = contentType === '' ? {} : { 'content-type': contentType }
  const response = await app.request('/', {
    method: 'POST',
    body: new TextEncoder().encode(body),
    headers,
  })
  return { status: response.status, json: (await response.json()) as Answer }
}

describe('validateJson', () => {
  it("hands the handler the schema's output", async () => {
    const body = { model: 'm', messages: [{ role: 'user' }], size: '3' }
    const { status, json } = await send(JSON.stringify(body), 'application/json; charset=UTF-8')
    expect(status).toBe(200)
    expect(json).toEqual({ ...body, size: 3 })
  })

  it.each(['', 'text/plain', 'application/json; charset=latin1', 'application/jsonp'])(
    'refuses the content type %j',
    async (contentType) => {
      const { status, json } = await send('{}', contentType)
      expect(status).toBe(415)
      expect(json).toMatchObject({
        code: 'unsupported_media_type',
        error: { param: 'content-type' },
      })
    },
  )

  it('refuses a body that is too large', async () => {
    expect((await send(`"${'x'.repeat(300)}"`)).json.code).toBe('payload_too_large')
  })

  it('names the place of malformed JSON', async () => {
    const { status, json } = await send('{"model":')
    expect(status).toBe(400)
    expect(json.detail).toContain('position 9')
  })

  it('names all failing fields, the first as param', async () => {
    const { status, json } = await send('{"messages":[{"role":"sk-secret"}]}')
    expect(status).toBe(400)
    expect(json).toMatchObject({ code: 'missing_field', error: { param: 'model' } })
    expect(json.errors.map((field) => field.param)).toEqual(['model', 'messages[0].role'])
    expect(JSON.stringify(json)).not.toContain('sk-secret')
  })

  it('tells a wrong field from a missing one', async () => {
    const { json } = await send('{"model":1,"messages":[]}')
    expect(json).toMatchObject({ code: 'validation_failed', error: { param: 'model' } })
    expect((await send('[]')).json).toMatchObject({
      code: 'validation_failed',
      error: { param: null },
    })
  })
})
