import type { Context, Env } from 'hono'
import type { Outcome } from '../core/decision.ts'
import { denialOf } from '../http/denial.ts'

/** A denial as one JSON object that is a problem (RFC 9457) and an OpenAI error at once. */
export function tooManyRequests<E extends Env>(c: Context<E>, outcome: Outcome): Response {
  const requestId: unknown = (c as unknown as Context).get('requestId')
  const { status, headers, body } = denialOf(outcome, {
    headers: false, // the middleware writes them on every answer
    instance: c.req.path,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  })
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  return c.json(body, status)
}
