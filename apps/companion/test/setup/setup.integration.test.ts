import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres, temporaryFolder } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, ask, keyWith } from '../client.fixture.ts'
import {
  ADMIN_KEY,
  SEVERAL_STARTS_MS,
  startCompanion,
  startOn,
  type TestCompanion,
} from '../companion.fixture.ts'

const PATH = '/api/v1/setup-configurations'
const SECRET = 'sk-9f8e7d6c5b4a-canary-of-this-test'
const MASK = '********'

const start = {
  embedded: () => startCompanion({ ADMIN_KEY }),
  postgres: async () => {
    const server = await startPostgres()
    const companion = await startCompanion({ ADMIN_KEY, DATABASE_URL: server.url })
    return {
      ...companion,
      [Symbol.asyncDispose]: async () => {
        await companion[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  },
}

describe.each(['embedded', 'postgres'] as const)('setup configurations, %s', (kind) => {
  let companion: TestCompanion
  let reader: string
  beforeAll(async () => {
    companion = await start[kind]()
    reader = (await keyWith(companion, ['setup:read'])).key
  }, SEVERAL_STARTS_MS)
  afterAll(async () => {
    await companion[Symbol.asyncDispose]()
  })

  let names = 0
  const create = (more: object = {}): Promise<Answered> =>
    ask(companion, 'POST', PATH, {
      body: {
        name: `openai-${++names}`,
        provider: 'openai',
        settings: { organization: 'org' },
        secrets: { api_key: SECRET },
        ...more,
      },
    })

  it('are kept with masks, and opened for those alone who may see secrets', async () => {
    const made = await create()
    expect(made).toMatchObject({
      status: 201,
      body: { version: 1, revealed: false, secrets: { api_key: MASK } },
    })
    const one = new URL(made.headers.get('location') ?? '', companion.url + PATH).pathname
    const opened = await ask(companion, 'GET', one)
    expect(opened.body).toMatchObject({ revealed: true, secrets: { api_key: SECRET } })
    expect(opened.headers.get('etag')).toBe('"1"')
    for (const [path, key] of [
      [one, reader],
      [`${one}?decrypt=false`, ADMIN_KEY],
    ] as const) {
      const masked = await ask(companion, 'GET', path, { key })
      expect(masked.body).toMatchObject({ revealed: false, secrets: { api_key: MASK } })
    }
    const list = await ask(companion, 'GET', PATH)
    expect(JSON.stringify(list.body)).not.toContain(SECRET)
  })

  it('change by version: what was changed meanwhile is not overwritten', async () => {
    const { body } = await create()
    const one = `${PATH}/${String(body.id)}`
    const change = { settings: { base_url: 'https://api.example.com/v1' } }
    const unsaid = await ask(companion, 'PATCH', one, { body: change })
    expect([unsaid.status, unsaid.body.code]).toEqual([428, 'precondition_required'])
    const at = (version: string) => ({ body: change, headers: { 'if-match': `"${version}"` } })
    const both = await Promise.all([1, 2].map(() => ask(companion, 'PATCH', one, at('1'))))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    const now = await ask(companion, 'GET', one)
    expect(now.body).toMatchObject({ version: 2, ...change, secrets: { api_key: SECRET } })
    const { body: versions } = await ask(companion, 'GET', `${one}/versions`)
    expect(versions).toMatchObject({ data: [{ version: 2 }, { version: 1 }], next_cursor: null })
    const gone = await ask(companion, 'DELETE', one, { headers: { 'if-match': '"2"' } })
    expect([gone.status, (await ask(companion, 'GET', one)).status]).toEqual([204, 404])
  })

  it('keep a secret whose mask is sent back, take a new one and drop one', async () => {
    const secrets = { first: 'one', second: 'two', third: 'three' }
    const { body } = await create({ provider: 'custom', settings: {}, secrets })
    const one = `${PATH}/${String(body.id)}`
    const change = { secrets: { first: MASK, second: 'new', third: null } }
    const headers = { 'if-match': '"1"' }
    expect((await ask(companion, 'PATCH', one, { body: change, headers })).status).toBe(200)
    const { body: now } = await ask(companion, 'GET', one)
    expect(now.secrets).toEqual({ first: 'one', second: 'new' })
  })

  it.each([
    [{ provider: 'openai', secrets: {} }, 'secrets.api_key'],
    [{ secrets: { api_key: MASK } }, 'secrets.api_key'],
    [{ secrets: { api_key: 'a\u0000b' } }, 'secrets.api_key'],
    [{ secrets: { api_key: SECRET, other: 'x' } }, 'secrets.other'],
    [{ settings: { base_url: 'ftp://x' } }, 'settings.base_url'],
    [{ settings: { base_url: 'https://user:pass@x.example' } }, 'settings.base_url'],
    [{ settings: { organization: '\ud800' } }, 'settings.organization'],
    [{ provider: 'nobody' }, 'provider'],
    [{ name: '../x' }, 'name'],
  ])('are checked by their provider: %j is refused at %s', async (more, param) => {
    const refused = await create(more)
    expect(refused).toMatchObject({ status: 400, body: { error: { param } } })
    expect(JSON.stringify(refused.body)).not.toContain(SECRET)
  })

  it('have a name of their own in the tenant', async () => {
    const { body } = await create()
    const taken = await create({ name: body.name })
    expect([taken.status, taken.body.code]).toEqual([409, 'setup_configuration_exists'])
    const other = await create()
    const renamed = await ask(companion, 'PATCH', `${PATH}/${String(other.body.id)}`, {
      body: { name: body.name },
      headers: { 'if-match': '*' },
    })
    expect(renamed.status).toBe(409)
  })
})

describe('what is on the disk', { timeout: SEVERAL_STARTS_MS }, () => {
  it('holds no secret and no key, nor does the log', async () => {
    await using folder = await temporaryFolder('companion')
    let log = ''
    const made: string[] = [SECRET]
    {
      await using companion = await startOn(folder.path, { ADMIN_KEY, LOG_LEVEL: 'trace' })
      made.push((await keyWith(companion, ['setup:*'])).key)
      const body = { name: 'a', provider: 'custom', secrets: { x: SECRET } }
      const headers = { 'idempotency-key': 'k' }
      const created = await ask(companion, 'POST', PATH, { body, headers })
      await ask(companion, 'GET', `${PATH}/${String(created.body.id)}`)
      await companion.process.end()
      log = companion.process.output
    }
    const entries = await readdir(folder.path, { recursive: true, withFileTypes: true })
    for (const entry of entries.filter((each) => each.isFile())) {
      const content = await readFile(join(entry.parentPath, entry.name), 'latin1')
      for (const secret of made) expect(content.includes(secret), entry.name).toBe(false)
    }
    for (const secret of made) expect(log.includes(secret)).toBe(false)
  })
})
