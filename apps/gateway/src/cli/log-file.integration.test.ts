import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { pollUntil } from '@tidegate/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

let cwd: string
let child: ChildProcess | undefined
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tidegate-log-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(cwd, { recursive: true, force: true })
})

type Env = Readonly<Record<string, string>>

/** Starts the built command; what it writes is there when it has ended. */
function run(argv: readonly string[], env: Env) {
  const process_ = spawn(process.execPath, [cli, ...argv], { cwd, env: { PORT: '0', ...env } })
  child = process_
  const [out, err] = [textOf(process_.stdout), textOf(process_.stderr)]
  return once(process_, 'close').then(async ([code]) => ({ code, out: await out, err: await err }))
}

async function textOf(stream: Readable): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString()
}

function logFiles(): readonly string[] {
  const folder = join(cwd, 'logs')
  const names = readdirSync(cwd).includes('logs') ? readdirSync(folder) : []
  const number = (name: string) => Number(/\.(\d+)\.log$/.exec(name)?.[1])
  return names.sort((one, other) => number(one) - number(other)).map((name) => join(folder, name))
}

interface Line {
  readonly message: string
  readonly url?: string
  readonly path?: string
}

function logLines(): readonly Line[] {
  const text = logFiles().map((name) => readFileSync(name, 'utf8'))
  // The last line may still be on its way.
  return text.flatMap((content) =>
    content
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  )
}

async function listening(): Promise<string> {
  const url = () => logLines().find(({ message }) => message === 'listening')?.url
  await pollUntil(async () => url() !== undefined, {
    describe: () => `no gateway is listening: ${JSON.stringify(logLines())}`,
  })
  return url() ?? ''
}

const file = `version: 1
upstreams: { a: { protocol: http, endpoints: [{ url: "http://127.0.0.1:9" }] } }
routes: [{ match: /a/**, upstreams: [a] }]
`

describe('the log file', () => {
  it('gets every line instead of stdout, the last one too', async () => {
    const ended = run(['start'], { LOG_FILE: 'logs/gateway.log' })
    const url = await listening()
    await fetch(`${url}/v1/models`)
    child?.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, out: '', err: '' })
    expect(logFiles()).toEqual([expect.stringMatching(/logs\/gateway\.\d{4}-\d\d-\d\d\.1\.log$/)])
    const lines = logLines()
    expect(lines.some(({ path }) => path === '/v1/models')).toBe(true)
    expect(lines.at(-1)?.message).toBe('stopped')
  })

  it('is followed by the next one at its size, and the oldest go', async () => {
    const logging = 'logging: { file: { path: logs/gateway.log, maxSize: 1kb, keep: 2 } }\n'
    writeFileSync(join(cwd, 'tidegate.yaml'), file + logging)
    const ended = run(['start', '--config', 'tidegate.yaml'], {})
    const url = await listening()
    while (!logFiles().some((name) => name.endsWith('.4.log'))) {
      await Promise.all(Array.from({ length: 5 }, () => fetch(`${url}/none`)))
    }
    await pollUntil(async () => logFiles().length <= 2, {
      describe: () => `the oldest are still there: ${logFiles()}`,
    })
    child?.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, out: '', err: '' })
    expect(logFiles().length).toBeLessThanOrEqual(3)
    expect(logLines().at(-1)?.message).toBe('stopped')
  })

  it.each(['tidegate.yaml/gateway.log', '.', 'logs/', 'a?.log'])(
    'can not be %s, as check and start say',
    async (path) => {
      writeFileSync(join(cwd, 'tidegate.yaml'), file)
      const checked = await run(['check', 'tidegate.yaml'], { LOG_FILE: path })
      expect(checked).toMatchObject({ code: 1, err: '' })
      expect(checked.out).toContain('LOG_FILE  logging.file.path: ')
      const started = await run(['start', '--config', 'tidegate.yaml'], { LOG_FILE: path })
      expect(started).toEqual({ code: 1, out: '', err: checked.out })
    },
  )

  it('says in one line what only the start can know', async () => {
    // No folder can have this name.
    const LOG_FILE = `${'x'.repeat(300)}/gateway.log`
    expect(await run(['check'], { LOG_FILE })).toMatchObject({ code: 0 })
    const { code, out, err } = await run(['start'], { LOG_FILE })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^tidegate: The log file \S+ can't be written: [^\n]+\n$/)
  })
})
