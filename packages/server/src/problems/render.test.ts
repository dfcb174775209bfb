import { HTTPException } from 'hono/http-exception'
import { describe, expect, it } from 'vitest'
import { DeadlineExceeded, ServerError, SetupError } from './errors.ts'
import { createRenderer, type ProblemForm } from './render.ts'
import { defineProblems } from './table.ts'

const table = defineProblems({
  upstream_unreachable: {
    status: 502,
    title: 'Upstream unreachable',
    type: 'upstream_error',
    fault: 'upstream',
    remedy: 'Try again later.',
  },
})

const show = (error: unknown, production = true, form: ProblemForm = 'openai') => {
  const problem = createRenderer({ table, production })(error, {
    requestId: 'r',
    instance: '/',
    form,
  })
  const headers: Record<string, string> = {}
  for (let i = 0; i < problem.headers.length; i += 2) {
    headers[problem.headers[i] ?? ''] = problem.headers[i + 1] ?? ''
  }
  return { ...problem, headers, json: JSON.parse(problem.body) }
}

const SECRET = 'connect ECONNREFUSED 10.9.8.7:443 sk-secret'

describe('createRenderer', () => {
  it('shows nothing of an unexpected error in production', () => {
    for (const thrown of [new Error(SECRET), SECRET, undefined, { message: SECRET }]) {
      const { status, body, json } = show(thrown)
      expect(status).toBe(500)
      expect(json.code).toBe('internal_error')
      expect(json).not.toHaveProperty('debug')
      expect(body).not.toMatch(/10\.9|sk-secret|\.ts/)
    }
  })

  it('shows no message of an upstream or of this server itself in production', () => {
    const upstream = new ServerError('upstream_unreachable', SECRET, { cause: new Error(SECRET) })
    for (const error of [upstream, new SetupError(SECRET)]) {
      expect(show(error).body).not.toMatch(/10\.9|sk-secret/)
    }
    expect(show(upstream).json.detail).toBe('Upstream unreachable. Try again later.')
  })

  it('unfolds an unexpected error and its causes outside production', () => {
    const error = new TypeError('outer', { cause: new Error('inner', { cause: 'root' }) })
    expect(show(error, false).json.debug).toEqual({
      name: 'TypeError',
      message: 'outer',
      stack: expect.stringContaining('render.test.ts'),
      cause: {
        name: 'Error',
        message: 'inner',
        stack: expect.any(String),
        cause: { name: 'string', message: 'root' },
      },
    })
    expect(show(error, false, 'anthropic').json.debug.name).toBe('TypeError')
  })

  it('ends with a chain of causes that has no end', () => {
    const error = new Error('loop')
    error.cause = error
    expect(show(error, false).body.match(/"loop"/g)).toHaveLength(6)
  })

  it('spares a client the stack of its own mistake', () => {
    expect(show(new ServerError('not_found', 'No.'), false).json).not.toHaveProperty('debug')
  })

  it('is not fooled by codes that are names of Object.prototype, or no strings', () => {
    for (const code of ['constructor', '__proto__', 'toString', 42, 'ECONNREFUSED']) {
      expect(show(Object.assign(new Error('x'), { code })).json.code).toBe('internal_error')
    }
  })

  it('names the hop of a missed deadline, in production too', () => {
    const { status, json } = show(new DeadlineExceeded({ hop: 'upstream openai', limitMs: 1500.4 }))
    expect(status).toBe(504)
    expect(json.detail).toContain('1500 ms passed while waiting for upstream openai.')
    expect(json.error.type).toBe('api_error')
  })

  it('tells when to come back', () => {
    const error = new ServerError('too_many_requests', 'Enough.', {
      facts: { retryAfterMs: 1200.5 },
    })
    expect(show(error).headers).toMatchObject({
      'retry-after': '2',
      'retry-after-ms': '1201',
      'x-should-retry': 'true',
    })
    const never = new ServerError('too_many_requests', 'Enough.', {
      facts: { retryAfterMs: Number.NaN },
    })
    expect(show(never).headers).not.toHaveProperty('retry-after')
  })

  it('says how to authenticate and which methods there are', () => {
    expect(show(new ServerError('unauthorized', 'No key.')).headers['www-authenticate']).toBe(
      'Bearer',
    )
    const own = new ServerError('unauthorized', 'No.', { facts: { authenticate: 'Basic' } })
    expect(show(own).headers['www-authenticate']).toBe('Basic')
    const narrow = new ServerError('forbidden', 'No.', { facts: { authenticate: 'Bearer x' } })
    expect(show(narrow).headers['www-authenticate']).toBe('Bearer x')
    expect(show(new ServerError('forbidden', 'No.')).headers).not.toHaveProperty('www-authenticate')
    const error = new ServerError('method_not_allowed', 'No.', { facts: { allow: 'GET, HEAD' } })
    expect(show(error).headers.allow).toBe('GET, HEAD')
  })

  it('lists all failing fields', () => {
    const errors = [{ param: 'a', message: 'm' }]
    expect(
      show(new ServerError('validation_failed', 'No.', { facts: { errors } })).json.errors,
    ).toEqual(errors)
  })

  it('keeps texts short', () => {
    const error = new ServerError('validation_failed', 'm'.repeat(10_000), {
      param: 'p'.repeat(10_000),
    })
    expect(show(error).body.length).toBeLessThan(4000)
  })

  it("keeps the status of Hono's own exceptions and the headers a client acts on", () => {
    const res = new Response('x', {
      headers: { 'www-authenticate': 'Basic realm="x"', 'x-other': 'no' },
    })
    const { status, headers, json } = show(new HTTPException(401, { res, message: 'Who are you?' }))
    expect(status).toBe(401)
    expect(json.detail).toBe('Who are you? Send valid credentials.')
    expect(headers['www-authenticate']).toBe('Basic realm="x"')
    expect(headers).not.toHaveProperty('x-other')
    expect(show(new HTTPException(409, { message: 'Taken' })).json).toMatchObject({
      status: 409,
      code: 'bad_request',
    })
    const internal = show(new HTTPException(502, { message: SECRET }))
    expect(internal.status).toBe(502)
    expect(internal.body).not.toContain('sk-secret')
  })

  it.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [409, 'invalid_request_error'],
    [413, 'request_too_large'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
  ] as const)('gives status %i the type Anthropic gives it', (status, type) => {
    const { json } = show(new HTTPException(status, { message: 'm' }), true, 'anthropic')
    expect(json.error.type).toBe(type)
  })
})
