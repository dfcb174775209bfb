import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, ask } from '../client.fixture.ts'
import {
  ADMIN_KEY,
  SEVERAL_STARTS_MS,
  startCompanion,
  type TestCompanion,
} from '../companion.fixture.ts'

interface Route {
  readonly method: string
  readonly path: string
  readonly fields: readonly string[]
  readonly query: readonly string[]
}

let companion: TestCompanion
let routes: readonly Route[] = []
beforeAll(async () => {
  companion = await startCompanion({ ADMIN_KEY })
  routes = routesOf((await ask(companion, 'GET', '/openapi.json')).body)
}, SEVERAL_STARTS_MS)
afterAll(async () => {
  await companion[Symbol.asyncDispose]()
})

/** The routes of a document with what each of them takes, so that what is thrown at them gets inside. */
function routesOf(document: object): readonly Route[] {
  const { paths, components } = Object(document)
  const fieldsOf = (schema: unknown): string[] => {
    const { $ref, properties = {}, oneOf = [] } = Object(schema)
    if (typeof $ref === 'string') {
      return fieldsOf(components.schemas[$ref.split('/').at(-1) ?? ''])
    }
    return [...Object.keys(properties), ...oneOf.flatMap(fieldsOf)]
  }
  return Object.entries(Object(paths)).flatMap(([path, methods]) =>
    Object.entries(Object(methods)).map(([method, operation]) => {
      const { parameters = [], requestBody } = Object(operation)
      const query = parameters.flatMap((each: unknown) =>
        Object(each).in === 'query' ? [String(Object(each).name)] : [],
      )
      const fields = fieldsOf(requestBody?.content['application/json'].schema)
      return { method: method.toUpperCase(), path, fields: [...new Set(fields)], query }
    }),
  )
}

const odd = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\u0000',
    '\ud800',
    '../..',
    "'; drop table api_keys; --",
    '%00',
    'x'.repeat(9_999),
  ),
  fc.json(),
)
const value = fc.oneof(odd, fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(-1, 1e308, null, [], {}))

const attempt = fc.record({
  route: fc.nat(),
  id: odd,
  query: fc.array(odd, { maxLength: 3 }),
  extra: odd,
  values: fc.array(value, { minLength: 1, maxLength: 6 }),
  raw: fc.option(odd, { freq: 4 }),
  header: fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
})

function targetOf(route: Route, id: string, query: readonly string[], extra: string): string {
  const path = route.path.replace('{id}', encodeURIComponent(id.toWellFormed()) || 'x')
  const asked = query.map((text, index) => {
    const name = route.query[index % Math.max(1, route.query.length)] ?? extra.toWellFormed()
    return `${encodeURIComponent(name)}=${encodeURIComponent(text.toWellFormed())}`
  })
  return asked.length === 0 ? path : `${path}?${asked.join('&')}`
}

describe('hostile input', () => {
  it('never ends in a fault of the companion, and is refused in a problem', async () => {
    const tried = fc.asyncProperty(
      attempt,
      async ({ route: at, id, query, extra, values, raw, header }) => {
        const route = routes[at % routes.length]
        if (route === undefined) throw new Error('The document names no route.')
        const fields = route.fields.map((name, index) => [name, values[index % values.length]])
        const body = raw ?? JSON.stringify(Object.fromEntries(fields))
        const trimmed = header.replace(/[^\x20-\x7e]/g, '').trim()
        const answer: Answered = await ask(
          companion,
          route.method,
          targetOf(route, id, query, extra),
          {
            ...(route.fields.length > 0 && { body }),
            headers: { 'if-match': trimmed, 'idempotency-key': trimmed },
          },
        )
        expect(answer.status, JSON.stringify([route.path, answer.body])).toBeLessThan(500)
        if (answer.status < 400) return
        expect(answer.body).toMatchObject({ status: answer.status, code: expect.any(String) })
        if (answer.status === 400 && answer.body.code === 'validation_failed') {
          expect(answer.body.errors).toEqual(expect.arrayContaining([expect.anything()]))
        }
      },
    )
    await fc.assert(tried, { numRuns: 400 })
  })
})
