import { debugDetail } from './debug.ts'
import { fromHttpException } from './http-exception.ts'
import { type Fault, type Problem, type ProblemTable, SERVER_PROBLEMS } from './table.ts'

/** The protocol whose error form a client understands. */
export type ProblemForm = 'openai' | 'anthropic'

/** The request that an error is told to. */
export interface ProblemContext {
  readonly requestId: string
  /** The request's path, without its query, which may hold secrets. */
  readonly instance: string
  /** Default `openai`, which is an RFC 9457 problem as well. */
  readonly form?: ProblemForm
}

/** An error as a response. */
export interface RenderedProblem {
  readonly status: number
  /** Flat: name, value, … in lower case. */
  readonly headers: string[]
  /** JSON. */
  readonly body: string
  readonly code: string
  readonly fault: Fault
}

/** How errors are shown. */
export interface RenderOptions {
  readonly table: ProblemTable
  /**
   * True hides stacks, causes and the messages of unexpected errors. Otherwise an error that isn't the
   * client's or a policy's carries them in a `debug` member.
   */
  readonly production: boolean
  /** The prefix of a problem's `type`, before its code. Default `urn:tidegate:problem:`. */
  readonly typePrefix?: string
}

interface Reading {
  readonly error: unknown
  readonly code: string
  readonly problem: Problem
  readonly headers: string[]
}

const LONGEST_MESSAGE = 1000
const LONGEST_PARAM = 200

/**
 * Makes the function that turns any thrown value into a response. A code of the table gives that
 * entry's problem, Hono's `HTTPException` keeps its status, and anything else is `internal_error`.
 */
export function createRenderer(
  options: RenderOptions,
): (error: unknown, context: ProblemContext) => RenderedProblem {
  return (error, context) => {
    const reading = read(error, options.table)
    const { status, fault } = reading.problem
    const detail = detailOf(reading, options.production)
    const content =
      context.form === 'anthropic'
        ? anthropicForm(status, detail, context)
        : openaiForm(reading, detail, context, options)
    // A stack explains nothing about a mistake in the request.
    const ours = fault === 'gateway' || fault === 'upstream'
    const debug = ours && !options.production ? { debug: debugDetail(error) } : {}
    return {
      status,
      headers: headersOf(reading),
      body: JSON.stringify({ ...content, ...debug }),
      code: reading.code,
      fault,
    }
  }
}

function read(error: unknown, table: ProblemTable): Reading {
  const thrown = fromHttpException(error)
  if (thrown !== undefined) {
    const problem = table[thrown.code] ?? SERVER_PROBLEMS[thrown.code]
    return {
      error,
      ...thrown,
      problem: { ...problem, status: thrown.status, expose: thrown.status < 500 },
    }
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const known = typeof code === 'string' && Object.hasOwn(table, code) ? table[code] : undefined
  if (typeof code === 'string' && known !== undefined) {
    return { error, code, problem: known, headers: [] }
  }
  const problem = table.internal_error ?? SERVER_PROBLEMS.internal_error
  return { error, code: 'internal_error', problem: { ...problem, expose: false }, headers: [] }
}

function detailOf({ error, problem }: Reading, production: boolean): string {
  const { fault, title, remedy } = problem
  const expose = problem.expose ?? (fault === 'client' || fault === 'policy' || !production)
  const message = expose && error instanceof Error ? error.message.trim() : ''
  return `${sentence(message === '' ? title : message.slice(0, LONGEST_MESSAGE))} ${remedy}`
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

function openaiForm(
  { error, code, problem }: Reading,
  detail: string,
  { requestId, instance }: ProblemContext,
  { typePrefix = 'urn:tidegate:problem:' }: RenderOptions,
): Record<string, unknown> {
  const { param, errors } = fieldsOf(error)
  return {
    type: `${typePrefix}${code}`,
    title: problem.title,
    status: problem.status,
    detail,
    instance,
    code,
    request_id: requestId,
    error: { message: detail, type: problem.type, param, code },
    ...(errors === undefined ? {} : { errors }),
  }
}

/** RFC 9457 leaves room for further members: `errors` lists all failing fields of a validation. */
function fieldsOf(error: unknown): { param: string | null; errors: unknown[] | undefined } {
  const { param, facts } = error instanceof Error ? (error as Partial<FieldError>) : {}
  return {
    param: typeof param === 'string' ? param.slice(0, LONGEST_PARAM) : null,
    errors: Array.isArray(facts?.errors) ? facts.errors : undefined,
  }
}

interface FieldError {
  readonly param: unknown
  readonly facts: Readonly<Record<string, unknown>>
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function anthropicForm(
  status: number,
  message: string,
  { requestId }: ProblemContext,
): Record<string, unknown> {
  const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return { type: 'error', error: { type, message }, request_id: requestId }
}

function headersOf({ error, problem, headers }: Reading): string[] {
  // Not application/problem+json: SDKs look for application/json before they read an error's body.
  const list = ['content-type', 'application/json', ...headers]
  const facts = error instanceof Error ? (error as Partial<FieldError>).facts : undefined
  const wait = facts?.retryAfterMs
  if (typeof wait === 'number' && Number.isFinite(wait) && wait >= 0) {
    list.push(
      'retry-after',
      String(Math.ceil(wait / 1000)),
      'retry-after-ms',
      String(Math.ceil(wait)),
    )
  }
  const retry = typeof facts?.retry === 'boolean' ? facts.retry : problem.retry
  if (retry !== undefined) list.push('x-should-retry', String(retry))
  if (typeof facts?.allow === 'string') list.push('allow', facts.allow)
  // RFC 9110, 15.5.2: a 401 must say how to authenticate. A 403 may, when another credential would do.
  if (!list.includes('www-authenticate')) {
    const { authenticate } = facts ?? {}
    if (typeof authenticate === 'string') list.push('www-authenticate', authenticate)
    else if (problem.status === 401) list.push('www-authenticate', 'Bearer')
  }
  return list
}
