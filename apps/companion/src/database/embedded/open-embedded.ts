import { mkdir } from 'node:fs/promises'
import { type DataFolderOptions, openDataFolder } from './data-folder.ts'
import { EmbeddedDriver } from './embedded-driver.ts'
import { lockFolder } from './folder-lock.ts'
import { type SnapshotOptions, Snapshots } from './snapshots.ts'

/** Where an embedded database keeps its files, and how it looks after them. */
export interface EmbeddedOptions extends DataFolderOptions {
  /** A folder of its own; made when missing. */
  readonly directory: string
  readonly snapshots?: SnapshotOptions
}

/** Locks the folder and opens the database in it. */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDriver> {
  const { directory } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const lock = await lockFolder(directory)
  try {
    const pglite = await openDataFolder(directory, options)
    const snapshots = new Snapshots(pglite, directory, options.snapshots ?? {})
    return new EmbeddedDriver(pglite, lock, snapshots)
  } catch (error) {
    await lock.release()
    throw error
  }
}
