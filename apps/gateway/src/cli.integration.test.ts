import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

let cwd: string

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tidegate-process-'))
})
afterAll(() => rmSync(cwd, { recursive: true }))

/** Runs the built command in a process of its own until it ends. */
async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [cli, ...argv], { cwd, env })
  const texts = Promise.all([textOf(child.stdout), textOf(child.stderr)])
  const [code] = await once(child, 'close')
  const [out, err] = await texts
  return { code, out, err }
}

async function textOf(stream: Readable): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString()
}

describe('tidegate', () => {
  it('ends with 0, 1 or 2 as its help says', async () => {
    const [help, fine, bad, misused] = await Promise.all([
      run(['--help']),
      run(['check']),
      run(['check', 'absent.yaml']),
      run(['chekc']),
    ])
    expect([help.code, fine.code, bad.code, misused.code]).toEqual([0, 0, 1, 2])
    expect(misused.err).toContain('did you mean check?')
  })

  it('says in one line that its port is taken, and ends', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const { code, out, err } = await run(['start'], { PORT: port })
    taken.close()
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err).toContain(`Something listens on port ${port} of 127.0.0.1 already`)
  })

  it('starts from a copy of .env.example, answers, and ends with 0 on SIGTERM', async () => {
    const example = fileURLToPath(new URL('../../../.env.example', import.meta.url))
    copyFileSync(example, join(cwd, '.env'))
    const child = spawn(process.execPath, [cli, 'start'], { cwd, env: { PORT: '0' } })
    const [line] = await once(createInterface(child.stdout), 'line')
    const { url } = JSON.parse(String(line))
    const models = await fetch(`${url}/v1/models`)
    expect(await models.json()).toMatchObject({ data: [{ id: 'tidegate-demo' }] })
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    rmSync(join(cwd, '.env'))
    expect(code).toBe(0)
  })
})
