import { access, chmod, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { DatabaseError } from '../errors.ts'
import { syncPath, syncTree } from './durable-files.ts'
import { newestSnapshot } from './snapshots.ts'

/** How a folder's database is found or made. */
export interface DataFolderOptions {
  /** A snapshot's file from which the database begins, in an empty folder or in place of a damaged one. */
  readonly restoreFrom?: string
  /** Told, in a sentence, of what an operator should know: a half-made database put aside. */
  readonly onNotice?: (sentence: string) => void
}

interface Paths {
  readonly directory: string
  readonly data: string
  readonly making: string
  /** There once a database was whole: without it, what is broken was never more than half made. */
  readonly created: string
}

function pathsIn(directory: string): Paths {
  return {
    directory,
    data: join(directory, 'pgdata'),
    making: join(directory, 'pgdata.making'),
    created: join(directory, 'created.json'),
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

async function isWhole(data: string): Promise<boolean> {
  const needed = ['PG_VERSION', 'global/pg_control', 'base', 'pg_wal']
  const found = await Promise.all(needed.map((name) => exists(join(data, name))))
  return found.every(Boolean)
}

async function damaged(paths: Paths, what: string, cause?: unknown): Promise<DatabaseError> {
  const snapshot = await newestSnapshot(paths.directory)
  const remedy =
    snapshot === undefined
      ? 'There is no snapshot of it. Restore the folder from a backup, or move it away to begin anew.'
      : `Restore its newest snapshot, ${snapshot}.`
  return new DatabaseError('database_damaged', `${what} ${remedy}`, {}, { cause })
}

async function putAside({ directory, data }: Paths, options: DataFolderOptions): Promise<void> {
  const stamp = new Date().toISOString().replaceAll(':', '')
  const aside = join(directory, `quarantine-${stamp}`)
  await rename(data, aside)
  await syncPath(directory)
  options.onNotice?.(`What was in ${data} is no whole database: it was put aside as ${aside}.`)
}

async function loadSnapshot(path: string | undefined): Promise<{ loadDataDir?: Blob }> {
  if (path === undefined) return {}
  return { loadDataDir: new Blob([await readFile(path)]) }
}

/** Makes the database under another name: whoever dies on the way leaves nothing that looks whole. */
async function make(paths: Paths, options: DataFolderOptions): Promise<void> {
  const source = await loadSnapshot(options.restoreFrom)
  const pglite = await PGlite.create({ dataDir: paths.making, ...source })
  await pglite.close()
  await chmod(paths.making, 0o700)
  await syncTree(paths.making)
  await rename(paths.making, paths.data)
  await syncPath(paths.directory)
}

async function noteCreated(paths: Paths): Promise<void> {
  const draft = `${paths.created}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ format: 1, createdAt: new Date().toISOString() })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, paths.created)
  await syncPath(paths.directory)
}

async function prepare(paths: Paths, options: DataFolderOptions): Promise<void> {
  await rm(paths.making, { recursive: true, force: true })
  const [found, whole] = await Promise.all([exists(paths.data), isWhole(paths.data)])
  if (whole && options.restoreFrom !== undefined) {
    throw new DatabaseError(
      'invalid_option',
      `The folder ${paths.directory} holds a database already: a snapshot is restored into an empty folder, or in place of a damaged database.`,
    )
  }
  if (whole) return
  if (options.restoreFrom === undefined && (await exists(paths.created))) {
    throw await damaged(paths, `The database in ${paths.data} is missing, or parts of it are.`)
  }
  if (found) await putAside(paths, options)
  await make(paths, options)
}

async function openPrepared(paths: Paths): Promise<PGlite> {
  try {
    return await PGlite.create(paths.data)
  } catch (cause) {
    throw await damaged(paths, `The database in ${paths.data} can't be opened.`, cause)
  }
}

/**
 * Opens the database of a folder that is locked already, making it first in an empty one.
 *
 * @throws DatabaseError `database_damaged` when there was a database that can't be opened: it is
 *   never replaced by an empty one.
 */
export async function openDataFolder(
  directory: string,
  options: DataFolderOptions,
): Promise<PGlite> {
  const paths = pathsIn(directory)
  await prepare(paths, options)
  const pglite = await openPrepared(paths)
  if (!(await exists(paths.created))) await noteCreated(paths)
  return pglite
}
