import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand, type Shell } from './run.ts'

let cwd: string

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tidegate-cli-'))
  writeFileSync(join(cwd, 'good.yaml'), good)
  writeFileSync(
    join(cwd, 'bad.yaml'),
    good.replace('[a]', '[b]').replace('version: 1', 'versoin: 1'),
  )
})
afterAll(() => rmSync(cwd, { recursive: true }))

const good = `version: 1
upstreams: { a: { protocol: http, endpoints: [{ url: "http://localhost:1" }] } }
routes: [{ match: /**, upstreams: [a] }]
`

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly started: Parameters<Shell['start']>[0] | undefined
}

async function run(argv: readonly string[], shell: Partial<Shell> = {}): Promise<Ran> {
  let [out, err] = ['', '']
  let started: Ran['started']
  const code = await runCommand(argv, {
    env: {},
    cwd,
    tty: false,
    version: '1.2.3',
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    start: (options) => {
      started = options
      return Promise.resolve()
    },
    ...shell,
  })
  return { code, out, err, started }
}

describe('check', () => {
  it('accepts what start would accept', async () => {
    const { code, out, err, started } = await run(['check', 'good.yaml'])
    expect({ code, err, started }).toEqual({ code: 0, err: '', started: undefined })
    expect(out).toBe('tidegate: the configuration is valid (profile development)\n')
  })

  it('lists every problem and fails', async () => {
    const { code, out } = await run(['check', 'bad.yaml'])
    expect(code).toBe(1)
    expect(out).toContain('has 3 problems')
    expect(out).toContain('bad.yaml:1:1  versoin: unknown key\n  did you mean "version"?')
    expect(out).toContain('bad.yaml:3:36  routes[0].upstreams[0]: there is no upstream "b"')
  })

  it('reads the environment without a file', async () => {
    const { code, out } = await run(['check'], { env: { PORT: 'x', DATABASE_URL: 'redis://y' } })
    expect(code).toBe(1)
    expect(out).toContain('PORT  server.port: expected a port from 0 to 65535')
    expect(out).toContain('DATABASE_URL  warning: set, but')
  })

  it('prints JSON for programs', async () => {
    const bad = await run(['check', 'bad.yaml', '--json'])
    expect(bad.code).toBe(1)
    expect(JSON.parse(bad.out)).toMatchObject({
      valid: false,
      profile: 'development',
      problems: [
        { path: 'version' },
        { code: 'unknown_key', source: { line: 1, column: 1 } },
        { path: 'routes[0].upstreams[0]' },
      ],
    })
    const fine = await run(['check', 'good.yaml', '--json'])
    expect(JSON.parse(fine.out)).toMatchObject({ valid: true, problems: [], warnings: [] })
  })
})

describe('start', () => {
  it('starts with the settings and the warnings', async () => {
    const env = { DATABASE_URL: 'redis://y' }
    const { code, started } = await run(['start', '--config', 'good.yaml'], { env, tty: true })
    expect(code).toBe(0)
    expect(started).toMatchObject({
      tty: true,
      settings: { configFile: 'good.yaml', routes: [{ upstreams: ['a'] }] },
      warnings: [expect.stringContaining('DATABASE_URL')],
    })
  })

  it.each([
    ['bad.yaml', 'bad.yaml:1:1'],
    ['absent.yaml', 'absent.yaml'],
    ['.', 'is a directory'],
  ])('refuses %s on stderr', async (file, text) => {
    const { code, out, err, started } = await run(['start', '--config', file])
    expect({ code, out, started }).toEqual({ code: 1, out: '', started: undefined })
    expect(err).toContain(text)
  })

  it('says in one line why it could not serve, and more with DEBUG', async () => {
    const start = (): Promise<never> => Promise.reject(new Error('no luck'))
    const quiet = await run(['start'], { start })
    expect(quiet).toMatchObject({ code: 1, out: '', err: 'tidegate: no luck\n' })
    const loud = await run(['start'], { start, env: { DEBUG: 'true' } })
    expect(loud.err).toContain('run.integration.test.ts')
  })
})

describe('the rest', () => {
  it('has help, a version and an answer to mistakes', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, err: '' })
    expect((await run(['start', '--help'])).out).toContain('--config FILE')
    expect((await run(['--version'])).out).toBe('1.2.3\n')
    expect(await run(['strat'])).toMatchObject({
      code: 2,
      out: '',
      err: 'tidegate: There is no command "strat"; did you mean start?\nSee tidegate --help.\n',
    })
    expect((await run(['check', 'a', 'b'])).err).toContain('See tidegate check --help.')
  })
})
