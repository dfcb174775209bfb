import type { Context, Env, MiddlewareHandler } from 'hono'
import { type Outcome, outcomeOf } from '../core/decision.ts'
import { InvalidRequestError, NeverAllowedError } from '../core/errors.ts'
import { checkForms, type HeaderOptions, rateLimitHeaders } from '../core/headers.ts'
import type { RateLimiter } from '../core/rate-limiter.ts'
import { tooManyRequests } from './too-many-requests.ts'

/** Options of {@link rateLimit}. */
export interface RateLimitMiddlewareOptions<Name extends string, E extends Env = Env> {
  readonly limiter: RateLimiter<Name>
  /**
   * Which policies a request is charged to, as one step; or a function that says so, such as by tier. Not
   * `concurrency`, whose slots have to be given back: use the limiter's `acquire`.
   */
  readonly policies: Listed<Name> | ((c: Context<E>) => Listed<Name> | Promise<Listed<Name>>)
  /**
   * Who is limited, such as a user's id, or else an address that can be believed. There is no default: a
   * request for which it gives nothing fails, since all such requests would share one limit.
   */
  readonly key: (c: Context<E>) => string | undefined | Promise<string | undefined>
  /** What a request costs each policy: a whole number from 0. Default 1. */
  readonly cost?:
    | number
    | ((c: Context<E>, policy: NoInfer<Name>) => number | Promise<number>)
    | undefined
  /** Which headers every answer gets; `false` is none. Default: those of `rateLimitHeaders`. */
  readonly headers?: HeaderOptions | false | undefined
  /**
   * The answer to a denied request; the headers are added. `retryAfterMs` is `Infinity` when the cost is
   * more than the policy ever holds. Default: status 429 with a JSON body that is at once a problem
   * (RFC 9457) and an error as OpenAI's SDKs read it.
   */
  readonly onDenied?:
    | ((c: Context<E>, outcome: Outcome<NoInfer<Name>>) => Response | Promise<Response>)
    | undefined
  /** Requests that aren't limited, such as probes. */
  readonly skip?: ((c: Context<E>) => boolean | Promise<boolean>) | undefined
}

type Listed<Name extends string> = NoInfer<Name> | readonly NoInfer<Name>[]

/** What {@link rateLimit} sets for handlers: declare it among your app's `Variables`. */
export interface RateLimitVariables {
  /** What all limits of this request have said so far. */
  readonly rateLimit?: Outcome
}

/**
 * Limits requests, and tells their limits in headers on every answer, allowed or denied, errors among
 * them. Several of these on one route tell their limits together.
 *
 * A request without a key throws an `InvalidRequestError`, so that the app's `onError` answers. A store
 * that fails is no error: each policy's `onStoreError` decides.
 *
 * @throws InvalidRequestError when it is set up without `key`, without policies, or with a form of headers
 * that doesn't exist.
 */
export function rateLimit<Name extends string, E extends Env = Env>(
  options: RateLimitMiddlewareOptions<Name, E>,
): MiddlewareHandler<E> {
  checkSetUp(options)
  const { headers = {}, onDenied = tooManyRequests, skip } = options
  const headersOf = (told: Outcome) => (headers === false ? {} : rateLimitHeaders(told, headers))
  return async function rateLimitMiddleware(c, next) {
    if ((await skip?.(c)) === true) return next()
    const outcome = await decide(options, c)
    const told = remember(c, outcome)
    const fields = headersOf(told)
    writeHeaders(c, fields)
    if (outcome.allowed) await next()
    else c.res = await onDenied(c, outcome)
    const last = recall(c) ?? told
    correctHeaders(c, last === told ? fields : headersOf(last))
  }
}

function checkSetUp<Name extends string, E extends Env>(
  options: RateLimitMiddlewareOptions<Name, E>,
): void {
  const { key, policies, headers } = options
  if (typeof key !== 'function') {
    throw new InvalidRequestError(
      'rateLimit: key is missing. Give a function that names who is limited, such as the id of a user: without one, all would share one limit.',
    )
  }
  if (policies === undefined || (typeof policies !== 'function' && policies.length === 0)) {
    throw new InvalidRequestError('rateLimit: policies names none. Name at least one.')
  }
  if (headers !== undefined && headers !== false) checkForms(headers)
}

async function decide<Name extends string, E extends Env>(
  options: RateLimitMiddlewareOptions<Name, E>,
  c: Context<E>,
): Promise<Outcome<Name>> {
  const { limiter, key } = options
  const subject = await key(c)
  if (typeof subject !== 'string' || subject === '') {
    throw new InvalidRequestError(
      'rateLimit: key gave nothing for this request, and all such requests would share one limit. Let it fall back on something, such as an address, or skip the request.',
    )
  }
  const requests = await requestsOf(options, c)
  try {
    return await limiter.checkAll(subject, requests)
  } catch (error) {
    if (!(error instanceof NeverAllowedError)) throw error
    // The size of a request is its sender's doing: that is a denial, not a fault of this server.
    const decision = await limiter.peek(error.policy as Name, subject)
    const retryAfterMs = Number.POSITIVE_INFINITY
    return outcomeOf([{ ...decision, allowed: false, retryAfterMs }])
  }
}

async function requestsOf<Name extends string, E extends Env>(
  { policies, cost }: RateLimitMiddlewareOptions<Name, E>,
  c: Context<E>,
): Promise<{ policy: Name; cost: number | undefined }[]> {
  const listed = typeof policies === 'function' ? await policies(c) : policies
  const names: readonly Name[] = typeof listed === 'string' ? [listed] : listed
  const costs = names.map((policy) => (typeof cost === 'function' ? cost(c, policy) : cost))
  const known = await Promise.all(costs)
  return names.map((policy, at) => ({ policy, cost: known[at] }))
}

function remember<E extends Env>(c: Context<E>, outcome: Outcome): Outcome {
  const before = recall(c)
  const all =
    before === undefined ? outcome : outcomeOf([...before.decisions, ...outcome.decisions])
  variables(c).set('rateLimit', all)
  return all
}

function recall<E extends Env>(c: Context<E>): Outcome | undefined {
  return variables(c).get('rateLimit')
}

/** The app needn't declare the variable. */
function variables<E extends Env>(c: Context<E>): Context<{ Variables: RateLimitVariables }> {
  return c as unknown as Context<{ Variables: RateLimitVariables }>
}

/** Before the handler: what it answers through the context has them already. */
function writeHeaders<E extends Env>(c: Context<E>, headers: Readonly<Record<string, string>>) {
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
}

/** After it: for a response that was made elsewhere, or told more limits on its way. */
function correctHeaders<E extends Env>(c: Context<E>, headers: Readonly<Record<string, string>>) {
  for (const [name, value] of Object.entries(headers)) {
    if (c.res.headers.get(name) !== value) c.header(name, value)
  }
}
