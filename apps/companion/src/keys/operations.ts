import { z } from '@hono/zod-openapi'
import type { Done } from '../changes.ts'
import type { Settings } from '../config/settings.ts'
import { cutPage, pageOf, pageQuery, readCursor } from '../openapi/cursor.ts'
import { type AnyOperation, operation } from '../openapi/operation.ts'
import type { Workshop } from '../workshop.ts'
import { createKeyKeeper, type KeyKeeper, type MadeKey, unknownKey } from './key-keeper.ts'
import { listKeys, readKey } from './key-rows.ts'
import {
  createKeySchema,
  keySchema,
  newKeySchema,
  rotateKeySchema,
  shownKey,
} from './key-schemas.ts'

const tag = 'keys'
const path = '/api/v1/keys'
const onePath = `${path}/{id}`

const params = z.strictObject({
  id: z
    .string()
    .regex(/^[0-9A-Za-z]{1,64}$/, 'is no id of a key')
    .openapi({ param: { name: 'id', in: 'path' } }),
})

/** Making, listing, rotating and revoking the keys of the caller's tenant. */
export function keyOperations(
  workshop: Workshop,
  settings: Settings['keys'],
): readonly AnyOperation[] {
  const keeper = createKeyKeeper(workshop.apiKeys, settings)
  return [
    creation(workshop, keeper),
    listing(workshop),
    reading(workshop),
    rotation(workshop, keeper),
    revocation(workshop, keeper),
  ]
}

function creation({ change, once }: Workshop, keeper: KeyKeeper): AnyOperation {
  return operation({
    ...{ method: 'post', path, id: 'createKey', tag, scope: 'keys:write' },
    summary: 'Make a key; it is shown this once',
    description: 'Its scopes have to be covered by those of the key that makes it.',
    body: createKeySchema,
    takes: ['idempotency-key'],
    answer: made('The key.'),
    problems: ['too_many_keys'],
    handle: (call) =>
      change(call, (tx) =>
        once(tx, { caller: call, body: call.body }, async () => {
          const { expires_at, ...wish } = call.body
          const expiresAt = timeOf(expires_at)
          return answered(await keeper.create(tx, call.identity, { ...wish, expiresAt }), 'keys/')
        }),
      ),
  })
}

function listing({ database }: Workshop): AnyOperation {
  return operation({
    ...{ method: 'get', path, id: 'listKeys', tag, scope: 'keys:read' },
    summary: "List the tenant's keys, the newest first",
    query: pageQuery,
    answer: {
      status: 200,
      description: 'A page of them.',
      schema: pageOf(keySchema).openapi('KeyPage'),
    },
    handle: async ({ identity, query: { limit, cursor } }) => {
      const after = readCursor(cursor)
      const found = await listKeys(database.orm, identity.tenant, { limit: limit + 1, after })
      const { items, next } = cutPage(found, limit, ({ createdAt: at, id }) => ({ at, id }))
      return { body: { data: items.map(shownKey), next_cursor: next } }
    },
  })
}

function reading({ database }: Workshop): AnyOperation {
  return operation({
    ...{ method: 'get', path: onePath, id: 'getKey', tag, scope: 'keys:read' },
    summary: 'Read what is kept of a key',
    params,
    answer: {
      status: 200,
      description: 'The key, without what makes it one.',
      schema: keySchema,
    },
    problems: ['unknown_key'],
    handle: async ({ identity, params: { id } }) => {
      const record = await readKey(database.orm, identity.tenant, id)
      if (record === undefined) throw unknownKey()
      return { body: shownKey(record) }
    },
  })
}

function rotation({ change, once }: Workshop, keeper: KeyKeeper): AnyOperation {
  return operation({
    ...{ method: 'post', path: `${onePath}/rotate`, id: 'rotateKey', tag, scope: 'keys:write' },
    summary: 'Make a key in the place of another, which goes on for a while',
    params,
    body: rotateKeySchema,
    takes: ['idempotency-key'],
    answer: made('The new key.'),
    problems: ['unknown_key', 'key_not_active'],
    handle: (call) =>
      change(call, (tx) =>
        once(tx, { caller: call, body: call.body }, async () => {
          const { overlap_seconds: overlap, expires_at: expires } = call.body
          const wish = {
            ...(overlap !== undefined && { overlapMs: overlap * 1000 }),
            ...(expires !== undefined && { expiresAt: timeOf(expires) }),
          }
          return answered(await keeper.rotate(tx, call.identity, call.params.id, wish), '../')
        }),
      ),
  })
}

function revocation({ change }: Workshop, keeper: KeyKeeper): AnyOperation {
  return operation({
    ...{ method: 'delete', path: onePath, id: 'revokeKey', tag, scope: 'keys:write' },
    summary: 'Revoke a key, at once and for good',
    params,
    answer: { status: 200, description: 'The key, revoked.', schema: keySchema },
    problems: ['unknown_key'],
    handle: async (call) => {
      const { identity, params: of } = call
      const record = await change(call, (tx) => keeper.revoke(tx, identity, of.id))
      return { body: shownKey(record) }
    },
  })
}

function made(description: string) {
  const headers = { Location: 'Where it is.' }
  return { status: 201, description, schema: newKeySchema, headers }
}

/** `folder` is where keys are, as seen from the address of the request. */
function answered({ result: { key, record }, events }: Done<MadeKey>, folder: string) {
  const headers = { location: `${folder}${record.id}` }
  return { events, result: { body: { ...shownKey(record), key }, headers } }
}

function timeOf(moment: string | null): number | null {
  return moment === null ? null : Date.parse(moment)
}
