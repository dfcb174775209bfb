import type { MiddlewareHandler } from 'hono'
import { requestHeader } from '../exchange/connection.ts'
import { type FieldError, formatPath, validationError } from './field-errors.ts'
import { bodyLimit } from './limit.ts'
import { faultOfJsonType } from './media-type.ts'
import { parseJson } from './parse-json.ts'
import type { SchemaIssue, StandardSchema } from './standard-schema.ts'

/** How a JSON body is read. */
export interface ValidateJsonOptions {
  /** The largest body in bytes. Default 1 MiB (1 048 576). */
  readonly maxBytes?: number
}

/** What {@link validateJson} adds to a route's types, so that `c.req.valid('json')` is typed. */
export interface ValidatedJson<Input, Output> {
  in: { json: Input }
  out: { json: Output }
}

/**
 * Reads and checks a JSON body; the handler gets it, typed, from `c.req.valid('json')`. Content type,
 * size, syntax and schema are checked in that order, each with an error of its own that names the
 * field. Works with any Standard Schema (zod, valibot, arktype…).
 *
 * @throws ServerError `unsupported_media_type`, `payload_too_large`, `invalid_json`, `missing_field`
 * or `validation_failed`
 */
export function validateJson<Input, Output>(
  schema: StandardSchema<Input, Output>,
  { maxBytes = 1_048_576 }: ValidateJsonOptions = {},
): MiddlewareHandler<Record<never, never>, string, ValidatedJson<Input, Output>> {
  const limit = bodyLimit({ maxBytes })
  return (c, next) => {
    const fault = faultOfJsonType(requestHeader(c, 'content-type'))
    if (fault !== undefined) throw fault
    return limit(c, async () => {
      const parsed = parseJson(new Uint8Array(await c.req.arrayBuffer()))
      if (!parsed.ok) throw parsed.error
      const result = await schema['~standard'].validate(parsed.value)
      if (result.issues !== undefined) {
        throw validationError(result.issues.map((issue) => toFieldError(issue, parsed.value)))
      }
      c.req.addValidatedData('json', result.value as object)
      await next()
    })
  }
}

function toFieldError({ message, path = [] }: SchemaIssue, body: unknown): FieldError {
  const steps = path.map((step) => {
    const key = typeof step === 'object' ? step.key : step
    return typeof key === 'number' ? key : String(key)
  })
  const param = formatPath(steps)
  const missing = steps.length > 0 && valueAt(body, steps) === undefined
  if (missing) return { param, message: `The field "${param}" is missing`, missing }
  return { param, message: param === '' ? message : `The field "${param}": ${message}`, missing }
}

/** The value at a path of own properties; `undefined` when it leads nowhere. */
export function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}
