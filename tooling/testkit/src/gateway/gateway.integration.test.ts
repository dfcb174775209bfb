import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { runGatewayCommand, startGateway } from './gateway.ts'

const script = fileURLToPath(new URL('../../test/stand-in-gateway.js', import.meta.url))

afterEach(() => vi.unstubAllEnvs())

describe('startGateway', () => {
  it('waits until the gateway is ready and collects its log', async () => {
    await using gateway = await startGateway({ script, config: { version: 1 } })
    const started = await gateway.waitForLog((record) => record.message === 'listening')
    expect(started).toMatchObject({ host: '127.0.0.1', port: gateway.port })
    expect(gateway.logs.filter((record) => record.path === '/readyz')).not.toEqual([])
    expect(gateway.stdout).toContain('a line for people')
    await fetch(`${gateway.url}/later`)
    expect(await gateway.waitForLog((record) => record.path === '/later')).toBeDefined()
    expect(gateway.readyAfterMs).toBeGreaterThan(0)
  })

  it('gives a free port only where the configuration names none', async () => {
    await using first = await startGateway({ script, config: 'version: 1\n# kept\n' })
    const port = first.port
    expect((await fetch(first.url)).status).toBe(200)
    first.signal('SIGTERM')
    await first.exit
    const config = `server:\n  host: 127.0.0.1\n  port: ${port}\n`
    await using second = await startGateway({ script, config })
    expect(second.port).toBe(port)
  })

  it('passes on a clean environment', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'must not leak')
    await using gateway = await startGateway({ script, env: { DEMO_KEY: 'given' } })
    const environment = (await (await fetch(gateway.url)).json()) as object
    expect(Object.keys(environment).sort()).toEqual(['DEMO_KEY', 'HOME', 'HOST', 'PATH', 'PORT'])
  })

  it('ends on a signal and says how', async () => {
    await using gateway = await startGateway({ script, config: {} })
    gateway.signal('SIGTERM')
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
    expect(gateway.logs.at(-1)).toMatchObject({ message: 'draining' })
  })

  it('kills what does not end', async () => {
    const gateway = await startGateway({ script, config: { mode: 'stubborn' }, graceMs: 100 })
    await gateway[Symbol.asyncDispose]()
    expect(await gateway.exit).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('fails with the output when the gateway ends first', async () => {
    await expect(startGateway({ script, config: { mode: 'broken' } })).rejects.toThrow(
      /ended before it was ready \(2\)[\s\S]*the configuration is broken/,
    )
  })

  it('fails when it takes too long', async () => {
    await expect(
      startGateway({ script, config: { mode: 'never' }, timeoutMs: 300 }),
    ).rejects.toThrow('the gateway did not become ready on port')
  })
})

describe('runGatewayCommand', () => {
  it('gives code and output', async () => {
    const result = await runGatewayCommand({ script, args: ['--help'] })
    expect(result).toEqual({ code: 0, signal: null, stdout: 'usage: stand-in\n', stderr: '' })
  })

  it('runs where it is told to', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'tidegate-cwd-'))
    writeFileSync(join(cwd, 'x.yaml'), 'mode: broken')
    const args = ['start', '--config', 'x.yaml']
    const result = await runGatewayCommand({ script, args, cwd })
    rmSync(cwd, { recursive: true })
    expect(result).toMatchObject({ code: 2, stderr: 'the configuration is broken\n' })
  })

  it('kills what does not end in time', async () => {
    const args = ['start']
    const env = { HOST: '127.0.0.1', PORT: '0' }
    const result = await runGatewayCommand({ script, args, env, timeoutMs: 300 })
    expect(result.signal).toBe('SIGKILL')
  })
})
