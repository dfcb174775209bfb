import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The content of a file without spaces around it; undefined when there is none. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a text that only this user may read, and that is there after a loss of power. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'w', 0o600)
  try {
    // One that was there keeps its mode when it is opened.
    await file.chmod(0o600)
    await file.writeFile(`${content}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}
