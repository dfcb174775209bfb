import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pollUntil, temporaryFolder } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { isDatabaseError } from '../errors.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { ownIdentity } from './process-identity.ts'

async function codeOf(locking: Promise<FolderLock>): Promise<string> {
  return await locking.then(
    async (lock) => {
      await lock.release()
      return 'locked'
    },
    (error: unknown) => (isDatabaseError(error) ? error.code : String(error)),
  )
}

async function leaveLock(directory: string, owner: Record<string, unknown>): Promise<void> {
  const text = JSON.stringify({ ...(await ownIdentity()), token: 'left', ...owner })
  await writeFile(join(directory, 'lock'), text)
}

/** A number that no process of Linux can have. */
const nobody = 2 ** 22 + 1

describe('lockFolder', () => {
  it('refuses the same process as well, until it lets go', async () => {
    await using folder = await temporaryFolder('lock')
    const lock = await lockFolder(folder.path)
    expect(await codeOf(lockFolder(folder.path))).toBe('database_in_use')
    await lock.release()
    expect(await readdir(folder.path)).toEqual([])
    expect(await codeOf(lockFolder(folder.path))).toBe('locked')
  })

  it('takes over from a process that is gone', async () => {
    await using folder = await temporaryFolder('lock')
    await leaveLock(folder.path, { pid: nobody })
    expect(await codeOf(lockFolder(folder.path))).toBe('locked')
  })

  it('takes over from a process whose number another one has now', async () => {
    await using folder = await temporaryFolder('lock')
    await leaveLock(folder.path, { began: '1' })
    expect(await codeOf(lockFolder(folder.path))).toBe('locked')
  })

  it.each(['', '{"pid":', 'null', '[]'])('takes over a file that says %j', async (text) => {
    await using folder = await temporaryFolder('lock')
    await writeFile(join(folder.path, 'lock'), text)
    expect(await codeOf(lockFolder(folder.path))).toBe('locked')
  })

  it('waits for the silence of an owner on another machine', async () => {
    await using folder = await temporaryFolder('lock')
    await leaveLock(folder.path, { pid: nobody, host: 'another', space: 'elsewhere' })
    expect(await codeOf(lockFolder(folder.path))).toBe('database_in_use')
    const longAgo = new Date(Date.now() - 3_600_000)
    await utimes(join(folder.path, 'lock'), longAgo, longAgo)
    expect(await codeOf(lockFolder(folder.path, { silentMs: 7_200_000 }))).toBe('database_in_use')
    expect(await codeOf(lockFolder(folder.path))).toBe('locked')
  })

  it('gives a lock that is left over to one of many', async () => {
    await using folder = await temporaryFolder('lock')
    await leaveLock(folder.path, { pid: nobody })
    const locking = Array.from({ length: 12 }, () => lockFolder(folder.path))
    const settled = await Promise.allSettled(locking)
    const won = settled.filter((each) => each.status === 'fulfilled')
    expect(won).toHaveLength(1)
    expect(await readdir(folder.path)).toEqual(['lock'])
    await won[0]?.value.release()
  })

  it('finishes a take-over that was cut short', async () => {
    await using folder = await temporaryFolder('lock')
    await leaveLock(folder.path, { pid: nobody })
    const section = join(folder.path, 'lock.takeover')
    await mkdir(section)
    const longAgo = new Date(Date.now() - 3_600_000)
    await utimes(section, longAgo, longAgo)
    expect(await codeOf(lockFolder(folder.path))).toBe('locked')
    expect(await readdir(folder.path)).toEqual([])
  })

  it('gives signs of life, and notices that another has taken the folder', async () => {
    await using folder = await temporaryFolder('lock')
    const path = join(folder.path, 'lock')
    const lock = await lockFolder(folder.path, { heartbeatMs: 5 })
    const longAgo = new Date(0)
    await utimes(path, longAgo, longAgo)
    const isHeard = async () => (await stat(path)).mtimeMs > 1_000
    await pollUntil(isHeard, { describe: () => 'no sign of life' })
    lock.check()
    await leaveLock(folder.path, { token: 'of another' })
    const isLost = async () => {
      try {
        lock.check()
        return false
      } catch (error) {
        return isDatabaseError(error, 'lock_lost')
      }
    }
    await pollUntil(isLost, { describe: () => 'the loss was not noticed' })
    await lock.release()
    expect(await readFile(path, 'utf8')).toContain('of another')
  })
})
