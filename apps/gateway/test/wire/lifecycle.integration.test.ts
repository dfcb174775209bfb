import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import {
  canary,
  connectRaw,
  freePort,
  type Provider,
  rawRequest,
  runGatewayCommand,
  startGateway,
  startProvider,
  temporaryFolder,
} from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { get, post } from './http-text.ts'
import { oneRoute } from './one-route.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
afterAll(async () => await provider[Symbol.asyncDispose]())
beforeEach(() => provider.reset())

const stream = JSON.stringify({ model: 'm', stream: true, messages: [] })

async function start(drain: Readonly<Record<string, string>> = {}, protocol = 'openai') {
  const url = protocol === 'http' ? provider.url : `${provider.url}/v1`
  return await startGateway({
    config: oneRoute(url, { protocol: protocol as 'http', server: { drain } }),
  })
}

function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('ends an idle gateway at once, cleanly', async () => {
    await using gateway = await start()
    await fetch(`${gateway.url}/livez`)
    gateway.signal(signal)
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
    expect(gateway.logs.map(({ message }) => message).slice(-1)).toEqual(['stopped'])
    expect(gateway.stderr).toBe('')
  })

  it('lets requests and streams finish, and takes no new connection', async () => {
    const held = gate()
    provider.next(
      { beforeHeaders: () => held.opened },
      { beforeEvent: (i) => (i === 2 ? held.opened : undefined) },
    )
    await using gateway = await start()
    await using plain = await connectRaw({ port: gateway.port })
    await plain.write(get('/v1/models'))
    await provider.waitForRequest(0)
    await using streaming = await connectRaw({ port: gateway.port })
    await streaming.write(post('/v1/chat/completions', stream))
    await streaming.waitFor('data: ')
    await using idle = await connectRaw({ port: gateway.port })
    await idle.write(get('/livez'))
    await idle.waitFor('alive')
    await using silent = await connectRaw({ port: gateway.port })

    gateway.signal(signal)
    expect(await idle.ended).toBe('closed')
    expect(await silent.ended).toBe('closed')
    await expect(connectRaw({ port: gateway.port })).rejects.toThrow('ECONNREFUSED')
    held.open()
    await plain.ended
    await streaming.ended
    expect(plain.received.toString()).toMatch(/^HTTP\/1\.1 200 .*"object":"list"/s)
    expect(streaming.received.toString()).toContain('data: [DONE]\n\n')
    expect(streaming.received.toString().endsWith('0\r\n\r\n')).toBe(true)
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
    expect(gateway.logs.filter(({ path }) => String(path).startsWith('/v1/'))).toMatchObject([
      { status_code: 200 },
      { status_code: 200 },
    ])
  })

  it('turns readiness red first, and goes on serving for the delay', async () => {
    const held = gate()
    provider.next({ beforeHeaders: () => held.opened })
    await using gateway = await start({ delay: '700ms', timeout: '20s' })
    await using plain = await connectRaw({ port: gateway.port })
    await plain.write(get('/v1/models'))
    await provider.waitForRequest(0)
    gateway.signal(signal)
    await gateway.waitForLog(({ message }) => message === 'draining')
    const ready = await rawRequest({ port: gateway.port, send: get('/readyz') })
    expect(ready.response.status).toBe(503)
    expect(ready.response.header('connection')).toBe('close')
    const live = await rawRequest({ port: gateway.port, send: get('/livez') })
    expect(live.response.status).toBe(200)
    const health = await rawRequest({ port: gateway.port, send: get('/health') })
    expect(health.response.status).toBe(503)
    const served = await rawRequest({ port: gateway.port, send: get('/v1/models') })
    expect(served.response.status).toBe(200)
    held.open()
    await plain.waitFor('"object":"list"')
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
  })

  it('twice ends it at once, with a code that says so', async () => {
    provider.next({ beforeHeaders: () => new Promise(() => undefined) })
    await using gateway = await start({ timeout: '60s' })
    await using plain = await connectRaw({ port: gateway.port })
    await plain.write(get('/v1/models'))
    await provider.waitForRequest(0)
    gateway.signal(signal)
    const first = await gateway.waitForLog(({ message }) => message === 'draining')
    expect(first.signal).toBe(signal)
    // One keypress may arrive twice; only what comes later is a second one.
    const resend = setInterval(() => gateway.signal(signal), 60)
    const exit = await gateway.exit
    clearInterval(resend)
    expect(exit).toEqual({ code: signal === 'SIGTERM' ? 143 : 130, signal: null })
  })
})

