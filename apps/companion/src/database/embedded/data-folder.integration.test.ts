import { cp, mkdir, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TemporaryFolder, temporaryFolder } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../database.ts'
import { isDatabaseError } from '../errors.ts'
import { migrateDatabase } from '../migrate.ts'
import { type DatabaseLocation, openDatabase } from '../open.ts'
import { tenants } from '../schema.ts'
import { verifyDatabase } from '../verify.ts'

const row = { id: 'one', name: 'One', createdAt: new Date(0) }

async function codeOf(opening: Promise<Database>): Promise<string> {
  return await opening.then(
    async (database) => {
      await database.close()
      return 'opened'
    },
    (error: unknown) => (isDatabaseError(error) ? error.code : String(error)),
  )
}

async function rowsIn(location: DatabaseLocation): Promise<unknown[]> {
  const database = await openDatabase(location)
  try {
    return await database.orm.select().from(tenants)
  } finally {
    await database.close()
  }
}

describe('the folder of an embedded database', () => {
  let made: TemporaryFolder
  let snapshot: string

  beforeAll(async () => {
    made = await temporaryFolder('made')
    const database = await openDatabase({ directory: made.path, snapshots: { keep: 2 } })
    await migrateDatabase(database)
    await database.orm.insert(tenants).values(row)
    const taken = [await database.snapshot?.(), await database.snapshot?.()]
    taken.push(await database.snapshot?.())
    snapshot = taken[2] ?? ''
    await database.close()
  })
  afterAll(async () => await made[Symbol.asyncDispose]())

  /** A copy of that folder, to be broken. */
  async function copy(): Promise<TemporaryFolder> {
    const folder = await temporaryFolder('copy')
    await cp(made.path, folder.path, { recursive: true })
    return folder
  }

  it('is readable by its owner alone, and holds nothing half done', async () => {
    expect((await readdir(made.path)).sort()).toEqual(['created.json', 'pgdata', 'snapshots'])
    expect((await stat(join(made.path, 'pgdata'))).mode & 0o777).toBe(0o700)
    expect((await stat(snapshot)).mode & 0o777).toBe(0o600)
  })

  it('keeps the newest snapshots', async () => {
    const names = (await readdir(join(made.path, 'snapshots'))).sort()
    expect(names).toHaveLength(2)
    expect(snapshot.endsWith(names[1] ?? '?')).toBe(true)
  })

  it('begins a database from a snapshot', async () => {
    await using folder = await temporaryFolder('restored')
    const directory = join(folder.path, 'deeper', 'still')
    expect(await rowsIn({ directory, restoreFrom: snapshot })).toEqual([row])
    expect(await rowsIn({ directory })).toEqual([row])
    expect(await codeOf(openDatabase({ directory, restoreFrom: snapshot }))).toBe('invalid_option')
  })

  it('puts aside what was never whole, and says so', async () => {
    await using folder = await temporaryFolder('half')
    await mkdir(join(folder.path, 'pgdata'))
    await writeFile(join(folder.path, 'pgdata', 'PG_VERSION'), '18\n')
    const notices: string[] = []
    const onNotice = (sentence: string) => notices.push(sentence)
    expect(await codeOf(openDatabase({ directory: folder.path, onNotice }))).toBe('opened')
    const aside = (await readdir(folder.path)).find((name) => name.startsWith('quarantine-'))
    expect(await readdir(join(folder.path, aside ?? ''))).toEqual(['PG_VERSION'])
    expect(notices).toEqual([expect.stringContaining(aside ?? 'none')])
  })

  it.each(['pgdata', 'pgdata/PG_VERSION', 'pgdata/global/pg_control'])(
    'never replaces a database that lost %s by an empty one, and names its snapshot',
    async (lost) => {
      await using folder = await copy()
      const directory = folder.path
      await rm(join(directory, lost), { recursive: true })
      const error = await openDatabase({ directory }).catch((thrown: unknown) => thrown)
      expect(isDatabaseError(error, 'database_damaged') && error.message).toContain('snapshots')
      expect((await readdir(directory)).sort()).not.toContain('lock')
      expect(await rowsIn({ directory, restoreFrom: snapshot })).toEqual([row])
    },
  )

  it('says that a database is damaged when it does not open', async () => {
    await using folder = await copy()
    await truncate(join(folder.path, 'pgdata', 'global', 'pg_control'), 100)
    expect(await codeOf(openDatabase({ directory: folder.path }))).toBe('database_damaged')
    expect(await readdir(folder.path)).not.toContain('lock')
  })

  it('removes what a death left while the database was made', async () => {
    await using folder = await copy()
    await mkdir(join(folder.path, 'pgdata.making'))
    expect(await rowsIn({ directory: folder.path })).toEqual([row])
    expect(await readdir(folder.path)).not.toContain('pgdata.making')
  })

  it('takes snapshots while others write, each of them whole', async () => {
    await using folder = await copy()
    const database = await openDatabase({ directory: folder.path })
    const write = async (number: number) =>
      await database.transaction(async (tx) => {
        await tx.insert(tenants).values({ ...row, id: `w${number}` })
      })
    const writes = Array.from({ length: 50 }, (_, number) => write(number))
    const [taken] = await Promise.all([database.snapshot?.(), ...writes])
    await database.close()
    await using other = await temporaryFolder('restored')
    const restored = await openDatabase({ directory: other.path, restoreFrom: taken ?? '' })
    expect((await verifyDatabase(restored)).ok).toBe(true)
    expect(await restored.orm.select().from(tenants)).toContainEqual(row)
    await restored.close()
  })
})
