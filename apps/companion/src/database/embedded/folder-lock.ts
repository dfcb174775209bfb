import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rmdir, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseError } from '../errors.ts'
import { livenessOf, ownIdentity, type ProcessIdentity } from './process-identity.ts'

/** A folder that no other process opens until it is released. */
export interface FolderLock {
  /** Whether another process has taken the folder. */
  readonly isLost: boolean
  /** @throws DatabaseError `lock_lost` once another process has taken the folder. */
  check(): void
  release(): Promise<void>
}

interface Owner extends ProcessIdentity {
  readonly token: string
}

interface HeldLock {
  /** Undefined for a file that nobody wrote to its end. */
  readonly owner: Owner | undefined
  readonly heardMsAgo: number
}

/** How often an owner is heard of, and how long it may be silent. */
export interface FolderLockOptions {
  /** Milliseconds between two signs of life. Default 5000. */
  readonly heartbeatMs?: number
  /**
   * Milliseconds of silence after which an owner on another machine, or in another container, is taken
   * for gone. One of this machine is asked after directly. Default 30000.
   */
  readonly silentMs?: number
}

const defaultHeartbeatMs = 5_000
const defaultSilentMs = 30_000
/** A take-over lasts milliseconds: one that is older was cut short. */
const takeoverMs = 10_000
const attempts = 40
const retryMs = 50

function parseOwner(text: string): Owner | undefined {
  try {
    const value = JSON.parse(text) as Partial<Owner>
    const isOwner = typeof value.pid === 'number' && typeof value.token === 'string'
    return isOwner ? (value as Owner) : undefined
  } catch {
    return undefined
  }
}

async function readLock(path: string): Promise<HeldLock | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    return { owner: parseOwner(text), heardMsAgo: Date.now() - mtimeMs }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isStale({ owner, heardMsAgo }: HeldLock, silentMs: number): Promise<boolean> {
  if (owner === undefined) return true
  const liveness = await livenessOf(owner)
  return liveness === 'dead' || (liveness === 'unknown' && heardMsAgo > silentMs)
}

function inUse(directory: string, path: string, held: HeldLock): DatabaseError {
  const { pid, host } = held.owner ?? { pid: '?', host: '?' }
  const seconds = Math.max(0, Math.round(held.heardMsAgo / 1_000))
  return new DatabaseError(
    'database_in_use',
    `The folder ${directory} is in use by process ${pid} on ${host}, last heard of ${seconds} s ago. ` +
      'An embedded database serves one process: stop that one, set DATABASE_URL to share a PostgreSQL server, ' +
      `or, if it is certainly gone, delete ${path}.`,
  )
}

/** Whether the lock is ours now. The file appears with its content: nobody reads half of it. */
async function claim(path: string, draft: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Removes a stale lock, in a section that one process at a time is in. */
async function removeStale(path: string, silentMs: number): Promise<void> {
  const section = `${path}.takeover`
  try {
    await mkdir(section)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const begun = await stat(section).catch(() => undefined)
    const isLeftOver = begun !== undefined && Date.now() - begun.mtimeMs > takeoverMs
    if (isLeftOver) await rmdir(section).catch(() => undefined)
    return
  }
  try {
    const held = await readLock(path)
    if (held !== undefined && (await isStale(held, silentMs))) await unlink(path)
  } finally {
    await rmdir(section)
  }
}

interface Claim {
  readonly directory: string
  readonly path: string
  readonly draft: string
  readonly silentMs: number
}

async function acquire({ directory, path, draft, silentMs }: Claim): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (await claim(path, draft)) return
    const held = await readLock(path)
    if (held === undefined) continue
    if (!(await isStale(held, silentMs))) throw inUse(directory, path, held)
    await removeStale(path, silentMs)
    if (attempt > 0) await pause(retryMs)
  }
  throw new DatabaseError(
    'database_in_use',
    `The folder ${directory} is being taken over by another process; delete ${path}.takeover if that is certainly gone.`,
  )
}

class HeldFolderLock implements FolderLock {
  readonly #path: string
  readonly #token: string
  readonly #timer: NodeJS.Timeout
  #lost = false

  constructor(path: string, token: string, heartbeatMs: number) {
    this.#path = path
    this.#token = token
    this.#timer = setInterval(() => void this.#beat(), heartbeatMs)
    this.#timer.unref()
  }

  get isLost(): boolean {
    return this.#lost
  }

  check(): void {
    if (!this.#lost) return
    throw new DatabaseError(
      'lock_lost',
      `Another process has taken the database's folder (${this.#path}): nothing more is written. Restart this process.`,
    )
  }

  async release(): Promise<void> {
    clearInterval(this.#timer)
    if (await this.#isOurs()) await unlink(this.#path)
  }

  async #isOurs(): Promise<boolean> {
    return (await readLock(this.#path))?.owner?.token === this.#token
  }

  async #beat(): Promise<void> {
    try {
      if (!(await this.#isOurs())) this.#lost = true
      else await utimes(this.#path, new Date(), new Date())
    } catch {
      // A file system in trouble for a moment: the next beat tells.
    }
  }
}

/**
 * Takes `directory` for this process. The lock of a process that has ended is taken over.
 *
 * @throws DatabaseError `database_in_use`.
 */
export async function lockFolder(
  directory: string,
  options: FolderLockOptions = {},
): Promise<FolderLock> {
  const { heartbeatMs = defaultHeartbeatMs, silentMs = defaultSilentMs } = options
  const path = join(directory, 'lock')
  const token = randomUUID()
  const draft = `${path}.${token}`
  const owner: Owner = { ...(await ownIdentity()), token }
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(owner)}\n`)
  } finally {
    await file.close()
  }
  try {
    await acquire({ directory, path, draft, silentMs })
  } finally {
    await unlink(draft)
  }
  return new HeldFolderLock(path, token, heartbeatMs)
}
