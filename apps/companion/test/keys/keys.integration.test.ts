import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, keyWith } from '../client.fixture.ts'
import {
  ADMIN_KEY,
  run,
  SEVERAL_STARTS_MS,
  startCompanion,
  startOn,
  type TestCompanion,
} from '../companion.fixture.ts'

let companion: TestCompanion
beforeAll(async () => {
  companion = await startCompanion({ ADMIN_KEY })
}, SEVERAL_STARTS_MS)
afterAll(async () => {
  await companion[Symbol.asyncDispose]()
})

const PATH = '/api/v1/keys'

describe('making a key', () => {
  it('shows it this once, and says where it is', async () => {
    const body = { name: 'ci', scopes: ['setup:read'], tier: 'free' }
    const made = await ask(companion, 'POST', PATH, { body })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ name: 'ci', kind: 'client', tier: 'free', revoked_at: null })
    expect(made.body.key).toMatch(/^tgk_test_/)
    const place = new URL(made.headers.get('location') ?? '', companion.url + PATH)
    const read = await ask(companion, 'GET', place.pathname)
    const { key: _, ...rest } = made.body
    expect([read.status, read.body]).toEqual([200, rest])
  })

  it('is no way to more than one may oneself', async () => {
    const { key } = await keyWith(companion, ['keys:*', 'setup:read'])
    const wish = (scopes: string[]) => ({ key, body: { name: 'more', scopes } })
    expect((await ask(companion, 'POST', PATH, wish(['setup:read']))).status).toBe(201)
    const refused = await ask(companion, 'POST', PATH, wish(['setup:write']))
    expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope'])
    expect((await ask(companion, 'POST', PATH, wish(['*']))).status).toBe(403)
  })

  it.each([
    [{}, 'missing_field', 'name'],
    [{ name: 'a b' }, 'validation_failed', 'name'],
    [{ name: 'x', scopes: ['a b'] }, 'validation_failed', 'scopes[0]'],
    [{ name: 'x', expires_at: '2001-01-01T00:00:00Z' }, 'validation_failed', 'expires_at'],
    [{ name: 'x', kind: 'admin' }, 'validation_failed', 'kind'],
    [{ name: 'x', nmae: 1 }, 'validation_failed', 'nmae'],
    ['{', 'invalid_json', null],
  ])('refuses %j with %s at %s', async (body, code, param) => {
    const refused = await ask(companion, 'POST', PATH, { body })
    expect(refused).toMatchObject({ status: 400, body: { code, error: { param } } })
  })

  it('is carried out once for an Idempotency-Key, and the same key is told again', async () => {
    const asking = { body: { name: 'once' }, headers: { 'idempotency-key': 'of-this-test' } }
    const answers = await Promise.all([1, 2, 3].map(() => ask(companion, 'POST', PATH, asking)))
    expect(new Set(answers.map(({ body }) => body.key)).size).toBe(1)
    expect(answers.map(({ headers }) => headers.get('idempotency-replayed')).sort()).toEqual([
      null,
      'true',
      'true',
    ])
    const other = await ask(companion, 'POST', PATH, { ...asking, body: { name: 'twice' } })
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused'])
    const { key } = await keyWith(companion, ['keys:write'])
    expect((await ask(companion, 'POST', PATH, { ...asking, key })).status).toBe(422)
  })
})

describe('listing keys', () => {
  it('gives each once over pages, the newest first', async () => {
    for (const _ of [1, 2, 3]) await keyWith(companion, [])
    const seen: unknown[] = []
    let cursor = ''
    do {
      const page = await ask(companion, 'GET', `${PATH}?limit=2${cursor}`)
      expect(page.status).toBe(200)
      const { data, next_cursor: next } = page.body
      seen.push(...(Array.isArray(data) ? data : []).map((each) => Object(each).id))
      cursor = next === null ? '' : `&cursor=${String(next)}`
    } while (cursor !== '')
    const { body } = await ask(companion, 'GET', `${PATH}?limit=200`)
    expect(seen).toEqual((Array.isArray(body.data) ? body.data : []).map((each) => Object(each).id))
    expect(new Set(seen).size).toBe(seen.length)
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=x', 'limit'],
    ['cursor=x', 'cursor'],
    ['limt=5', 'limt'],
    ['limit=1&limit=2', 'limit'],
  ])('refuses ?%s and names %s', async (query, param) => {
    const refused = await ask(companion, 'GET', `${PATH}?${query}`)
    expect(refused).toMatchObject({ status: 400, body: { error: { param } } })
  })
})

