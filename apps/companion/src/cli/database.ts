import type { Settings } from '../config/settings.ts'
import { migrateDatabase } from '../database/migrate.ts'
import { verifyDatabase } from '../database/verify.ts'
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

/** Copies an embedded database to a file. */
export async function snapshot(settings: Settings, { out, err }: Shell): Promise<number> {
  const database = await openDatabaseOf(settings)
  try {
    const file = await database.snapshot?.()
    if (file === undefined) {
      err('Only an embedded database is copied so: for a PostgreSQL server there is pg_dump.\n')
      return 1
    }
    out(`${file}\n`)
    return 0
  } finally {
    await database.close()
  }
}

/** Makes an embedded database of a copy. One that is whole is left as it is. */
export async function restore(
  settings: Settings,
  { file }: { readonly file: string },
  shell: Shell,
): Promise<number> {
  if (settings.database.url !== undefined) {
    shell.err('Only an embedded database is restored so: for a PostgreSQL server there is psql.\n')
    return 1
  }
  const database = await openDatabaseOf(settings, { restoreFrom: file })
  await database.close()
  return await verify(settings, shell)
}

/** Says whether the database is as this release expects it, and changes nothing. */
export async function verify(settings: Settings, { out }: Shell): Promise<number> {
  const database = await openDatabaseOf(settings)
  try {
    const { ok, kind, server, tables, problems } = await verifyDatabase(database)
    out(`${kind === 'embedded' ? 'Embedded PostgreSQL' : 'PostgreSQL'} ${server}\n`)
    for (const { name, rows } of tables) out(`  ${name}: ${rows ?? 'missing'}\n`)
    for (const problem of problems) out(`${problem}\n`)
    out(ok ? 'The database is as it should be.\n' : 'The database is not as it should be.\n')
    return ok ? 0 : 1
  } finally {
    await database.close()
  }
}
