import { describe, expect, it } from 'vitest'
import { createApi } from './api.ts'

interface Call {
  readonly path: string
  readonly init: RequestInit
}

function apiOf(answer: () => Response | Error) {
  const calls: Call[] = []
  const api = createApi((path, init = {}) => {
    calls.push({ path: String(path), init })
    const given = answer()
    return given instanceof Error ? Promise.reject(given) : Promise.resolve(given)
  })
  return { api, calls }
}

const status = (code: number, headers = {}) => new Response(null, { status: code, headers })

describe('get', () => {
  it('asks for JSON, and tells status and body', async () => {
    const { api, calls } = apiOf(() => Response.json({ a: 1 }, { status: 503 }))
    expect(await api.get('/readyz')).toEqual({ kind: 'answer', status: 503, body: { a: 1 } })
    expect(calls[0]?.init.headers).toMatchObject({ accept: 'application/json' })
  })

  it('tells a session that is none', async () => {
    expect(await apiOf(() => status(401)).api.get('/metrics')).toEqual({ kind: 'unauthorised' })
    expect(await apiOf(() => status(403)).api.get('/metrics')).toEqual({ kind: 'unauthorised' })
  })

  it.each([
    [new TypeError('Failed to fetch'), 'no connection'],
    [new DOMException('late', 'TimeoutError'), 'no answer in 8 s'],
    [
      new Response('<h1>Bad gateway</h1>', { status: 502 }),
      'an answer that isn’t the gateway’s (502)',
    ],
  ])('tells why there is no answer: %#', async (given, reason) => {
    expect(await apiOf(() => given).api.get('/metrics')).toEqual({ kind: 'failed', reason })
  })
})

describe('login', () => {
  it('sends the key as a form', async () => {
    const { api, calls } = apiOf(() => status(204))
    expect(await api.login('a&b')).toEqual({ kind: 'open' })
    expect(calls[0]?.path).toBe('/dashboard/login')
    expect(String(calls[0]?.init.body)).toBe('key=a%26b')
  })

  it.each([
    [status(401), { kind: 'refused', retryAfterS: null }],
    [status(429, { 'retry-after': '30' }), { kind: 'refused', retryAfterS: 30 }],
    [status(429), { kind: 'refused', retryAfterS: 60 }],
    [status(500), { kind: 'failed', reason: 'status 500' }],
    [new TypeError('Failed to fetch'), { kind: 'failed', reason: 'no connection' }],
  ])('tells why there is no session: %#', async (given, result) => {
    expect(await apiOf(() => given).api.login('x')).toEqual(result)
  })
})

describe('logout', () => {
  it('gives the session’s token', async () => {
    const { api, calls } = apiOf(() => status(204))
    await api.logout('token')
    expect(calls[0]?.init.headers).toMatchObject({ 'x-csrf-token': 'token' })
  })
})