describe('the time to drain', () => {
  it('cuts what does not finish, without a clean end, and writes its line', async () => {
    provider.always({ beforeEvent: (i) => (i === 2 ? new Promise(() => undefined) : undefined) })
    await using gateway = await start({ timeout: '250ms' })
    await using streaming = await connectRaw({ port: gateway.port })
    await streaming.write(post('/v1/chat/completions', stream))
    await streaming.waitFor('data: ')
    gateway.signal('SIGTERM')
    await streaming.ended
    expect(streaming.received.toString().endsWith('0\r\n\r\n')).toBe(false)
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
    expect(gateway.logs.some(({ destroyed }) => destroyed === 1)).toBe(true)
    expect(gateway.logs.filter(({ path }) => path === '/v1/chat/completions')).toHaveLength(1)
  })

  it('is kept also by a client that sends its body slowly', async () => {
    await using gateway = await start({ timeout: '250ms' }, 'http')
    await using slow = await connectRaw({ port: gateway.port })
    await slow.write('POST /x HTTP/1.1\r\nhost: g\r\ncontent-length: 100\r\n\r\nabc')
    await fetch(`${gateway.url}/livez`)
    gateway.signal('SIGTERM')
    await slow.ended
    expect(await gateway.exit).toEqual({ code: 0, signal: null })
  })
})

describe('a start that can not be', () => {
  it('says that the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { code, stdout, stderr } = await runGatewayCommand({
      args: ['start'],
      env: { PORT: String(port) },
    })
    taken.close()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^tidegate: .*\\b${port}\\b.*\\n$`))
  })

  it('says which file it can not read', async () => {
    await using folder = await temporaryFolder('unreadable')
    for (const file of [join(folder.path, 'absent.yaml'), folder.path]) {
      const { code, stdout, stderr } = await runGatewayCommand({
        args: ['start', '--config', file],
      })
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain(file)
      expect(stderr).not.toMatch(/^\s+at /m)
    }
  })

  it.each([
    ['a line break in a provider’s key', { OPENAI_API_KEY: `${canary('key', 'sk-')}\nx` }],
    ['a port that is none', { PORT: '99999' }],
    ['a host that is none', { HOST: 'http://localhost' }],
    ['a level that is none', { LOG_LEVEL: 'loud' }],
  ])('says what is wrong, and no secret: %s', async (_, env: Record<string, string>) => {
    const { code, stdout, stderr } = await runGatewayCommand({ args: ['start'], env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(Object.keys(env)[0])
    expect(stderr).not.toContain('cnry')
  })

  it('names key, line and suggestion of what a file has wrong', async () => {
    await using folder = await temporaryFolder('wrong')
    const file = join(folder.path, 'tidegate.yaml')
    await writeFile(file, 'version: 1\nserver:\n  prot: 8000\n')
    const { code, stderr } = await runGatewayCommand({ args: ['start', '--config', file] })
    expect(code).toBe(1)
    expect(stderr).toContain('tidegate.yaml:3')
    expect(stderr).toContain('port')
  })

  it('would lend a provider’s key to everybody: it refuses', async () => {
    const { code, stderr } = await runGatewayCommand({
      args: ['start'],
      env: { HOST: '0.0.0.0', PORT: String(await freePort()), OPENAI_API_KEY: 'sk-test-key' },
    })
    expect(code).toBe(1)
    expect(stderr).toContain('auth')
    expect(stderr).not.toContain('sk-test-key')
  })
})
