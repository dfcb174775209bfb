import type { Settings } from '../config/settings.ts'
import { migrateDatabase } from '../database/migrate.ts'
import { openDatabaseOf } from '../store.ts'
import type { Shell } from './run.ts'

/** Brings the tables up to date. */
export async function migrate(settings: Settings, { out }: Shell): Promise<number> {
  const database = await openDatabaseOf(settings)
  try {
    const { applied, before, unknown } = await migrateDatabase(database)
    out(`${applied} migrations applied, ${before} were there before.\n`)
    if (unknown > 0) out(`The database is ahead of this release by ${unknown} migrations.\n`)
    return 0
  } finally {
    await database.close()
  }
}