describe('rotating a key', () => {
  it('lets both work for the overlap, and only the new one without any', async () => {
    const old = await keyWith(companion, ['health:read'])
    const works = async (key: unknown): Promise<number> =>
      (await ask(companion, 'GET', '/api/v1/health/detailed', { key: String(key) })).status
    const body = { overlap_seconds: 3600 }
    const made = await ask(companion, 'POST', `${PATH}/${old.id}/rotate`, { body })
    expect(made.status).toBe(201)
    expect(await Promise.all([works(old.key), works(made.body.key)])).toEqual([200, 200])
    const again = await ask(companion, 'POST', `${PATH}/${old.id}/rotate`, { body })
    expect([again.status, again.body.code]).toEqual([409, 'key_not_active'])
    const last = await ask(companion, 'POST', `${PATH}/${made.body.id}/rotate`, {
      body: { overlap_seconds: 0 },
    })
    expect(await Promise.all([works(made.body.key), works(last.body.key)])).toEqual([401, 200])
  })

  it('gives no key to those who may do less than it', async () => {
    const { id } = await keyWith(companion, ['*'])
    const { key } = await keyWith(companion, ['keys:*'])
    const refused = await ask(companion, 'POST', `${PATH}/${id}/rotate`, { key, body: {} })
    expect(refused.status).toBe(403)
    expect((await ask(companion, 'DELETE', `${PATH}/${id}`, { key })).status).toBe(403)
  })
})

describe('revoking a key', () => {
  it('ends it at once, says so to who has it, and is the same when done twice', async () => {
    const { key, id } = await keyWith(companion, ['health:read'])
    const revoked = await ask(companion, 'DELETE', `${PATH}/${id}`)
    expect(revoked.body.revoked_at).toEqual(expect.any(String))
    const refused = await ask(companion, 'GET', '/api/v1/health/detailed', { key })
    expect(refused).toMatchObject({ status: 401, body: { code: 'invalid_api_key' } })
    expect(refused.body.detail).toContain('revoked')
    expect((await ask(companion, 'DELETE', `${PATH}/${id}`)).body).toEqual(revoked.body)
  })
})

describe('the first admin key', { timeout: SEVERAL_STARTS_MS }, () => {
  it('is made while developing, for this user alone, and stays the same', async () => {
    await using folder = await temporaryFolder('companion')
    const file = join(folder.path, 'admin-key')
    const keys: string[] = []
    for (const _ of [1, 2]) {
      await using started = await startOn(folder.path)
      expect(started.log.find(({ message }) => message === 'listening')?.admin_file).toBe(file)
      keys.push((await readFile(file, 'utf8')).trim())
      expect((await ask(started, 'GET', PATH, { key: keys.at(-1) ?? null })).status).toBe(200)
    }
    expect(keys[0]).toBe(keys[1])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('is made by the command line, of another tenant, too', async () => {
    await using folder = await temporaryFolder('companion')
    const made = await run(['keys', 'create', '--admin', '--tenant', 'acme'], folder.path)
    expect(made.code).toBe(0)
    const key = made.stdout.trim()
    expect(key).toMatch(/^tgk_test_\S+$/)
    await using started = await startOn(folder.path)
    const { body } = await ask(started, 'GET', PATH, { key })
    expect(body).toMatchObject({ data: [{ kind: 'admin', scopes: ['*'] }], next_cursor: null })
  })
})
