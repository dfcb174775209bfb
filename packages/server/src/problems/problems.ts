import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { outgoingOf } from '../exchange/connection.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { newRequestId } from '../exchange/request-id.ts'
import { ServerError } from './errors.ts'
import {
  createRenderer,
  type ProblemContext,
  type ProblemForm,
  type RenderedProblem,
  type RenderOptions,
} from './render.ts'

/** How an app's errors become responses. */
export interface ProblemsOptions extends RenderOptions {
  /** The form of a request's errors. Default: `openai` for all. */
  readonly form?: (c: Context) => ProblemForm
  /** Called for each error that becomes a response: the place to log unexpected ones. */
  readonly onProblem?: (problem: RenderedProblem, error: unknown, c: Context) => void
}

/** The one place where an app's errors become responses. */
export interface Problems {
  /** Any thrown value as status, headers and body, for code that writes the response itself. */
  readonly render: (error: unknown, context: ProblemContext) => RenderedProblem
  /** For `app.onError`. */
  readonly onError: ErrorHandler
  /** For `app.notFound`. */
  readonly notFound: NotFoundHandler
}

/**
 * Binds a table of problems to an app: `app.onError(problems.onError)` and
 * `app.notFound(problems.notFound)`.
 *
 * An `AbortError` behind which stands the request's own end (its deadline, a client that left) is
 * shown as that. When a handler has already begun Node's response, nothing is written over it.
 */
export function createProblems(options: ProblemsOptions): Problems {
  const render = createRenderer(options)
  const respond = (thrown: unknown, c: Context): Response => {
    const exchange = c.get('exchange') as Exchange | undefined
    const error = reasonBehind(thrown, exchange)
    const form = options.form?.(c)
    const requestId = exchange?.requestId ?? newRequestId()
    const problem = render(error, {
      requestId,
      instance: c.req.path,
      ...(form === undefined ? {} : { form }),
    })
    if (exchange !== undefined) exchange.errorCode = problem.code
    options.onProblem?.(problem, error, c)
    if (exchange?.sent === true || outgoingOf(c)?.headersSent === true) return alreadySent()
    return toResponse(problem, requestId, c)
  }
  return {
    render,
    onError: (error, c) => respond(error, c),
    notFound: (c) =>
      respond(new ServerError('not_found', `${c.req.method} ${c.req.path} leads nowhere.`), c),
  }
}

function reasonBehind(error: unknown, exchange: Exchange | undefined): unknown {
  const reason = exchange?.abortReason
  if (!(reason instanceof ServerError) || !(error instanceof Error)) return error
  return error.name === 'AbortError' || error.name === 'TimeoutError' ? reason : error
}

function toResponse(problem: RenderedProblem, requestId: string, c: Context): Response {
  const headers: Record<string, string> = { 'x-request-id': requestId }
  for (let i = 0; i < problem.headers.length; i += 2) {
    headers[problem.headers[i] ?? ''] = problem.headers[i + 1] ?? ''
  }
  return c.body(problem.body, problem.status as ContentfulStatusCode, headers)
}

/** The response that tells @hono/node-server that Node's response is already taken care of. */
export function alreadySent(): Response {
  const response = new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
  // The adapter's own lightweight Response would be written out at once; any look inside turns it into
  // a real one, whose headers the adapter reads first.
  void response.type
  return response
}
