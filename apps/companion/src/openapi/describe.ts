import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { ServerErrorCode } from '@tidegate/server'
import type { CompanionEnv } from '../env.ts'
import { type CompanionErrorCode, problems } from '../problems.ts'
import type { AnyOperation } from './operation.ts'
import { problemSchema } from './schemas.ts'

type Registry = OpenAPIHono<CompanionEnv>['openAPIRegistry']
type Code = CompanionErrorCode | ServerErrorCode

/** Adds an operation to the document. */
export function describeOperation(registry: Registry, operation: AnyOperation): void {
  const { method, path, id, tag, summary, description, scope, params, query, body } = operation
  registry.registerPath({
    ...{ method, path, operationId: id, tags: [tag], summary },
    ...(description !== undefined && { description }),
    ...(scope === undefined
      ? { security: [] }
      : { security: [{ bearer: [] }, { apiKey: [] }], 'x-required-scope': scope }),
    request: {
      ...(params !== undefined && { params }),
      ...(query !== undefined && { query }),
      ...headersOf(operation),
      ...(body !== undefined && {
        body: { required: true, content: { 'application/json': { schema: body } } },
      }),
    },
    responses: { ...successOf(operation), ...refusalsOf(operation) },
  })
}

function headersOf({ takes = [] }: AnyOperation) {
  if (takes.length === 0) return {}
  const shape = {
    ...(takes.includes('idempotency-key') && {
      'Idempotency-Key': z.string().min(1).max(255).optional().openapi({
        description: 'Repeated with the same key, the request is carried out once.',
      }),
    }),
    ...(takes.includes('if-match') && {
      'If-Match': z.string().openapi({
        description: 'The ETag of the version that the change is meant for.',
        example: '"1"',
      }),
    }),
  }
  return { headers: z.object(shape) }
}

function successOf({ answer, alsoAnswers = {} }: AnyOperation) {
  const { status, description, schema, headers = {}, contentType = 'application/json' } = answer
  const content = schema === undefined ? {} : { content: { [contentType]: { schema } } }
  const told = {
    headers: Object.fromEntries(
      Object.entries({ 'X-Request-Id': "This request's id.", ...headers }).map(([name, says]) => [
        name,
        { description: says, schema: { type: 'string' as const } },
      ]),
    ),
  }
  const others = Object.entries(alsoAnswers).map(([code, says]) => [
    code,
    { description: says, ...content, ...told },
  ])
  return { [status]: { description, ...content, ...told }, ...Object.fromEntries(others) }
}

function refusalsOf(operation: AnyOperation) {
  const byStatus = Map.groupBy(codesOf(operation), (code) => problems[code].status)
  return Object.fromEntries(
    [...byStatus]
      .sort(([one], [other]) => one - other)
      .map(([status, codes]) => [
        status,
        {
          description: codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join(' '),
          content: { 'application/json': { schema: problemSchema } },
        },
      ]),
  )
}

function codesOf(operation: AnyOperation): ReadonlySet<Code> {
  const { scope, params, query, body, takes = [] } = operation
  return new Set<Code>([
    ...((params ?? query) === undefined ? [] : (['validation_failed'] as const)),
    ...(body === undefined ? [] : BODY_FAULTS),
    ...(takes.includes('idempotency-key') ? IDEMPOTENCY_FAULTS : []),
    ...(takes.includes('if-match') ? (['precondition_required', 'version_conflict'] as const) : []),
    ...(scope === undefined ? [] : SCOPE_FAULTS),
    ...(operation.problems ?? []),
    ...ALWAYS,
  ])
}

const BODY_FAULTS = [
  ...(['invalid_json', 'missing_field', 'validation_failed'] as const),
  ...(['unsupported_media_type', 'payload_too_large'] as const),
] as const
const IDEMPOTENCY_FAULTS = ['idempotency_key_invalid', 'idempotency_key_reused'] as const
const SCOPE_FAULTS = ['missing_api_key', 'invalid_api_key', 'insufficient_scope'] as const
const ALWAYS = ['internal_error', 'deadline_exceeded'] as const
