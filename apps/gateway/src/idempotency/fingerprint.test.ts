import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fingerprintOf, type KeyedRequest } from './fingerprint.ts'

const plain: KeyedRequest = {
  method: 'POST',
  path: '/v1/chat/completions',
  query: '?a=1',
  contentType: 'application/json',
  conditions: [undefined, undefined],
  body: Buffer.from('{"model":"tide"}'),
}

function multipart(boundary: string, parts: readonly string[], quoted = false): KeyedRequest {
  const body = parts.map((part) => `--${boundary}\r\n\r\n${part}\r\n`).join('')
  const named = quoted ? `"${boundary}"` : boundary
  return {
    ...plain,
    contentType: `multipart/form-data; boundary=${named}`,
    body: Buffer.from(`${body}--${boundary}--\r\n`),
  }
}

describe('fingerprintOf', () => {
  it('is the same for the same request', () => {
    expect(fingerprintOf({ ...plain, body: Buffer.from(plain.body) })).toBe(fingerprintOf(plain))
  })

  it('is another for anything else that is asked', () => {
    const others: Partial<KeyedRequest>[] = [
      { method: 'PATCH' },
      { path: '/v1/embeddings' },
      { query: '' },
      { query: '?a=2' },
      { contentType: undefined },
      { contentType: 'text/plain' },
      { conditions: ['"v1"', undefined] },
      { conditions: [undefined, '"v1"'] },
      { body: Buffer.alloc(0) },
      { body: Buffer.from('{"model": "tide"}') },
    ]
    const all = [plain, ...others.map((other) => ({ ...plain, ...other }))].map(fingerprintOf)
    expect(new Set(all).size).toBe(all.length)
  })

  it('never takes the end of one part for the beginning of the next', () => {
    const text = fc.string({ maxLength: 6 })
    const request = fc.record({
      method: text,
      path: text,
      query: text,
      contentType: fc.option(text, { nil: undefined }),
      conditions: fc.array(text, { maxLength: 2 }),
      body: text.map((body) => Buffer.from(body)),
    })
    fc.assert(
      fc.property(request, request, (one, other) => {
        const same = (['method', 'path', 'query'] as const).every(
          (part) => one[part] === other[part],
        )
        const alike =
          same &&
          (one.contentType ?? '') === (other.contentType ?? '') &&
          one.conditions.join('\0') === other.conditions.join('\0') &&
          one.conditions.length === other.conditions.length &&
          one.body.equals(other.body)
        expect(fingerprintOf(one) === fingerprintOf(other)).toBe(alike)
      }),
    )
  })

  it('leaves a multipart boundary aside, which is another one at each try', () => {
    const first = fingerprintOf(multipart('----one', ['a', 'b']))
    expect(fingerprintOf(multipart('----another:2', ['a', 'b'], true))).toBe(first)
    expect(fingerprintOf(multipart('----another', ['a', 'b']))).toBe(first)
    expect(fingerprintOf(multipart('x+y?(1)', ['a', 'b']))).toBe(first)
    expect(fingerprintOf(multipart('----one', ['a', 'c']))).not.toBe(first)
    expect(fingerprintOf(multipart('----one', ['ab']))).not.toBe(first)
    expect(fingerprintOf(multipart('----one', ['b', 'a']))).not.toBe(first)
  })

  it('takes a body for its bytes where the boundary makes no sense', () => {
    const odd = { ...plain, contentType: 'multipart/form-data' }
    expect(fingerprintOf(odd)).toBe(fingerprintOf(odd))
    expect(fingerprintOf(odd)).not.toBe(fingerprintOf({ ...odd, body: Buffer.from('--x') }))
  })
})
