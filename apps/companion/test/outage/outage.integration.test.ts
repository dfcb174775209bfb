import { pollUntil, startPostgres } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { ask, keyWith } from '../client.fixture.ts'
import { ADMIN_KEY, SEVERAL_STARTS_MS, startCompanion } from '../companion.fixture.ts'

const SECRET = 'kX2vQ9mT4wLs8ZbN1rYc7HdJ5fGp3EuA'
const PATH = '/api/v1/keys'

describe('while its PostgreSQL is away', { timeout: SEVERAL_STARTS_MS }, () => {
  it('is alive and not ready, says 503 without saying where, and works again after', async () => {
    await using server = await startPostgres({ own: true })
    await using companion = await startCompanion({
      ...{ ADMIN_KEY, DATABASE_URL: server.url },
      ...{ ENVIRONMENT: 'production', ENCRYPTION_SECRET: SECRET },
    })
    const statusOf = async (path: string): Promise<number> =>
      (await ask(companion, 'GET', path)).status
    const { key } = await keyWith(companion, ['keys:read'])
    await server.stop()
    const refused = await ask(companion, 'GET', PATH, { key })
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } })
    expect(JSON.stringify(refused.body)).not.toContain(String(server.port))
    await pollUntil(async () => (await statusOf('/readyz')) === 503, {
      describe: () => 'it stays ready',
    })
    expect(await statusOf('/livez')).toBe(200)
    await server.start()
    await pollUntil(async () => (await statusOf('/readyz')) === 200, {
      describe: () => 'it does not become ready again',
    })
    expect((await ask(companion, 'GET', PATH, { key })).status).toBe(200)
    expect((await companion.process.end()).code).toBe(0)
  })
})
