import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from '../logger.ts'

const entry = new URL('../../index.ts', import.meta.url).href
const BATCH = 16_384

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-logger-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs a script in a process of its own, as a restart is one. */
function run(options: object, script: string): Promise<{ code: number; err: string }> {
  const destination = { file: join(folder, 'logs', 'app.log'), ...options }
  const source = `
    import { readdirSync } from 'node:fs'
    import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
    import { createLogger } from ${JSON.stringify(entry)}
    const logger = createLogger({ destination: ${JSON.stringify(destination)} })
    const files = () => readdirSync(${JSON.stringify(join(folder, 'logs'))})
    const log = async (from, to) => {
      for (let n = from; n < to; n++) {
        logger.info({ n, pad: 'x'.repeat(100) }, 'line')
        if (n % 50 === 0) { await logger.flush(); await turn() }
      }
    }
    await logger.flush()
    ${script}
  `
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--input-type=module', '-e', source], (_, __, err) =>
      resolve({ code: child.exitCode ?? -1, err }),
    )
  })
}

/** The numbers in the names: `app.12.log` → 12, `app.2026-11-21.3.log` → 3. */
function fileNumber(name: string): number {
  return Number(/\.(\d+)\.log$/.exec(name)?.[1])
}

async function files(): Promise<string[]> {
  const names = await readdir(join(folder, 'logs'))
  return names.sort((a, b) => fileNumber(a) - fileNumber(b))
}

async function linesOf(names: readonly string[]): Promise<unknown[]> {
  const texts = await Promise.all(names.map((name) => readFile(join(folder, 'logs', name), 'utf8')))
  return texts
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { n: unknown }).n)
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('a file destination', () => {
  it('makes the folder, and has written everything when flush resolves', async () => {
    const logger = createLogger({ destination: { file: join(folder, 'logs', 'deep', 'app.log') } })
    logger.info('before it is open')
    await logger.flush()
    const text = await readFile(join(folder, 'logs', 'deep', 'app.1.log'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ message: 'before it is open' })
    await logger.close()
    logger.info('after the end')
    await logger.close()
  })

  it('begins files by size and goes on in the last one after a restart, losing nothing', async () => {
    const options = { maxSize: 20_000 }
    await run(options, 'await log(0, 400); await logger.close()')
    const first = await files()
    expect(first.length).toBeGreaterThan(2)
    await run(options, 'await log(400, 800); process.exit()')
    const all = await files()
    expect(all.slice(0, first.length)).toEqual(first)
    expect(all.map(fileNumber)).toEqual(all.map((_, at) => at + 1))
    expect(await linesOf(all)).toEqual(numbers(800))
    for (const name of all) {
      expect((await stat(join(folder, 'logs', name))).size).toBeLessThan(options.maxSize + BATCH)
    }
  })

  it('keeps the newest files only, those of earlier runs among the removed', async () => {
    const options = { maxSize: 10_000, keep: 3 }
    await run(
      options,
      'await log(0, 400); while (files().length > 3) await delay(10); process.exit()',
    )
    const before = await files()
    await run(
      options,
      'await log(400, 800); while (files().length > 3) await delay(10); await logger.close(); process.exit()',
    )
    const after = await files()
    expect(before).toHaveLength(3)
    expect(after).toHaveLength(3)
    expect(after).not.toContain(before[2])
    expect((await linesOf(after)).at(-1)).toBe(799)
  })

  it('begins files by time, dated, and keeps as many as it is told over a restart', async () => {
    const options = { frequency: 300, keep: 2 }
    const untilRolled = `
      const start = files().at(-1)
      for (let n = 0; files().at(-1) === start; n++) { logger.info({ n }, 'line'); await delay(10) }
      while (files().length > 2) await delay(10)
      await logger.close()`
    for (let restart = 0; restart < 3; restart++) await run(options, untilRolled)
    const names = await files()
    expect(names).toHaveLength(2)
    for (const name of names) expect(name).toMatch(/^app\.\d{4}-\d\d-\d\d-\d{6}\.\d+\.log$/)
  })

  it('has written the last line when the process exits or dies', async () => {
    await run({}, `logger.info({ n: 0 }, 'a'); process.exit()`)
    await run({}, `logger.info({ n: 1 }, 'b'); throw new Error('boom')`)
    expect(await linesOf(['app.1.log'])).toEqual([0, 1])
  })

  it('tells on stderr what came too early for the file', async () => {
    const source = `
      import { createLogger } from ${JSON.stringify(entry)}
      createLogger({ destination: { file: ${JSON.stringify(join(folder, 'app.log'))} } }).error('bad start')
      process.exit(1)`
    const err = await new Promise<string>((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', source], (_, __, text) =>
        resolve(text),
      )
    })
    expect(err).toContain('the process ended before')
    expect(err).toContain('"message":"bad start"')
  })

  it('tells a full disk once and lives on', async () => {
    await run({}, '')
    await symlink('/dev/full', join(folder, 'logs', 'app.2.log'))
    const { code, err } = await run({ maxSize: 100 }, 'await log(0, 300); await logger.close()')
    expect(code).toBe(0)
    expect(err.match(/ENOSPC/g)).toHaveLength(1)
  })
})
