import { rename, writeFile } from 'node:fs/promises'
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

const PATH = '/api/v1/audit'

async function listed(query = '', key?: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await ask(
    companion,
    'GET',
    PATH + query,
    key === undefined ? {} : { key },
  )
  expect(status).toBe(200)
  return body.data as Record<string, unknown>[]
}

describe('the audit log over HTTP', () => {
  it('tells who did what, from where and on which request, the latest first', async () => {
    const { id } = await keyWith(companion, ['audit:read'])
    const revoked = await ask(companion, 'DELETE', `/api/v1/keys/${id}`)
    const [latest, before] = await listed()
    expect(latest).toMatchObject({
      ...{ type: 'api_key.revoked', ip: '127.0.0.1', prev_hash: before?.hash },
      request_id: revoked.headers.get('x-request-id'),
    })
    expect(before).toMatchObject({ type: 'api_key.created' })
  })

  it('is read by cursor, and by type and time', async () => {
    for (const _ of [1, 2, 3]) await keyWith(companion, [])
    const first = await ask(companion, 'GET', `${PATH}?limit=2&type=api_key.*`)
    const next = String(first.body.next_cursor)
    const second = await ask(companion, 'GET', `${PATH}?limit=2&type=api_key.*&cursor=${next}`)
    const seqs = [first, second].flatMap(({ body }) =>
      (body.data as { seq: number }[]).map(({ seq }) => seq),
    )
    expect(seqs).toHaveLength(4)
    expect(seqs).toEqual(seqs.toSorted((a, b) => b - a))
    expect(await listed('?since=2100-01-01T00:00:00Z')).toEqual([])
    expect(await listed('?type=tenant.created')).toEqual([])
  })

  it.each(['since=yesterday', 'cursor=none', 'limit=0', 'sice=2100-01-01T00:00:00Z'])(
    'refuses %s',
    async (query) => {
      const refused = await ask(companion, 'GET', `${PATH}?${query}`)
      expect([refused.status, refused.body.code]).toEqual([400, 'validation_failed'])
    },
  )

  it('is for those alone whose key has the scope', async () => {
    const { key } = await keyWith(companion, ['keys:read'])
    expect((await ask(companion, 'GET', PATH, { key })).status).toBe(403)
    const reader = await keyWith(companion, ['audit:read'])
    expect((await listed('', reader.key)).length).toBeGreaterThan(0)
  })
})

describe('the command line', { timeout: SEVERAL_STARTS_MS }, () => {
  it('exports an audit log that is verified without the database, and names what was touched', async () => {
    await using folder = await temporaryFolder('companion')
    {
      await using started = await startOn(folder.path, { ADMIN_KEY })
      await keyWith(started, ['keys:read'])
    }
    const exported = await run(['audit', 'export'], folder.path)
    expect(exported.code).toBe(0)
    const file = join(folder.path, 'audit.ndjson')
    await writeFile(file, exported.stdout)
    const fine = await run(['audit', 'verify', file], folder.path)
    expect([fine.code, fine.stdout]).toEqual([0, expect.stringMatching(/^Intact: \d+ records/)])
    await writeFile(file, exported.stdout.replace('"a-key"', '"b-key"'))
    const touched = await run(['audit', 'verify', file], folder.path)
    expect([touched.code, touched.stdout]).toEqual([
      1,
      expect.stringMatching(/^Not intact: record \d+, altered/),
    ])
  })

  it('copies an embedded database, and makes one of the copy where it is lost', async () => {
    await using folder = await temporaryFolder('companion')
    {
      await using started = await startOn(folder.path, { ADMIN_KEY })
      await keyWith(started, ['keys:read'])
    }
    const copied = await run(['db', 'snapshot'], folder.path)
    expect(copied.code).toBe(0)
    const file = copied.stdout.trim()
    const whole = await run(['db', 'restore', file], folder.path)
    expect([whole.code, whole.stderr]).toEqual([1, expect.stringContaining('database already')])
    const data = join(folder.path, 'database', 'pgdata')
    await rename(data, `${data}.lost`)
    const lost = await run(['db', 'verify'], folder.path)
    expect([lost.code, lost.stderr]).toEqual([1, expect.stringContaining('missing')])
    const restored = await run(['db', 'restore', file], folder.path)
    expect([restored.code, restored.stdout]).toEqual([0, expect.stringContaining('api_keys: 1')])
  })
})
