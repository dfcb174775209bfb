import type { Decision, Outcome } from '../core/decision.ts'
import type { NeverAllowedError } from '../core/errors.ts'
import { type HeaderOptions, rateLimitHeaders } from '../core/headers.ts'
import { capacityOf } from '../core/rules.ts'

const STATUS = 429
const CODE = 'rate_limit_exceeded'

/** Of draft-ietf-httpapi-ratelimit-headers-11, 5.1, with its member `violated-policies`. */
const PROBLEM_TYPE = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

/** How {@link denialOf} words a denial. */
export interface DenialOptions {
  /** Which headers tell the limits; `false` is none. Default: those of `rateLimitHeaders`. */
  readonly headers?: HeaderOptions | false | undefined
  /** What was asked for, such as the request's URL. Its query isn't repeated, as it may hold secrets. */
  readonly instance?: string | undefined
  /** By which the request can be found in logs. */
  readonly requestId?: string | undefined
}

/** The answer to a denied request. */
export interface Denial {
  readonly status: 429
  /** Names in lower case: the limits, `content-type`, and `x-should-retry: false` when waiting won't help. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: DenialBody
}

/** A problem (RFC 9457) and an error as OpenAI's SDKs read it, at once. */
export interface DenialBody {
  readonly type: string
  readonly title: string
  readonly status: 429
  readonly detail: string
  readonly instance?: string
  readonly code: 'rate_limit_exceeded'
  readonly request_id?: string
  /** The policies that deny, shadow policies not among them. */
  readonly 'violated-policies': readonly string[]
  readonly error: {
    readonly message: string
    readonly type: 'rate_limit_error'
    readonly param: null
    readonly code: 'rate_limit_exceeded'
  }
}

/**
 * The answer to a denied request, for any server: status 429, headers that tell the limits and when to come
 * back, and a JSON body. Also for the `NeverAllowedError` of a cost above what a policy ever holds, which
 * tells no limits, as none was asked: waiting doesn't help, and the answer says so.
 *
 * @throws InvalidRequestError for a form of headers that doesn't exist.
 */
export function denialOf(
  told: Decision | Outcome | NeverAllowedError,
  { headers = {}, instance, requestId }: DenialOptions = {},
): Denial {
  const { detail, violated, hopeless } = factsOf(told)
  const limits = headers === false || told instanceof Error ? {} : rateLimitHeaders(told, headers)
  return {
    status: STATUS,
    headers: {
      ...limits,
      ...(hopeless ? { 'x-should-retry': 'false' } : {}),
      // Not application/problem+json: SDKs look for application/json before they read an error's body.
      'content-type': 'application/json',
    },
    body: {
      type: PROBLEM_TYPE,
      title: 'Too many requests',
      status: STATUS,
      detail,
      ...(instance === undefined ? {} : { instance: withoutQuery(instance) }),
      code: CODE,
      ...(requestId === undefined ? {} : { request_id: requestId }),
      'violated-policies': violated,
      error: { message: detail, type: 'rate_limit_error', param: null, code: CODE },
    },
  }
}

interface Facts {
  readonly detail: string
  readonly violated: readonly string[]
  /** Whether waiting won't help. */
  readonly hopeless: boolean
}

function factsOf(told: Decision | Outcome | NeverAllowedError): Facts {
  const { policy } = told
  if (told instanceof Error) {
    return { detail: tooLarge(policy, told.capacity), violated: [policy], hopeless: true }
  }
  const decisions = 'decisions' in told ? told.decisions : [told]
  const violated = decisions
    .filter(({ allowed, shadow }) => !allowed && !shadow)
    .map((decision) => decision.policy)
  if (told.retryAfterMs === Number.POSITIVE_INFINITY) {
    return { detail: tooLarge(policy, capacityOf(told.rule)), violated, hopeless: true }
  }
  const detail = `The limit "${policy}" is used up. Try again in ${Math.ceil(told.retryAfterMs / 1000)} s.`
  return { detail, violated, hopeless: false }
}

function tooLarge(policy: string, capacity: number): string {
  return `This request is larger than the limit "${policy}" ever allows at once, which is ${capacity}. Ask for less.`
}

function withoutQuery(target: string): string {
  return target.replace(/[?#].*$/s, '')
}
