import type { OpenAPIHono, z } from '@hono/zod-openapi'
import { ServerError, validateJson } from '@tidegate/server'
import type { Context, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Authenticate } from '../auth/authenticate.ts'
import type { CompanionEnv } from '../env.ts'
import { describeOperation } from './describe.ts'
import type { AnyOperation } from './operation.ts'
import { bodySchema, checked, queryOf } from './validate.ts'

/** How large a body may be: setup configurations are the largest there are. */
const BODY_BYTES = 256 * 1024

/**
 * Serves operations and describes them in the document. One that states a scope can't be reached without it, and
 * what is no method of a path is refused.
 */
export function mountOperations(
  app: OpenAPIHono<CompanionEnv>,
  operations: readonly AnyOperation[],
  authenticate: Authenticate,
): void {
  for (const operation of operations) {
    describeOperation(app.openAPIRegistry, operation)
    const path = routePathOf(operation.path)
    app.on(
      operation.method.toUpperCase(),
      path,
      named(operation.path),
      ...gatesOf(operation, authenticate),
      (c) => serve(c, operation),
    )
  }
  for (const [path, those] of Map.groupBy(operations, (each) => each.path)) {
    const methods = those.map(({ method }) => method.toUpperCase())
    const allow = (methods.includes('GET') ? [...methods, 'HEAD'] : methods).join(', ')
    app.all(routePathOf(path), named(path), () => {
      throw new ServerError('method_not_allowed', 'This path has no such method.', {
        facts: { allow },
      })
    })
  }
}

/** `/keys/{id}` → `/keys/:id` */
function routePathOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}

function named(path: string): MiddlewareHandler<CompanionEnv> {
  return (c, next) => {
    c.get('exchange').route = path
    return next()
  }
}

function gatesOf(
  { scope, body }: AnyOperation,
  authenticate: Authenticate,
): readonly MiddlewareHandler<CompanionEnv>[] {
  return [
    ...(scope === undefined ? [] : [authenticate(scope)]),
    ...(body === undefined ? [] : [readBody(body)]),
  ]
}

function readBody(schema: z.ZodType): MiddlewareHandler<CompanionEnv> {
  const read = validateJson(bodySchema(schema), { maxBytes: BODY_BYTES })
  // Its types are of an app that knows its body at the route.
  return read as unknown as MiddlewareHandler<CompanionEnv>
}

async function serve(c: Context<CompanionEnv>, operation: AnyOperation): Promise<Response> {
  const { params, query, body, answer } = operation
  const asked = queryOf(c)
  const {
    body: result,
    status = answer.status,
    headers = {},
  } = await operation.handle({
    c,
    identity: c.get('identity'),
    params: params === undefined ? {} : checked(params, c.req.param(), 'path'),
    query: query === undefined ? {} : checked(query, asked, 'query'),
    body: body === undefined ? undefined : bodyOf(c),
  })
  const told = { 'cache-control': 'no-store', ...headers }
  if (result === undefined) return c.body(null, 204, told)
  if (typeof result === 'string') {
    const contentType = answer.contentType ?? 'text/plain; charset=utf-8'
    const typed = { 'content-type': contentType, ...told }
    return c.body(result, status as ContentfulStatusCode, typed)
  }
  return c.json(result, status as ContentfulStatusCode, told)
}

/** What `validateJson` has left. */
function bodyOf(c: Context): unknown {
  const { valid } = c.req as unknown as { valid(target: 'json'): unknown }
  return valid.call(c.req, 'json')
}
