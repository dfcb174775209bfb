import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { Driver } from '../driver.ts'
import { EmbeddedDriver } from './embedded-driver.ts'
import { lockFolder } from './folder-lock.ts'

/** Where an embedded database keeps its files. */
export interface EmbeddedOptions {
  /** A folder of its own; made when missing. */
  readonly directory: string
}

/** Locks the folder and opens the database in it. */
export async function openEmbedded(options: EmbeddedOptions): Promise<Driver> {
  const { directory } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const lock = await lockFolder(directory)
  try {
    const pglite = await PGlite.create(join(directory, 'pgdata'))
    return new EmbeddedDriver(pglite, () => lock.release())
  } catch (error) {
    await lock.release()
    throw error
  }
}
