import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'

const entry = new URL('../../index.ts', import.meta.url).href
const prelude = `
  import { writeSync } from 'node:fs'
  import { setImmediate as turn } from 'node:timers/promises'
  import { createLogger } from ${JSON.stringify(entry)}
  const logger = createLogger({ format: 'json' })
`

/** Starts a script with the shell's pipe or redirection behind it: real pipes, as in production. */
function start(script: string, behind: string) {
  const child = spawn(
    'sh',
    ['-c', `{ "$NODE" --input-type=module -e "$SCRIPT"; echo "code $?" >&2; } ${behind}`],
    {
      env: {
        ...process.env,
        NODE: process.execPath,
        SCRIPT: prelude + script,
        FILE: join(tmpdir(), `tidegate-${randomUUID()}.log`),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  )
  const end = (): boolean => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
  return { child, end }
}

function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => stream.on('end', () => resolve(Buffer.concat(chunks).toString())))
}

async function run(script: string, behind: string) {
  const { child } = start(script, behind)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { lines: out.split('\n').filter(Boolean).map(parseLine), err }
}

async function firstLine(input: NodeJS.ReadableStream): Promise<string> {
  const [line] = (await once(createInterface({ input }), 'line')) as [string]
  return line
}

function parseLine(line: string): Record<string, unknown> {
  return JSON.parse(line) as Record<string, unknown>
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('stdout', () => {
  it('shows a line at once, while the process goes on', async () => {
    const { child, end } = start(`logger.info('here'); setInterval(() => {}, 1000)`, '| cat')
    try {
      expect(parseLine(await firstLine(child.stdout))).toMatchObject({ message: 'here' })
    } finally {
      end()
    }
  })

  it('keeps every line when the process calls process.exit, through a pipe that is often full', async () => {
    const script = `for (let n = 0; n < 20000; n++) logger.info({ n }, 'x'); process.exit(3)`
    const { lines, err } = await run(script, '| cat')
    expect(lines.map((line) => line.n)).toEqual(numbers(20_000))
    expect(err).toBe('code 3\n')
  })

  it('appends to a file it is redirected to', async () => {
    const script = `for (let n = 0; n < 500; n++) logger.info({ n }, 'x'); process.exit()`
    const { lines } = await run(script, '> "$FILE"; cat "$FILE"; rm "$FILE"')
    expect(lines.map((line) => line.n)).toEqual(numbers(500))
  })

  it('keeps every line when the process dies of an uncaught error', async () => {
    const script = `for (let n = 0; n < 5000; n++) logger.info({ n }, 'x'); throw new Error('boom')`
    const { lines, err } = await run(script, '| cat')
    expect(lines).toHaveLength(5_000)
    expect(err).toContain('boom')
  })

  it('has written a fatal line, and all before it, when the call returns', async () => {
    const script = `logger.info('a'); logger.fatal('b'); process.kill(process.pid, 'SIGKILL')`
    const { lines } = await run(script, '| cat')
    expect(lines.map((line) => line.message)).toEqual(['a', 'b'])
  })

  it('goes on quietly when the reader has left', async () => {
    const script = `
      for (let n = 0; n < 200; n++) { for (let m = 0; m < 100; m++) logger.info({ n, m }, 'x'); await turn() }
      await logger.flush()`
    const { lines, err } = await run(script, '| head -n 1')
    expect(lines).toHaveLength(1)
    expect(err).toBe('code 0\n')
  })

  it('goes on quietly when the reader has left within a line', async () => {
    const script = `
      const long = Object.fromEntries(Array.from({ length: 40 }, (_, n) => ['f' + n, 'x'.repeat(9_000)]))
      for (let n = 0; n < 20; n++) { logger.info(long, 'x'); await turn() }
      await logger.flush()`
    const { err } = await run(script, '| head -c 1 > /dev/null')
    expect(err).toBe('code 0\n')
  })

  it('tells a full disk once, counts what is lost, and lives on', async () => {
    const script = `
      for (let n = 0; n < 50; n++) { for (let m = 0; m < 100; m++) logger.info({ n, m }, 'x'); await turn() }
      await logger.flush()`
    const { err } = await run(script, '> /dev/full')
    expect(err.split('\n')).toEqual([
      'log: writing to stdout failed (ENOSPC); lines may be lost until it works again',
      'log: 5000 lines for stdout were lost',
      'code 0',
      '',
    ])
  })

  it.runIf(process.platform === 'linux')(
    'never makes the process wait for a reader that stalls',
    async () => {
      const script = `
      for (let n = 0; n < 100; n++) { for (let m = 0; m < 100; m++) logger.info({ n, m }, 'x'); await turn() }
      writeSync(2, 'alive\\n')
      setInterval(() => {}, 1000)`
      const { child, end } = start(script, '| sleep 60')
      try {
        expect(await firstLine(child.stderr)).toBe('alive')
      } finally {
        end()
      }
    },
  )
})
