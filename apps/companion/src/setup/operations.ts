import { z } from '@hono/zod-openapi'
import { hasScope } from '@tidegate/crypto/api-keys'
import { isDuplicate } from '../database/driver-error.ts'
import { cutPage, pageOf, pageQuery, readCursor } from '../openapi/cursor.ts'
import { type AnyOperation, operation } from '../openapi/operation.ts'
import { CompanionError } from '../problems.ts'
import type { Workshop } from '../workshop.ts'
import { etagOf, readIfMatch } from './preconditions.ts'
import { changeSchema, setupSchema } from './providers.ts'
import { createSetupKeeper, type SetupKeeper, unknownSetup } from './setup-keeper.ts'
import { listSetups, listVersions, readSetup, type SetupRow } from './setup-rows.ts'
import { shownSetup, shownSetupSchema, shownVersion, shownVersionSchema } from './setup-schemas.ts'

const tag = 'setup'
const path = '/api/v1/setup-configurations'
const onePath = `${path}/{id}`
const params = z.strictObject({ id: z.uuid().openapi({ param: { name: 'id', in: 'path' } }) })

/** Keeping the setup configurations of the caller's tenant. */
export function setupOperations(workshop: Workshop): readonly AnyOperation[] {
  const keeper = createSetupKeeper(workshop.ring)
  return [
    creation(workshop, keeper),
    listing(workshop),
    reading(workshop, keeper),
    changing(workshop, keeper),
    removal(workshop, keeper),
    history(workshop),
  ]
}

function creation({ change, once }: Workshop, keeper: SetupKeeper): AnyOperation {
  return operation({
    ...{ method: 'post', path, id: 'createSetupConfiguration', tag, scope: 'setup:write' },
    summary: 'Keep a setup configuration; its secrets are sealed',
    body: setupSchema,
    takes: ['idempotency-key'],
    answer: {
      ...one(201, 'It is kept.'),
      headers: { Location: 'Where it is.', ETag: 'Its version.' },
    },
    problems: ['setup_configuration_exists'],
    handle: (call) =>
      change(call, (tx) =>
        once(tx, { caller: call, body: call.body }, async () => {
          const { result: row, events } = await keeper.create(tx, call.identity, call.body)
          const told = answered(row)
          const headers = { ...told.headers, location: `setup-configurations/${row.id}` }
          return { events, result: { ...told, headers } }
        }),
      ).catch(asNameTaken),
  })
}

function listing({ database }: Workshop): AnyOperation {
  return operation({
    ...{ method: 'get', path, id: 'listSetupConfigurations', tag, scope: 'setup:read' },
    summary: "List the tenant's setup configurations, the newest first, secrets masked",
    query: pageQuery,
    answer: {
      status: 200,
      description: 'A page of them.',
      schema: pageOf(shownSetupSchema).openapi('SetupConfigurationPage'),
    },
    handle: async ({ identity, query: { limit, cursor } }) => {
      const after = readCursor(cursor)
      const found = await listSetups(database.orm, identity.tenant, { limit: limit + 1, after })
      const { items, next } = cutPage(found, limit, ({ createdAt, id }) => ({
        ...{ at: createdAt.getTime(), id },
      }))
      return { body: { data: items.map((row) => shownSetup(row)), next_cursor: next } }
    },
  })
}

const decryptQuery = z.strictObject({
  decrypt: z.enum(['true', 'false']).default('true').openapi({
    description: 'false tells masks to those who may see secrets, too.',
  }),
})

function reading({ database, change }: Workshop, keeper: SetupKeeper): AnyOperation {
  return operation({
    ...{ method: 'get', path: onePath, id: 'getSetupConfiguration', tag, scope: 'setup:read' },
    summary: 'Read a setup configuration',
    description: 'Secrets are told to those with the scope `setup:reveal`, which is put on record.',
    ...{ params, query: decryptQuery },
    answer: { ...one(200, 'The configuration.'), headers: { ETag: 'Its version.' } },
    problems: ['unknown_setup_configuration', 'secret_unreadable'],
    handle: async (call) => {
      const { identity, params: of, query } = call
      if (query.decrypt === 'true' && hasScope(identity.scopes, 'setup:reveal')) {
        const { row, secrets } = await change(call, (tx) => keeper.reveal(tx, identity, of.id))
        return { ...answered(row), body: shownSetup(row, secrets) }
      }
      const row = await readSetup(database.orm, identity.tenant, of.id)
      if (row === undefined) throw unknownSetup()
      return answered(row)
    },
  })
}

function changing({ change }: Workshop, keeper: SetupKeeper): AnyOperation {
  return operation({
    ...{ method: 'patch', path: onePath, id: 'changeSetupConfiguration', tag },
    scope: 'setup:write',
    summary: 'Change a setup configuration, which makes a new version',
    ...{ params, body: changeSchema },
    takes: ['if-match'],
    answer: { ...one(200, 'What it is now.'), headers: { ETag: 'The new version.' } },
    problems: ['unknown_setup_configuration', 'setup_configuration_exists', 'secret_unreadable'],
    handle: async (call) => {
      const { c, identity, params: of, body } = call
      const isMeant = readIfMatch(c)
      const work = change(call, (tx) => keeper.change(tx, identity, of.id, isMeant, body))
      return answered(await work.catch(asNameTaken))
    },
  })
}

function removal({ change }: Workshop, keeper: SetupKeeper): AnyOperation {
  return operation({
    ...{ method: 'delete', path: onePath, id: 'deleteSetupConfiguration', tag },
    scope: 'setup:write',
    summary: 'Delete a setup configuration with all its versions',
    params,
    takes: ['if-match'],
    answer: { status: 204, description: 'It is gone.' },
    problems: ['unknown_setup_configuration'],
    handle: async (call) => {
      const { c, identity, params: of } = call
      const isMeant = readIfMatch(c)
      await change(call, (tx) => keeper.remove(tx, identity, of.id, isMeant))
      return { body: undefined }
    },
  })
}

function history({ database }: Workshop): AnyOperation {
  return operation({
    ...{ method: 'get', path: `${onePath}/versions`, id: 'listSetupConfigurationVersions', tag },
    scope: 'setup:read',
    summary: 'List every version that there was, the newest first, secrets masked',
    ...{ params, query: pageQuery },
    answer: {
      status: 200,
      description: 'A page of them.',
      schema: pageOf(shownVersionSchema).openapi('SetupConfigurationVersionPage'),
    },
    problems: ['unknown_setup_configuration'],
    handle: async ({ identity, params: { id }, query: { limit, cursor } }) => {
      const after = readCursor(cursor)
      const page = { limit: limit + 1, after }
      const found = await listVersions(database.orm, identity.tenant, id, page)
      // Each has one at least, so that an empty first page is nobody's.
      if (found.length === 0 && after === undefined) throw unknownSetup()
      const { items, next } = cutPage(found, limit, ({ version }) => ({ at: version, id }))
      return { body: { data: items.map(shownVersion), next_cursor: next } }
    },
  })
}

function one(status: number, description: string) {
  return { status, description, schema: shownSetupSchema }
}

function answered(row: SetupRow) {
  return { body: shownSetup(row), headers: { etag: etagOf(row.version) } }
}

function asNameTaken(error: unknown): never {
  if (!isDuplicate(error, 'setup_configurations_name')) throw error
  const message = 'Your tenant has a setup configuration of this name.'
  throw new CompanionError('setup_configuration_exists', message, { param: 'name' })
}
