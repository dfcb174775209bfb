import type { Context, Env } from 'hono'
import type { Outcome } from '../core/decision.ts'
import { capacityOf } from '../core/rules.ts'

const STATUS = 429
const CODE = 'rate_limit_exceeded'

/** Of draft-ietf-httpapi-ratelimit-headers-11, 5.1, with its member `violated-policies`. */
const PROBLEM_TYPE = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

/** A denial as one JSON object that is a problem (RFC 9457) and an OpenAI error at once. */
export function tooManyRequests<E extends Env>(c: Context<E>, outcome: Outcome): Response {
  const detail = detailOf(outcome)
  const violated = outcome.decisions.filter(({ allowed, shadow }) => !allowed && !shadow)
  const requestId: unknown = (c as unknown as Context).get('requestId')
  const body = {
    type: PROBLEM_TYPE,
    title: 'Too many requests',
    status: STATUS,
    detail,
    instance: c.req.path,
    code: CODE,
    ...(typeof requestId === 'string' ? { request_id: requestId } : {}),
    'violated-policies': violated.map(({ policy }) => policy),
    error: { message: detail, type: 'rate_limit_error', param: null, code: CODE },
  }
  if (outcome.retryAfterMs === Number.POSITIVE_INFINITY) c.header('x-should-retry', 'false')
  // Not application/problem+json: SDKs look for application/json before they read an error's body.
  return c.json(body, STATUS)
}

function detailOf({ policy, rule, retryAfterMs }: Outcome): string {
  if (retryAfterMs === Number.POSITIVE_INFINITY) {
    return `This request is larger than the limit "${policy}" ever allows at once, which is ${capacityOf(rule)}. Ask for less.`
  }
  return `The limit "${policy}" is used up. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`
}
