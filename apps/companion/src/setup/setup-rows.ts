import { and, desc, eq, lt } from 'drizzle-orm'
import { newestFirst, type Page } from '../database/newest-first.ts'
import type { Queries } from '../database/queries.ts'
import {
  type JsonObject,
  setupConfigurations as table,
  setupConfigurationVersions as versions,
} from '../database/schema.ts'

/** What may be read of a setup configuration without opening anything. */
type PublicPart = {
  readonly settings: JsonObject
  /** The names of its secrets. */
  readonly secrets: readonly string[]
}

/** A setup configuration as it is kept. */
export interface SetupRow {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly provider: string
  readonly open: PublicPart
  readonly sealed: string | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** One that was, or is. */
export interface SetupVersion {
  readonly version: number
  readonly name: string
  readonly provider: string
  readonly open: PublicPart
  readonly changedBy: string
  readonly changedAt: Date
}

const own = (tenant: string, id: string) => and(eq(table.tenant, tenant), eq(table.id, id))

export async function readSetup(
  queries: Queries,
  tenant: string,
  id: string,
): Promise<SetupRow | undefined> {
  const [row] = await queries.select().from(table).where(own(tenant, id)).limit(1)
  return row && rowOf(row)
}

/** The same, which stays as it is until the transaction ends. */
export async function lockSetup(
  tx: Queries,
  tenant: string,
  id: string,
): Promise<SetupRow | undefined> {
  const [row] = await tx.select().from(table).where(own(tenant, id)).limit(1).for('update')
  return row && rowOf(row)
}

/** A tenant's setup configurations, the newest first, behind a position. */
export async function listSetups(
  queries: Queries,
  tenant: string,
  { limit, after }: Page,
): Promise<readonly SetupRow[]> {
  const { behind, order } = newestFirst(table, after)
  const rows = await queries
    .select()
    .from(table)
    .where(and(eq(table.tenant, tenant), behind))
    .orderBy(...order)
    .limit(limit)
  return rows.map(rowOf)
}

/** Every version that there was, the newest first. */
export async function listVersions(
  queries: Queries,
  tenant: string,
  id: string,
  { limit, after }: Page,
): Promise<readonly SetupVersion[]> {
  const of = and(eq(versions.tenant, tenant), eq(versions.configurationId, id))
  const rows = await queries
    .select()
    .from(versions)
    .where(and(of, after && lt(versions.version, after.at)))
    .orderBy(desc(versions.version))
    .limit(limit)
  return rows.map((row) => ({ ...row, open: partOf(row.public) }))
}

/** Writes a new one with its first version. */
export async function insertSetup(tx: Queries, row: SetupRow, actor: string): Promise<void> {
  await tx.insert(table).values(columnsOf(row))
  await insertVersion(tx, row, actor)
}

/** Writes what one has become, and keeps what it was. */
export async function updateSetup(tx: Queries, row: SetupRow, actor: string): Promise<void> {
  const { id, tenant, createdAt, ...changed } = columnsOf(row)
  await tx.update(table).set(changed).where(own(tenant, id))
  await insertVersion(tx, row, actor)
}

/** Drops one with all its versions. */
export async function deleteSetup(tx: Queries, { tenant, id }: SetupRow): Promise<void> {
  await tx.delete(table).where(own(tenant, id))
}

async function insertVersion(tx: Queries, row: SetupRow, actor: string): Promise<void> {
  const { id, createdAt, updatedAt, ...same } = columnsOf(row)
  const change = { configurationId: id, changedBy: actor, changedAt: updatedAt }
  await tx.insert(versions).values({ ...same, ...change })
}

function columnsOf({ open, ...row }: SetupRow): typeof table.$inferInsert {
  return { ...row, public: open }
}

function rowOf({ public: written, ...row }: typeof table.$inferSelect): SetupRow {
  return { ...row, open: partOf(written) }
}

function partOf({ settings, secrets }: JsonObject): PublicPart {
  const names = Array.isArray(secrets) ? secrets.map(String) : []
  const isObject = typeof settings === 'object' && settings !== null && !Array.isArray(settings)
  return { settings: isObject ? (settings as JsonObject) : {}, secrets: names }
}
