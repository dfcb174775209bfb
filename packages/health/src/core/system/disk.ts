import { readdir, statfs } from 'node:fs/promises'

/** A disk, in bytes. */
export interface DiskSpace {
  /** What an ordinary user may still write. */
  readonly free_bytes: number
  readonly size_bytes: number
}

/** Reads how full the disk is on which a path lies. */
export async function readDiskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path)
  return { free_bytes: bavail * bsize, size_bytes: blocks * bsize }
}

/** Counts this process's open files, sockets among them. Rejects where the system doesn't list them. */
export async function countOpenFiles(): Promise<number> {
  const open = await readdir('/proc/self/fd')
  // One of them is the list itself.
  return open.length - 1
}
