import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createTrust } from '../network/trust.ts'
import { createProblems } from '../problems/problems.ts'
import { SERVER_PROBLEMS } from '../problems/table.ts'
import { type DeadlineOptions, deadline } from './deadline.ts'
import type { ExchangeEnv } from './exchange.ts'
import { exchange } from './middleware.ts'

function server(options: DeadlineOptions) {
  const app = new Hono<ExchangeEnv>()
  app.onError(createProblems({ table: SERVER_PROBLEMS, production: true }).onError)
  app.use(exchange({ profile: 'production', trust: createTrust([]), service: 'companion' }))
  app.use(deadline(options))
  return app
}

describe('deadline', () => {
  it('sets the time by which the request must be done', async () => {
    const app = server({ ms: 1000 })
    app.get('/', (c) => c.json(Number(c.var.exchange.deadlineAt) - c.var.exchange.startedAt))
    expect(await (await app.request('/')).json()).toBeCloseTo(1000)
  })

  it('never moves a deadline further away', async () => {
    const app = server({ ms: 10 })
    app.use(deadline({ ms: 1000 }))
    app.get('/', (c) => c.json(Number(c.var.exchange.deadlineAt) - c.var.exchange.startedAt))
    expect(await (await app.request('/')).json()).toBeCloseTo(10)
  })

  it('ends what obeys the signal with a 504 that names the hop', async () => {
    const app = server({ ms: 5 })
    app.get('/', async (c) => {
      c.var.exchange.hop = 'database'
      const { signal } = c.var.exchange
      return new Promise<Response>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    })
    const response = await app.request('/')
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({
      code: 'deadline_exceeded',
      detail: expect.stringContaining('waiting for database'),
    })
  })

  it('recognises itself behind a plain AbortError', async () => {
    const app = server({ ms: 5 })
    app.get('/', (c) => {
      const { signal } = c.var.exchange
      return new Promise<Response>((_, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))
      })
    })
    expect((await app.request('/')).status).toBe(504)
  })

  it('answers for a handler that does not obey, when told to enforce it', async () => {
    const impatient = server({ ms: 5, enforce: true })
    impatient.get('/', () => new Promise<Response>(() => {}))
    expect((await impatient.request('/')).status).toBe(504)

    const patient = server({ ms: 60_000, enforce: true })
    patient.get('/', (c) => c.text('ok'))
    expect((await patient.request('/')).status).toBe(200)
  })
})
