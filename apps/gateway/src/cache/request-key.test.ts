import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalObject } from './canonical-json.ts'
import { type KeyedRequest, modelOf, requestKey } from './request-key.ts'

const plain: KeyedRequest = {
  route: ['/v1/**', 'openai'],
  scope: 'key:3:ada',
  method: 'POST',
  path: '/v1/chat/completions',
  query: '?a=1',
  headers: ['accept', 'application/json'],
  body: null,
}

const json = (text: string): KeyedRequest['body'] => canonicalObject(Buffer.from(text)) ?? null

describe('requestKey', () => {
  it('is the same for the same request, however its JSON is written', () => {
    const one = requestKey({ ...plain, body: json('{"model":"m","a":[1,"b"]}') })
    expect(requestKey({ ...plain, body: json('{ "a": [1, "\\u0062"], "model": "m" }') })).toBe(one)
    expect(one).toMatch(/^\/v1\/chat\/completions m [\w-]{43}$/)
  })

  it('is another for anything that an answer depends on', () => {
    const others: Partial<KeyedRequest>[] = [
      { route: ['/v1/**', 'azure'] },
      { route: ['/v1/**', 'openai', 'azure'] },
      { scope: 'key:3:bob' },
      { method: 'PUT' },
      { path: '/v1/completions' },
      { query: '' },
      { query: '?a=2' },
      { headers: [] },
      { headers: ['accept', 'text/event-stream'] },
      { headers: ['accept', 'application/json', 'openai-beta', 'x'] },
      { body: Buffer.from('') },
      { body: Buffer.from('{}') },
      { body: json('{}') },
      { body: json('{"a":1}') },
      { body: Buffer.from('{"a":1}') },
    ]
    const all = [plain, ...others.map((other) => ({ ...plain, ...other }))].map(requestKey)
    expect(new Set(all).size).toBe(all.length)
  })

  it('never takes the end of one part for the beginning of the next', () => {
    const text = fc.string({ maxLength: 5 })
    const request = fc.record({
      ...{ route: fc.array(text, { maxLength: 2 }), scope: text, method: text, path: text },
      ...{ query: text, headers: fc.array(text, { maxLength: 3 }) },
      body: fc.option(
        text.map((body) => Buffer.from(body)),
        { nil: null },
      ),
    })
    fc.assert(
      fc.property(request, request, (one, other) => {
        const alike = JSON.stringify(one) === JSON.stringify(other)
        expect(requestKey(one) === requestKey(other)).toBe(alike)
      }),
    )
  })

  it('stays short, and a text that any store takes', () => {
    const long = 'x'.repeat(5_000)
    const body = json(`{"model":"${long}\\ud800"}`)
    const key = requestKey({ ...plain, path: `/${long}`, body })
    expect(key.length).toBeLessThan(400)
    expect(key.isWellFormed()).toBe(true)
    expect(requestKey({ ...plain, path: `/${long}y`, body })).not.toBe(key)
  })
})

describe('modelOf', () => {
  it.each([
    ['{"model":"gpt-4o"}', 'gpt-4o'],
    ['{"model":"\\u0067"}', 'g'],
    ['{"model":""}', undefined],
    ['{"model":1}', undefined],
    ['{"a":{"model":"m"}}', undefined],
  ])('of %s is %s', (text, model) => {
    expect(modelOf(json(text))).toBe(model)
  })
})
