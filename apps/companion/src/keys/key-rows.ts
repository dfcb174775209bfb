import { and, count, eq, inArray, isNull, lt, or } from 'drizzle-orm'
import { KEY_KINDS, type KeyKind, type KeyRecord } from '../auth/key-record.ts'
import { newestFirst, type Page } from '../database/newest-first.ts'
import type { Queries } from '../database/queries.ts'
import { apiKeys } from '../database/schema.ts'

type Row = typeof apiKeys.$inferSelect

/** The record of a key, whoever's it is: for finding out who is calling. */
export async function findKey(queries: Queries, id: string): Promise<KeyRecord | undefined> {
  const [row] = await queries.select().from(apiKeys).where(eq(apiKeys.id, id)).limit(1)
  return row && recordOf(row)
}

/** A tenant's key, which stays as it is until the transaction ends. */
export async function lockKey(
  tx: Queries,
  tenant: string,
  id: string,
): Promise<KeyRecord | undefined> {
  const wanted = and(eq(apiKeys.tenant, tenant), eq(apiKeys.id, id))
  const [row] = await tx.select().from(apiKeys).where(wanted).limit(1).for('update')
  return row && recordOf(row)
}

/** A tenant's key. */
export async function readKey(
  queries: Queries,
  tenant: string,
  id: string,
): Promise<KeyRecord | undefined> {
  const wanted = and(eq(apiKeys.tenant, tenant), eq(apiKeys.id, id))
  const [row] = await queries.select().from(apiKeys).where(wanted).limit(1)
  return row && recordOf(row)
}

/** A tenant's keys, the newest first, behind a position. */
export async function listKeys(
  queries: Queries,
  tenant: string,
  { limit, after }: Page,
): Promise<readonly KeyRecord[]> {
  const { behind, order } = newestFirst(apiKeys, after)
  const rows = await queries
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.tenant, tenant), behind))
    .orderBy(...order)
    .limit(limit)
  return rows.map(recordOf)
}

/** How many keys a tenant has that nobody has revoked. */
export async function countKeys(queries: Queries, tenant: string): Promise<number> {
  const wanted = and(eq(apiKeys.tenant, tenant), isNull(apiKeys.revokedAt))
  const [row] = await queries.select({ keys: count() }).from(apiKeys).where(wanted)
  return Number(row?.keys ?? 0)
}

export async function insertKey(tx: Queries, record: KeyRecord): Promise<void> {
  await tx.insert(apiKeys).values({
    ...{ id: record.id, tenant: record.tenant, name: record.name, kind: record.kind },
    ...{ digest: record.digest, pepperId: pepperOf(record.digest), scopes: [...record.scopes] },
    tier: record.tier ?? null,
    createdAt: new Date(record.createdAt),
    expiresAt: dateOf(record.expiresAt),
    revokedAt: dateOf(record.revokedAt),
    overlapUntil: dateOf(record.overlapUntil),
    replacedBy: record.replacedBy ?? null,
    lastUsedAt: dateOf(record.lastUsedAt),
  })
}

/** Writes what rotating and revoking change. */
export async function updateKey(tx: Queries, record: KeyRecord): Promise<void> {
  await tx
    .update(apiKeys)
    .set({
      revokedAt: dateOf(record.revokedAt),
      overlapUntil: dateOf(record.overlapUntil),
      replacedBy: record.replacedBy ?? null,
    })
    .where(and(eq(apiKeys.tenant, record.tenant), eq(apiKeys.id, record.id)))
}

/** Notes that keys were used at a time, unless a later one is noted. */
export async function stampKeys(
  queries: Queries,
  ids: ReadonlySet<string>,
  at: number,
): Promise<void> {
  const { id, lastUsedAt } = apiKeys
  const used = new Date(at)
  const isEarlier = or(isNull(lastUsedAt), lt(lastUsedAt, used))
  await queries
    .update(apiKeys)
    .set({ lastUsedAt: used })
    .where(and(inArray(id, [...ids]), isEarlier))
}

/** Writes the digest under the pepper in use, unless somebody has changed it meanwhile. */
export async function renewDigest(
  queries: Queries,
  { id, digest }: KeyRecord,
  newDigest: string,
): Promise<void> {
  await queries
    .update(apiKeys)
    .set({ digest: newDigest, pepperId: pepperOf(newDigest) })
    .where(and(eq(apiKeys.id, id), eq(apiKeys.digest, digest)))
}

function recordOf(row: Row): KeyRecord {
  return {
    ...{ id: row.id, tenant: row.tenant, name: row.name, kind: kindOf(row.kind) },
    ...{ digest: row.digest, scopes: row.scopes, tier: row.tier },
    createdAt: row.createdAt.getTime(),
    expiresAt: timeOf(row.expiresAt),
    revokedAt: timeOf(row.revokedAt),
    overlapUntil: timeOf(row.overlapUntil),
    replacedBy: row.replacedBy,
    lastUsedAt: timeOf(row.lastUsedAt),
  }
}

function kindOf(written: string): KeyKind {
  return KEY_KINDS.find((kind) => kind === written) ?? 'client'
}

function timeOf(date: Date | null): number | null {
  return date === null ? null : date.getTime()
}

function dateOf(time: number | null | undefined): Date | null {
  return time === null || time === undefined ? null : new Date(time)
}

/** A digest begins with its pepper's name and a full stop. */
function pepperOf(digest: string): string {
  return digest.slice(0, digest.indexOf('.'))
}
