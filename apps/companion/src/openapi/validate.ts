import type { z } from '@hono/zod-openapi'
import { ServerError, type StandardSchema } from '@tidegate/server'
import type { Context } from 'hono'

interface Fault {
  readonly param: string
  readonly message: string
}

/** Checks what a path or a query says. @throws ServerError `validation_failed` */
export function checked<S extends z.ZodObject>(
  schema: S,
  values: unknown,
  kind: 'path' | 'query',
): z.output<S> {
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  throw refusal(
    parsed.error.issues.flatMap((issue) =>
      toFaults(issue).map(({ param, message }) => ({
        param,
        message: `The ${kind} parameter "${param}": ${message}`,
      })),
    ),
  )
}

/** Checks a body that was put together from several. @throws ServerError `validation_failed` */
export function checkedBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw refusal(
    parsed.error.issues.flatMap((issue) =>
      toFaults(issue).map(({ param, message }) => ({
        param,
        message: `The field "${param}": ${message}`,
      })),
    ),
  )
}

/** The query as single values. @throws ServerError `validation_failed` when one is there twice. */
export function queryOf(c: Context): Readonly<Record<string, string>> {
  const query = Object.entries(c.req.queries())
  const twice = query.find(([, values]) => values.length > 1)
  if (twice !== undefined) {
    const param = twice[0].slice(0, LONGEST)
    throw refusal([{ param, message: `The query parameter "${param}" is given twice` }])
  }
  return Object.fromEntries(query.map(([name, [value = '']]) => [name, value]))
}

/** The schema in the form that bodies are read by, with each unknown field an issue of its own. */
export function bodySchema(schema: z.ZodType): StandardSchema<unknown, unknown> {
  return {
    '~standard': {
      version: 1,
      vendor: 'tidegate',
      validate: (value) => {
        const parsed = schema.safeParse(value)
        if (parsed.success) return { value: parsed.data }
        return { issues: parsed.error.issues.flatMap(toIssues) }
      },
    },
  }
}

type Issue = z.core.$ZodIssue

function toIssues(issue: Issue): { message: string; path: PropertyKey[] }[] {
  if (issue.code !== 'unrecognized_keys') return [{ message: issue.message, path: issue.path }]
  return issue.keys.map((key) => ({ message: 'is not known', path: [...issue.path, key] }))
}

const LONGEST = 100

function toFaults(issue: Issue): Fault[] {
  return toIssues(issue).map(({ path, message }) => ({
    param: path.map(String).join('.').slice(0, LONGEST),
    message,
  }))
}

function refusal(errors: readonly Fault[]): ServerError {
  const message = `${errors
    .slice(0, 3)
    .map((each) => each.message)
    .join('; ')}.`
  const [first] = errors
  return new ServerError('validation_failed', message, {
    ...(first !== undefined && { param: first.param }),
    facts: { errors: errors.slice(0, 50) },
  })
}
