import type { Database } from './database.ts'
import { type EmbeddedOptions, openEmbedded } from './embedded/open-embedded.ts'
import { GuardedDatabase } from './guarded-database.ts'
import type { PostgresOptions } from './postgres/pool.ts'
import { createPostgresDriver } from './postgres/postgres-driver.ts'
import type { SlowQueryOptions } from './slow-queries.ts'

/** Where the data are: on a PostgreSQL server, or in a folder of this process's own. */
export type DatabaseLocation =
  | ({ readonly url: string } & PostgresOptions)
  | ({ readonly directory: string } & EmbeddedOptions)

export type DatabaseOptions = DatabaseLocation & SlowQueryOptions

/**
 * Opens the database. An embedded one is locked and, in an empty folder, made first; of a server
 * nothing is asked before the first statement. Tables come from `migrateDatabase`.
 *
 * @throws DatabaseError `invalid_option` for what is no URL of PostgreSQL; `database_in_use` while
 *   another process has the folder; `database_damaged` for a folder that can't be opened.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const driver = 'url' in options ? createPostgresDriver(options) : await openEmbedded(options)
  return new GuardedDatabase(driver, options)
}
