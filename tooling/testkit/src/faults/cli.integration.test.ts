import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ManagedProcess } from '../process/child.ts'
import { pollUntil } from '../process/waiting.ts'
import { startProvider } from '../provider/provider.ts'

const script = fileURLToPath(new URL('cli.ts', import.meta.url))

function run(...args: string[]): ManagedProcess {
  const { PATH = '' } = process.env
  return new ManagedProcess({ command: process.execPath, args: [script, ...args], env: { PATH } })
}

/** What it prints, as soon as it has printed it. */
async function printed(child: ManagedProcess, form: RegExp): Promise<string> {
  await pollUntil(async () => form.test(child.stdout), {
    timeoutMs: 10_000,
    describe: () => `it never printed ${form}\n${child.output}`,
  })
  return form.exec(child.stdout)?.[1] ?? ''
}

async function post(url: string, body?: unknown): Promise<number> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
  await response.text()
  return response.status
}

describe('pnpm faults', () => {
  it('lists, serves, writes a line per request and stops on Ctrl-C', async () => {
    await using child = run('--port', '0')
    const url = await printed(child, /Listening on (http:\/\/127\.0\.0\.1:\d+); Ctrl-C stops it/)
    expect(child.stdout).toContain(`curl -iN ${url}/v1/chat/completions`)
    const chat = { model: 'fault-server-error', messages: [] }
    expect(await post(`${url}/v1/chat/completions`, chat)).toBe(500)
    expect(await post(`${url}/v1/chat/completions`, chat)).toBe(200)
    const line = 'POST /v1/chat/completions model=fault-server-error fault=server-error'
    await printed(child, new RegExp(`${line} -> 500, \\d+ bytes, \\d+ ms\n`))
    await printed(child, new RegExp(`${line} -> 200, \\d+ bytes, \\d+ ms\n`))
    const left = AbortSignal.timeout(200)
    const slow = { model: 'fault-client-abort', stream: true, messages: [] }
    const init = { method: 'POST', body: JSON.stringify(slow), signal: left }
    const stream = await fetch(`${url}/v1/chat/completions`, init)
    await expect(stream.text()).rejects.toThrow()
    await printed(child, /fault=client-abort -> 200, \d+ bytes, \d+ ms, the client left\n/)
    const evil = { model: '\u001b[2J\nforged -> 200', messages: [] }
    await post(`${url}/v1/chat/completions`, evil)
    await printed(child, /model=\?\[2J\?forged\?->\?200 -> 200/)
    child.signal('SIGINT')
    expect(await child.exit).toEqual({ code: 0, signal: null })
    expect(child.stderr).toBe('')
  })

  it('goes out of order on command, for as long as it is told', async () => {
    await using child = run('--port', '0', '--via', 'http://127.0.0.1:8000')
    const url = await printed(child, /upstream is to be (\S+)\/v1\./)
    expect(child.stdout).toContain('curl -iN http://127.0.0.1:8000/v1/chat/completions')
    expect(await post(`${url}/faults/die?how=unavailable`)).toBe(200)
    await printed(child, /out of order: unavailable\n/)
    expect((await fetch(`${url}/v1/models`)).status).toBe(503)
    expect(await post(`${url}/faults/recover`)).toBe(200)
    await printed(child, /works again\n/)
    expect((await fetch(`${url}/v1/models`)).status).toBe(200)
    expect(await post(`${url}/faults/die?seconds=0.3`)).toBe(200)
    await printed(child, /out of order: refuse for 0.3 s\n/)
    await printed(child, /works again\n[\s\S]*works again\n/)
    const counts = (await (await fetch(`${url}/faults`)).json()) as Record<string, unknown>
    expect(counts).toMatchObject({ outage: null, hits: 2 })
    for (const wrong of ['die?how=x', 'die?seconds=0', 'die?seconds=x', 'dye', '']) {
      expect(await post(`${url}/faults/${wrong}`)).toBe(400)
    }
  })

  it('lists without starting, and explains itself', async () => {
    await using list = run('--list')
    expect((await list.exit).code).toBe(0)
    expect(list.stdout).toContain('storm: 503 (always)')
    await using help = run('--help')
    expect((await help.exit).code).toBe(0)
    expect(help.stdout).toContain('--port N')
  })

  it('says in one line what it can not do', async () => {
    await using misused = run('--prot')
    expect(await misused.exit).toEqual({ code: 2, signal: null })
    expect(misused.stderr).toBe("faults: Unknown option '--prot'. (--help says more)\n")
    await using other = await startProvider()
    await using taken = run('--port', String(other.port))
    expect(await taken.exit).toEqual({ code: 1, signal: null })
    expect(taken.stderr).toBe(
      `faults: Something listens on port ${other.port} already; stop it, or give another --port.\n`,
    )
  })
})
