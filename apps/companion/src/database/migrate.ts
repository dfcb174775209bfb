import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { Database } from './database.ts'
import { DatabaseError } from './errors.ts'
import type { Queries } from './queries.ts'

/** What a migration found and did. */
export interface MigrationReport {
  /** How many were applied just now. */
  readonly applied: number
  /** How many had been applied before. */
  readonly before: number
  /** How many the database has that this release doesn't know: those of a newer one. */
  readonly unknown: number
}

interface AppliedMigration {
  readonly hash: string
}

// Any number that no other program of this database uses: two companions that start at once wait.
const lockNumber = 7_305_021_448
// Beside this file, and beside the built one too.
const folder = fileURLToPath(new URL('./migrations', import.meta.url))
/** Ten minutes, the wait for another process's included. */
const timeoutMs = 10 * 60_000
const table = sql.raw('drizzle.__drizzle_migrations')

/** The hashes of the migrations applied so far, oldest first; undefined when there never was one. */
export async function appliedMigrations(queries: Queries): Promise<readonly string[] | undefined> {
  const named = sql`select to_regclass('drizzle.__drizzle_migrations')::text as name`
  const [found] = (await queries.execute<{ name: string | null }>(named)).rows
  if (found?.name == null) return undefined
  const query = sql`select hash from ${table} order by created_at, id`
  return (await queries.execute<AppliedMigration & Record<string, unknown>>(query)).rows.map(
    ({ hash }) => hash,
  )
}

/** The migrations of this release, oldest first. */
export function knownMigrations(): ReturnType<typeof readMigrationFiles> {
  return readMigrationFiles({ migrationsFolder: folder })
}

async function prepare(tx: Queries): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${lockNumber}::bigint)`)
  await tx.execute(sql`create schema if not exists drizzle`)
  await tx.execute(
    sql`create table if not exists ${table} (id serial primary key, hash text not null, created_at bigint)`,
  )
}

function refuseAnotherHistory(applied: readonly string[], known: readonly string[]): void {
  const differs = applied.findIndex((hash, index) => index < known.length && hash !== known[index])
  if (differs < 0) return
  throw new DatabaseError(
    'migrations_differ',
    `Migration ${differs + 1} of the database is not the one of this release: it belongs to another application or to an altered release. Nothing was changed.`,
  )
}

/**
 * Applies the migrations that the database lacks, all or none; those of two processes that start at
 * once follow each other. A database that is ahead of this release is left as it is.
 *
 * @throws DatabaseError `migrations_differ` when its history is another one.
 */
export async function migrateDatabase(database: Database): Promise<MigrationReport> {
  return await database.transaction(migrateIn, { timeoutMs })
}

async function migrateIn(tx: Queries): Promise<MigrationReport> {
  const known = knownMigrations()
  await prepare(tx)
  const applied = (await appliedMigrations(tx)) ?? []
  const hashes = known.map(({ hash }) => hash)
  refuseAnotherHistory(applied, hashes)
  const missing = known.slice(applied.length)
  for (const migration of missing) {
    for (const text of migration.sql) await tx.execute(sql.raw(text))
    const { hash, folderMillis } = migration
    await tx.execute(sql`insert into ${table} (hash, created_at) values (${hash}, ${folderMillis})`)
  }
  const unknown = Math.max(0, applied.length - known.length)
  return { applied: missing.length, before: applied.length, unknown }
}
