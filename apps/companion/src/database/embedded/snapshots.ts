import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { syncPath } from './durable-files.ts'

/** When snapshots of an embedded database are taken, and how many stay. */
export interface SnapshotOptions {
  /** Milliseconds between two; 0 takes none by itself. Default six hours. */
  readonly everyMs?: number
  /** How many of the newest stay. Default 4. */
  readonly keep?: number
  /** Told of one that failed; the next is tried at its time. */
  readonly onFailure?: (error: unknown) => void
}

const defaultEveryMs = 6 * 60 * 60 * 1_000
const defaultKeep = 4
const namePattern = /^\d{8}T\d{9}Z(-\d+)?\.tar\.gz$/

function folderIn(directory: string): string {
  return join(directory, 'snapshots')
}

/** Finished snapshots, oldest first: their names are their times. */
async function finished(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => namePattern.test(name)).sort()
}

/** The path of a folder's newest snapshot. */
export async function newestSnapshot(directory: string): Promise<string | undefined> {
  const folder = folderIn(directory)
  const name = (await finished(folder)).at(-1)
  return name === undefined ? undefined : join(folder, name)
}

/** Takes snapshots of one embedded database: whole copies from which another can begin. */
export class Snapshots {
  readonly #pglite: PGlite
  readonly #folder: string
  readonly #keep: number
  readonly #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(pglite: PGlite, directory: string, options: SnapshotOptions) {
    const { everyMs = defaultEveryMs, keep = defaultKeep, onFailure } = options
    this.#pglite = pglite
    this.#folder = folderIn(directory)
    this.#keep = keep
    if (everyMs === 0) return
    this.#timer = setInterval(() => void this.take().catch((error) => onFailure?.(error)), everyMs)
    this.#timer.unref()
  }

  /** Takes one, after any that is under way, and gives its path. */
  async take(): Promise<string> {
    const taking = this.#running.then(() => this.#take())
    this.#running = taking.catch(() => undefined)
    return await taking
  }

  /** Takes no more, and waits for the one under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  async #take(): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    // Without it a copy would be as right, but longer to open and larger.
    await this.#pglite.query('checkpoint')
    const copy = await this.#pglite.dumpDataDir('gzip')
    const path = join(this.#folder, await this.#nextName())
    await this.#write(path, new Uint8Array(await copy.arrayBuffer()))
    await this.#removeOld()
    return path
  }

  async #nextName(): Promise<string> {
    const stamp = new Date().toISOString().replaceAll(/[-:.]/g, '')
    const taken = (await finished(this.#folder)).filter((name) => name.startsWith(stamp)).length
    return taken === 0 ? `${stamp}.tar.gz` : `${stamp}-${taken}.tar.gz`
  }

  async #write(path: string, content: Uint8Array): Promise<void> {
    const draft = `${path}.part`
    const file = await open(draft, 'w', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
    await syncPath(this.#folder)
  }

  async #removeOld(): Promise<void> {
    const names = await readdir(this.#folder)
    const old = (await finished(this.#folder)).slice(0, -this.#keep)
    // Snapshots are taken one after the other: a part that is left now was cut short.
    const parts = names.filter((name) => name.endsWith('.part'))
    for (const name of [...old, ...parts]) await rm(join(this.#folder, name), { force: true })
  }
}
