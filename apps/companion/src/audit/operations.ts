import { z } from '@hono/zod-openapi'
import { ServerError } from '@tidegate/server'
import { pageOf, pageQuery } from '../openapi/cursor.ts'
import { type AnyOperation, operation } from '../openapi/operation.ts'
import { moment, text } from '../openapi/schemas.ts'
import { AuditError } from './errors.ts'
import type { AuditPage, AuditQuery } from './query.ts'
import type { AuditRecord } from './record.ts'

const tag = 'audit'

/** What records are asked for by. */
const recordQuery = pageQuery.extend({
  actor: text(500).min(1).optional().openapi({ description: 'Who did it: the id of a key.' }),
  type: text(500).min(1).optional().openapi({
    description: 'What was done: `api_key.created`, or `api_key.*` for all that begins so.',
  }),
  since: moment().optional().openapi({ description: 'From then on.' }),
  until: moment().optional().openapi({ description: 'Before then.' }),
})

const recordSchema = z
  .object({
    seq: z.number().int().openapi({ description: 'Its place in the chain of all tenants.' }),
    at: z.iso.datetime(),
    type: z.string(),
    actor: z.string(),
    details: z.record(z.string(), z.unknown()),
    ip: z.string().nullable(),
    request_id: z.string().nullable(),
    prev_hash: z.string(),
    hash: z.string(),
  })
  .openapi('AuditRecord')

/** Reading what is on record of the caller's tenant. */
export function auditOperations(audit: {
  query(query: AuditQuery): Promise<AuditPage>
}): readonly AnyOperation[] {
  return [
    operation({
      ...{ method: 'get', path: '/api/v1/audit', id: 'listAuditRecords', tag, scope: 'audit:read' },
      summary: "List what is on record of the tenant's changes and secret reads, the latest first",
      query: recordQuery,
      answer: {
        status: 200,
        description: 'A page of records.',
        schema: pageOf(recordSchema).openapi('AuditPage'),
      },
      handle: async ({ identity, query: { since, until, ...rest } }) => {
        const wanted = { ...rest, since: timeOf(since), until: timeOf(until) }
        const page = await audit.query({ ...wanted, tenant: identity.tenant }).catch(asRefused)
        return { body: { data: page.records.map(shown), next_cursor: page.next ?? null } }
      },
    }),
  ]
}

function shown(record: AuditRecord): z.input<typeof recordSchema> {
  const { seq, at, type, actor, details, ip, requestId, prevHash, hash } = record
  return { seq, at, type, actor, details, ip, request_id: requestId, prev_hash: prevHash, hash }
}

function timeOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time)
}

function asRefused(error: unknown): never {
  if (!(error instanceof AuditError) || error.code !== 'invalid_query') throw error
  throw new ServerError('validation_failed', error.message, {
    facts: { errors: [{ param: 'query', message: error.message }] },
  })
}
