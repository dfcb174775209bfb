import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { ExchangeEnv } from '../exchange/exchange.ts'
import { exchange } from '../exchange/middleware.ts'
import { createTrust } from '../network/trust.ts'
import { isServerError, ServerError } from './errors.ts'
import { createProblems, type ProblemsOptions } from './problems.ts'
import { SERVER_PROBLEMS } from './table.ts'

function server(options: Partial<ProblemsOptions> = {}) {
  const app = new Hono<ExchangeEnv>()
  const problems = createProblems({ table: SERVER_PROBLEMS, production: true, ...options })
  app.onError(problems.onError)
  app.notFound(problems.notFound)
  app.use(exchange({ profile: 'test', trust: createTrust([]) }))
  app.get('/forbidden', () => {
    throw new ServerError('forbidden', 'This key may not do that.')
  })
  return app
}

describe('createProblems', () => {
  it('turns a thrown error into a response that carries the request id', async () => {
    const response = await server().request('/forbidden?token=sk-1', {
      headers: { 'x-request-id': 'abc' },
    })
    expect(response.status).toBe(403)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('x-request-id')).toBe('abc')
    const text = await response.text()
    expect(text).not.toContain('sk-1')
    expect(JSON.parse(text)).toMatchObject({
      request_id: 'abc',
      instance: '/forbidden',
      code: 'forbidden',
    })
  })

  it('answers what leads nowhere', async () => {
    const response = await server().request('/nowhere', { method: 'POST' })
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('POST /nowhere')
  })

  it('chooses the form by request', async () => {
    const app = server({ form: (c) => (c.req.path.startsWith('/v1') ? 'anthropic' : 'openai') })
    expect(await (await app.request('/v1/messages')).json()).toMatchObject({ type: 'error' })
    expect(await (await app.request('/other')).json()).toMatchObject({ code: 'not_found' })
  })

  it('tells an observer and the exchange what happened', async () => {
    const seen: unknown[] = []
    const app = server({
      onProblem: (problem, error, c) => {
        seen.push(problem.status, isServerError(error, 'forbidden'), c.get('exchange').errorCode)
      },
    })
    await app.request('/forbidden')
    expect(seen).toEqual([403, true, 'forbidden'])
  })

  it('works without an exchange', async () => {
    const app = new Hono()
    app.onError(createProblems({ table: SERVER_PROBLEMS, production: true }).onError)
    app.get('/', () => {
      throw new Error('x')
    })
    const response = await app.request('/')
    expect(await response.json()).toMatchObject({
      request_id: response.headers.get('x-request-id'),
    })
  })
})

describe('isServerError', () => {
  it('goes by the code and the shape', () => {
    class AppError extends ServerError<'mine'> {}
    expect(isServerError(new AppError('mine', 'x'))).toBe(true)
    expect(isServerError(new AppError('mine', 'x'), 'mine')).toBe(true)
    expect(isServerError(new ServerError('not_found', 'x'), 'forbidden')).toBe(false)
    expect(isServerError(Object.assign(new Error('x'), { code: 'not_found' }))).toBe(false)
    expect(isServerError(undefined)).toBe(false)
  })
})
