import { describe, expect, it } from 'vitest'
import { redact } from './redactor.ts'

describe('redact', () => {
  it('replaces values of secret names at any depth', () => {
    const clean = redact({
      a: [{ b: { Authorization: 'x', 'api-key': 7, ok: 1 } }],
      token: { x: 1 },
    })
    expect(clean).toEqual({
      a: [{ b: { Authorization: '[redacted]', 'api-key': '[redacted]', ok: 1 } }],
      token: '[redacted]',
    })
  })

  it('tells whether a secret is set', () => {
    const value = { password: null, token: false, secret: '', cookie: true }
    expect(redact(value)).toEqual(value)
  })

  it('leaves the value itself alone', () => {
    const value = Object.freeze({ list: Object.freeze([Object.freeze({ token: 'a' })]) })
    expect(redact(value)).toEqual({ list: [{ token: '[redacted]' }] })
    expect(value.list[0]?.token).toBe('a')
  })

  it('reads Maps, Sets, headers, form data, queries and dates', () => {
    const form = new FormData()
    form.set('password', 'x')
    expect(
      redact({
        map: new Map<unknown, unknown>([
          ['x-api-key', 'x'],
          [1, 2],
        ]),
        odd: new Map([[{ id: 1 }, 'v']]),
        set: new Set(['sk-abcdefghijkl', 2]),
        headers: new Headers({ cookie: 'a=b', accept: '*/*' }),
        query: new URLSearchParams('access_token=x&page=2'),
        form,
        url: new URL('https://bob:pw@host/?token=x'),
        at: new Date(0),
      }),
    ).toEqual({
      map: { 'x-api-key': '[redacted]', 1: 2 },
      odd: [[{ id: 1 }, 'v']],
      set: ['[redacted]', 2],
      headers: { accept: '*/*', cookie: '[redacted]' },
      query: { access_token: '[redacted]', page: '2' },
      form: { password: '[redacted]' },
      url: 'https://[redacted]@host/?token=[redacted]',
      at: '1970-01-01T00:00:00.000Z',
    })
  })

  it('knows lists of pairs, flat header lists and named values', () => {
    expect(
      redact([
        ['Authorization', 'x'],
        ['accept', 'y'],
      ]),
    ).toEqual([
      ['Authorization', '[redacted]'],
      ['accept', 'y'],
    ])
    expect(redact(['host', 'a', 'Cookie', 'b', 'accept', 'c'])).toEqual([
      ...['host', 'a', 'Cookie', '[redacted]', 'accept', 'c'],
    ])
    expect(
      redact([
        { name: 'x-api-key', value: 'x' },
        { name: 'a', value: 'y' },
      ]),
    ).toEqual([
      { name: 'x-api-key', value: '[redacted]' },
      { name: 'a', value: 'y' },
    ])
  })

  it('never prints bytes', () => {
    expect(
      redact({ a: Buffer.from('sk-abc'), b: new Uint8Array(3), c: new ArrayBuffer(5) }),
    ).toEqual({
      a: '[binary, 6 bytes]',
      b: '[binary, 3 bytes]',
      c: '[binary, 5 bytes]',
    })
  })

  it('prints what toJSON gives, scrubbed', () => {
    const wrapped = { toJSON: () => '[secret]', reveal: () => 'x' }
    const nested = { toJSON: () => ({ token: 'x', n: 1 }) }
    const itself = { n: 1, toJSON: () => itself }
    expect(redact({ wrapped, nested, itself })).toEqual({
      wrapped: '[secret]',
      nested: { token: '[redacted]', n: 1 },
      itself: { n: 1 },
    })
  })

  it('names what JSON has no word for', () => {
    const boxed = [new String('sk-abcdefghijkl'), 10n, Number.NaN, undefined, Symbol('x'), () => 1]
    expect(redact(boxed)).toEqual(['[redacted]', '10', 'NaN', null, null, null])
    expect(redact({ a: undefined, b: () => 1, c: Symbol('x') })).toEqual({})
    expect(redact(undefined)).toBeUndefined()
  })

  it('prints errors with type, code, stack, fields and their chain of causes', () => {
    const root = Object.assign(new TypeError('bad Bearer abcdefgh'), { code: 'E_ROOT' })
    const error = Object.assign(new Error('outer', { cause: root }), {
      code: 'E_OUTER',
      config: { headers: { authorization: 'x' } },
    })
    expect(redact(error)).toMatchObject({
      type: 'Error',
      message: 'outer',
      code: 'E_OUTER',
      stack: expect.stringContaining('value.test.ts'),
      config: { headers: { authorization: '[redacted]' } },
      causes: [{ type: 'TypeError', message: 'bad Bearer [redacted]', code: 'E_ROOT' }],
    })
    expect(JSON.stringify(redact(error))).not.toContain('abcdefgh')
  })

  it('prints aggregate errors, and bounds chains that never end', () => {
    const loop = new Error('loop')
    loop.cause = loop
    const many = Array.from({ length: 30 }, (_, n) => new Error(`e${n}`))
    const clean = redact(new AggregateError(many, 'all failed', { cause: 'sk-abcdefghijkl' }))
    expect(clean).toMatchObject({ type: 'AggregateError', causes: ['[redacted]'] })
    expect(clean).toHaveProperty('errors.length', 11)
    expect(redact(loop)).toMatchObject({ causes: ['[circular]'] })
  })

  it('survives cycles, depth, width and size', () => {
    const ring: Record<string, unknown> = { n: 1 }
    ring.self = ring
    ring.list = [ring]
    expect(redact(ring)).toEqual({ n: 1, self: '[circular]', list: ['[circular]'] })
    let deep: unknown = 'bottom'
    for (let level = 0; level < 50; level++) deep = { deep }
    expect(JSON.stringify(redact(deep))).toContain('[deeper levels left out]')
    expect(redact(Array.from({ length: 500 }, () => 1))).toHaveLength(201)
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, n]))
    expect(redact(wide)).toHaveProperty('…', '300 more fields')
    const huge = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 1))
    expect(JSON.stringify(redact(huge)).length).toBeLessThan(20_000)
  })

  it('reads getters and proxies that throw as unreadable', () => {
    const hostile = {
      get bad(): never {
        throw new Error('sk-abcdefghijkl')
      },
      good: 1,
      toJson: {
        toJSON: () => {
          throw new Error('no')
        },
      },
      proxy: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no')
          },
        },
      ),
    }
    const { proxy: revoked, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(redact({ ...Object.getOwnPropertyDescriptors({}), hostile, revoked })).toEqual({
      hostile: { bad: '[unreadable]', good: 1, toJson: '[unreadable]', proxy: '[unreadable]' },
      revoked: '[unreadable]',
    })
  })

  it('scrubs names that hold a secret, and keeps __proto__ a plain field', () => {
    const clean = redact(JSON.parse('{"sk-abcdefghijkl":1,"__proto__":{"token":"x"}}'))
    expect(JSON.stringify(clean)).toBe('{"[redacted]":1,"__proto__":{"token":"[redacted]"}}')
  })
})
