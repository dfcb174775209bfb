import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  canary,
  findCanaries,
  rawRequest,
  runGatewayCommand,
  startGateway,
  startProvider,
  temporaryFolder,
} from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'

/** Everything a command printed, which must have something to say and hold no secret. */
async function printed(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<string> {
  const { stdout, stderr, code } = await runGatewayCommand({
    args,
    env,
    ...(cwd !== undefined && { cwd }),
  })
  expect(code).toBe(1)
  expect(stdout + stderr).not.toBe('')
  expect(findCanaries(stdout + stderr)).toEqual([])
  return stdout + stderr
}

const secrets = () => ({
  OPENAI_API_KEY: canary('openai', 'sk-'),
  ANTHROPIC_API_KEY: canary('anthropic', 'sk-ant-'),
  BACKEND_API_KEY: canary('backend'),
  ADMIN_KEY: canary('admin'),
  REDIS_URL: `redis://user:${canary('redis')}@127.0.0.1:6379`,
  REDIS_PASSWORD: canary('redis password'),
  DATABASE_URL: `postgres://user:${canary('postgres')}@127.0.0.1/db`,
  ENCRYPTION_SECRET: canary('encryption'),
  MONGODB_URI: `mongodb://user:${canary('mongo')}@127.0.0.1`,
  PINECONE_API_KEY: canary('pinecone'),
})

describe('a configuration that is refused', () => {
  it.each(['start', 'check'])('shows no secret of the environment: %s', async (command) => {
    for (const wrong of [
      { PORT: 'no port' },
      { LOG_LEVEL: 'loud' },
      { DEBUG: 'true', HOST: '/' },
    ]) {
      await printed([command], { ...secrets(), ...wrong })
    }
    await printed([command], { ...secrets(), BACKEND_SERVICE_URL: `http://u:${canary()}@x` })
    await printed([command], { ...secrets(), OPENAI_API_KEY: `${canary('broken')}\nline` })
    await printed([command], { ...secrets(), HOST: '0.0.0.0' })
  })

  it.each([
    ['a key in the wrong place', 'auth: { keys: [{ id: "SECRET 1", sha256: "SECRET 2" }] }'],
    ['a key with a line break', 'admin: { key: "SECRET\\nx" }'],
    ['an unknown key beside it', 'admin: { kye: "SECRET" }'],
    [
      'a credential in an address',
      'upstreams: { u: { protocol: http, endpoints: [{ url: "http://u:SECRET@x" }] } }',
    ],
    ['a list for a key', 'admin: { key: ["SECRET"] }'],
    ['an object for a key', 'admin: { key: { value: "SECRET" } }'],
    ['text that is no YAML', 'admin: { key: "SECRET'],
    ['the same key twice', 'auth: { keys: [{ id: a, key: "SECRET" }, { id: b, key: "SECRET" }] }'],
  ])('shows none of the file: %s', async (_, text) => {
    await using folder = await temporaryFolder('canary')
    const file = join(folder.path, 'tidegate.yaml')
    const secret = canary('file', 'sk-')
    await writeFile(file, `version: 1\n${text.replaceAll('SECRET', secret)}\n`)
    for (const args of [
      ['check', file],
      ['check', '--json', file],
      ['start', '--config', file],
    ]) {
      await printed(args, {})
    }
  })

  it('shows none of a .env file or of a file that holds a secret', async () => {
    await using folder = await temporaryFolder('canary')
    await writeFile(join(folder.path, '.env'), `OPENAI_API_KEY=${canary('dotenv')}\nPORT=none`)
    await writeFile(join(folder.path, 'key'), `${canary('secret file')}\nand a second line\n`)
    await printed(['start'], {}, folder.path)
    await printed(['start'], { OPENAI_API_KEY_FILE: join(folder.path, 'key'), PORT: 'x' })
  })
})

describe('a gateway that the environment configures', () => {
  it('uses its secrets and shows none', async () => {
    await using provider = await startProvider()
    await using folder = await temporaryFolder('canary')
    const env = secrets()
    const fromFile = canary('from a file', 'sk-')
    await writeFile(join(folder.path, 'key'), `${fromFile}\n`)
    const { OPENAI_API_KEY: _, ...others } = env
    await using gateway = await startGateway({
      env: {
        ...others,
        OPENAI_API_KEY_FILE: join(folder.path, 'key'),
        OPENAI_BASE_URL: `${provider.url}/v1`,
        ANTHROPIC_BASE_URL: `${provider.url}/v1`,
        BACKEND_SERVICE_URL: provider.url,
        LOG_LEVEL: 'trace',
      },
    })
    const ask = async (target: string) => {
      const { response } = await rawRequest({
        port: gateway.port,
        send: `GET ${target} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      })
      expect(response.status).toBeLessThan(500)
      return provider.lastRequest
    }
    expect((await ask('/v1/models')).header('authorization')).toBe(`Bearer ${fromFile}`)
    expect((await ask('/v1/messages')).header('x-api-key')).toBe(env.ANTHROPIC_API_KEY)
    expect((await ask('/companion/x')).header('authorization')).toBe(
      `Bearer ${env.BACKEND_API_KEY}`,
    )
    gateway.signal('SIGTERM')
    await gateway.exit
    expect(gateway.logs.length).toBeGreaterThan(4)
    expect(findCanaries(gateway.stdout + gateway.stderr)).toEqual([])
  })
})
