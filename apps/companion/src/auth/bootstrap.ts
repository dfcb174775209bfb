import { join } from 'node:path'
import { and, eq, isNull } from 'drizzle-orm'
import type { AuditTrail } from '../audit/trail.ts'
import type { Settings } from '../config/settings.ts'
import type { Queries } from '../database/queries.ts'
import { apiKeys as apiKeysTable, tenants } from '../database/schema.ts'
import { type MadeKey, makeKey } from '../keys/key-keeper.ts'
import { findKey } from '../keys/key-rows.ts'
import { readPrivateFile, writePrivateFile } from '../private-file.ts'
import type { Store } from '../store.ts'
import { DEFAULT_TENANT } from './authenticate.ts'

type Audit = Pick<AuditTrail<Queries>, 'appendAll'>

/** What the first key came to. */
export interface FirstKey {
  /** Where the key is that only this machine has; undefined when somebody else has one. */
  readonly file: string | undefined
  /** What the operator should do, if anything. */
  readonly advice: string | undefined
}

/**
 * Sees to it that somebody can get in: while developing, the first admin key is made and kept in a file of its own,
 * which only this user may read. Elsewhere the operator makes it.
 */
export async function bootstrapAdmin(
  settings: Settings,
  store: Store,
  audit: Audit,
): Promise<FirstKey> {
  if (settings.adminKey !== undefined) return { file: undefined, advice: undefined }
  const file = join(settings.directory, 'admin-key')
  const developing = settings.profile === 'development' || settings.profile === 'test'
  if (developing && (await isGood(file, store))) return { file, advice: undefined }
  if (await hasAdmin(store)) return { file: undefined, advice: undefined }
  if (!developing) return { file: undefined, advice: ADVICE }
  const { key } = await makeAdminKey(store, audit, { tenant: DEFAULT_TENANT, name: 'first-admin' })
  await writePrivateFile(file, key)
  return { file, advice: undefined }
}

const ADVICE =
  'there is no admin key yet: make one with "tidegate-companion keys create --admin", or set ADMIN_KEY'

/** Makes a key that may do everything in its tenant, which is made if need be. */
export async function makeAdminKey(
  { database, apiKeys }: Store,
  audit: Audit,
  { tenant, name }: { readonly tenant: string; readonly name: string },
): Promise<MadeKey> {
  return await database.transaction(async (tx) => {
    const row = { id: tenant, name: tenant, createdAt: new Date() }
    const made = await tx
      .insert(tenants)
      .values(row)
      .onConflictDoNothing()
      .returning({ id: tenants.id })
    const wish = {
      tenant,
      name,
      kind: 'admin',
      scopes: ['*'],
      tier: null,
      expiresAt: null,
    } as const
    const { result, events } = await makeKey(tx, apiKeys, wish)
    const created = made.map(() => ({ type: 'tenant.created', details: { name: tenant } }))
    // Whoever has the command line is the operator: there is no key that could be named.
    const all = [...created, ...events].map((event) => ({ tenant, actor: 'operator', ...event }))
    await audit.appendAll(all, tx)
    return result
  })
}

async function isGood(file: string, { database, apiKeys }: Store): Promise<boolean> {
  const key = await readPrivateFile(file)
  if (key === undefined) return false
  const parsed = apiKeys.parse(key)
  return parsed.ok && apiKeys.verify(key, await findKey(database.orm, parsed.id)).ok
}

async function hasAdmin({ database }: Store): Promise<boolean> {
  const wanted = and(
    eq(apiKeysTable.tenant, DEFAULT_TENANT),
    eq(apiKeysTable.kind, 'admin'),
    isNull(apiKeysTable.revokedAt),
  )
  const query = database.orm.select({ id: apiKeysTable.id }).from(apiKeysTable)
  return (await query.where(wanted).limit(1)).length > 0
}
