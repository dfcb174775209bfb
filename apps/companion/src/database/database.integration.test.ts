import { inspect } from 'node:util'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from './database.ts'
import { embeddedDatabase, postgresDatabase, type TestDatabase } from './databases.fixture.ts'
import { isDuplicate } from './driver-error.ts'
import { type DatabaseErrorCode, isDatabaseError } from './errors.ts'
import { migrateDatabase } from './migrate.ts'
import type { Queries } from './queries.ts'
import {
  apiKeys,
  auditHead,
  setupConfigurations,
  setupConfigurationVersions,
  tenants,
} from './schema.ts'
import type { SlowQuery } from './slow-queries.ts'
import { verifyDatabase } from './verify.ts'

const at = new Date('2026-03-01T10:20:30.456Z')
let tenantsMade = 0

function newTenant(): { id: string; name: string; createdAt: Date } {
  tenantsMade += 1
  return { id: `tenant-${tenantsMade}`, name: 'Ünïcode 🌊', createdAt: at }
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

async function codeOf(work: Promise<unknown>): Promise<DatabaseErrorCode | undefined> {
  const error = await failureOf(work)
  return isDatabaseError(error) ? error.code : undefined
}

async function has(queries: Queries, id: string): Promise<boolean> {
  return (await queries.select().from(tenants).where(eq(tenants.id, id))).length === 1
}

const kinds = [
  { name: 'the embedded database', open: embeddedDatabase },
  { name: 'PostgreSQL', open: postgresDatabase },
]

describe.each(kinds)('Database on $name', ({ open }) => {
  const slowOnes: SlowQuery[] = []
  let clockMs = 0
  let stepMs = 0
  let test: TestDatabase
  let database: Database

  beforeAll(async () => {
    const now = () => {
      clockMs += stepMs
      return clockMs
    }
    test = await open({ slowMs: 100, now, onSlow: (query) => slowOnes.push(query) })
    database = test.database
  })
  afterAll(async () => await test[Symbol.asyncDispose]())

  it('says what is missing before it is migrated', async () => {
    const report = await verifyDatabase(database)
    expect(report.ok).toBe(false)
    expect(report.migrations.applied).toBe(0)
    expect(report.problems).toContain('Table tenants is missing.')
  })

  it('applies every migration once, also when two begin together', async () => {
    const other = (await test.openAgain?.()) ?? database
    const reports = await Promise.all([migrateDatabase(database), migrateDatabase(other)])
    const applied = reports.map((report) => report.applied).sort()
    expect(applied[0]).toBe(0)
    expect(applied[1]).toBeGreaterThan(0)
    expect(await migrateDatabase(database)).toMatchObject({ applied: 0, before: applied[1] })
  })

  it('is as this release expects it afterwards, with its rows counted', async () => {
    const report = await verifyDatabase(database)
    expect(report).toMatchObject({ ok: true, problems: [], kind: database.kind })
    expect(report.tables).toContainEqual({ name: 'audit_head', rows: 1 })
    expect(report.tables).toContainEqual({ name: 'tenants', rows: 0 })
  })

  it('names every column that differs', async () => {
    const changes = [
      'drop column "tier"',
      'alter column "name" drop not null',
      'alter column "kind" type varchar(9)',
    ]
    for (const change of changes)
      await database.orm.execute(sql.raw(`alter table api_keys ${change}`))
    expect((await verifyDatabase(database)).problems).toEqual([
      "Column api_keys.name may be null, unlike this release's.",
      'Column api_keys.kind is character varying(9) instead of text.',
      'Column api_keys.tier is missing.',
    ])
    const repairs = [
      'add column "tier" text',
      'alter column "name" set not null',
      'alter column "kind" type text',
    ]
    for (const repair of repairs)
      await database.orm.execute(sql.raw(`alter table api_keys ${repair}`))
    expect((await verifyDatabase(database)).ok).toBe(true)
  })

  it('refuses the history of another application, and leaves that of a newer release as it is', async () => {
    const table = sql.raw('drizzle.__drizzle_migrations')
    await database.orm.execute(sql`insert into ${table} (hash, created_at) values ('newer', 9e15)`)
    expect(await migrateDatabase(database)).toMatchObject({ applied: 0, unknown: 1 })
    expect((await verifyDatabase(database)).migrations.unknown).toBe(1)
    await database.orm.execute(sql`delete from ${table} where hash = 'newer'`)
    await database.orm.execute(sql`insert into ${table} (hash, created_at) values ('older', 0)`)
    expect(await codeOf(migrateDatabase(database))).toBe('migrations_differ')
    expect((await verifyDatabase(database)).ok).toBe(false)
    await database.orm.execute(sql`delete from ${table} where hash = 'older'`)
  })

  it('gives back what was written: times, numbers, JSON, nulls', async () => {
    const tenant = newTenant()
    await database.orm.insert(tenants).values(tenant)
    const key = {
      ...{ id: 'key-1', tenant: tenant.id, name: 'a', kind: 'service', digest: 'd', pepperId: 'p' },
      ...{ scopes: ['keys:read', '"\\\n'], tier: null, createdAt: at, expiresAt: new Date(0) },
      ...{ revokedAt: null, overlapUntil: null, replacedBy: null, lastUsedAt: null },
    }
    await database.orm.insert(apiKeys).values(key)
    expect(await database.orm.select().from(apiKeys)).toEqual([key])
    await database.orm.update(auditHead).set({ seq: Number.MAX_SAFE_INTEGER })
    const [head] = await database.orm.select().from(auditHead)
    expect(head).toEqual({ id: 1, seq: Number.MAX_SAFE_INTEGER, hash: '0'.repeat(64) })
  })

  it('joins, counts and fills placeholders', async () => {
    const tenant = newTenant()
    await database.orm.insert(tenants).values(tenant)
    const joined = await database.orm
      .select({
        tenant: tenants.id,
        versions: setupConfigurationVersions,
        stored: setupConfigurations,
      })
      .from(tenants)
      .leftJoin(setupConfigurations, eq(setupConfigurations.tenant, tenants.id))
      .leftJoin(setupConfigurationVersions, eq(setupConfigurationVersions.tenant, tenants.id))
      .where(eq(tenants.id, sql.placeholder('id')))
      .prepare('one')
      .execute({ id: tenant.id })
    expect(joined).toEqual([{ tenant: tenant.id, versions: null, stored: null }])
    expect(await database.orm.$count(tenants, eq(tenants.id, tenant.id))).toBe(1)
  })

  it('gives raw values in one way', async () => {
    const values = sql`select 1::bigint as "small", ${Number.MAX_SAFE_INTEGER}::bigint + 2 as "large",
      count(*) as "count", '{"a":[1]}'::jsonb as "json", '2026-01-02 03:04:05+00'::timestamptz as "time"
      from audit_head`
    const { rows } = await database.orm.execute(values)
    const large = BigInt(Number.MAX_SAFE_INTEGER) + 2n
    expect(rows[0]).toMatchObject({ small: 1, large, count: 1, json: { a: [1] } })
    expect(String(rows[0]?.time)).toMatch(/^2026-01-02 03:04:05\+00/)
  })

  it('commits what resolves, and rolls back and throws on what throws', async () => {
    const [kept, lost] = [newTenant(), newTenant()]
    const given = await database.transaction(async (tx) => {
      await tx.insert(tenants).values(kept)
      return 'result'
    })
    expect(given).toBe('result')
    const own = new RangeError('of the caller')
    const failing = database.transaction(async (tx) => {
      await tx.insert(tenants).values(lost)
      throw own
    })
    expect(await failureOf(failing)).toBe(own)
    expect(await has(database.orm, kept.id)).toBe(true)
    expect(await has(database.orm, lost.id)).toBe(false)
  })

  it('refuses itself inside of a transaction instead of hanging', async () => {
    await database.transaction(async (tx) => {
      expect(await codeOf(database.orm.select().from(tenants).execute())).toBe(
        'outside_transaction',
      )
      expect(await codeOf(database.transaction(async () => undefined))).toBe('outside_transaction')
      expect(await codeOf(database.probe())).toBe('outside_transaction')
      expect(await codeOf(database.close())).toBe('outside_transaction')
      await tx.select().from(tenants)
    })
    await database.probe()
  })

  it('serves what a transaction set off but did not wait for', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const { promise: later, resolve: began } = Promise.withResolvers<Promise<unknown>>()
    await database.transaction(async () => {
      began(ended.then(() => database.probe()))
    })
    end()
    expect(await codeOf(later)).toBeUndefined()
  })

  it('refuses a transaction that has ended', async () => {
    const escaped = await database.transaction(async (tx) => [tx] as const)
    expect(await codeOf(escaped[0].select().from(tenants).execute())).toBe('transaction_ended')
  })

  it('admits that a transaction was rolled back when a failed statement was swallowed', async () => {
    const tenant = newTenant()
    const work = database.transaction(async (tx) => {
      await tx.insert(tenants).values(tenant)
      await tx
        .insert(tenants)
        .values(tenant)
        .catch(() => undefined)
    })
    expect(await codeOf(work)).toBe('refused')
    expect(await has(database.orm, tenant.id)).toBe(false)
  })

  it('names the constraint of a duplicate, and never its value', async () => {
    const secret = 'tg_live_do-not-print'
    const row = { id: secret, name: secret, createdAt: at }
    await database.orm.insert(tenants).values(row)
    const error = await failureOf(database.orm.insert(tenants).values(row).execute())
    expect(isDuplicate(error)).toBe(true)
    expect(isDuplicate(error, 'tenants_pkey')).toBe(true)
    expect(isDuplicate(error, 'another')).toBe(false)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
  })

  it.each([
    ['a malformed number', sql`select ${'secret-value'}::integer`],
    ['text with NUL', sql`select ${'secret-value\0'}::text`],
    ['malformed JSON', sql`select ${'secret-value'}::jsonb`],
    ['a missing column', sql`select "no_such_column" from tenants where id = ${'secret-value'}`],
  ])('says nothing of a value when it is %s', async (_name, query) => {
    const error = await failureOf(database.orm.execute(query).execute())
    expect(isDatabaseError(error, 'refused')).toBe(true)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret-value')
  })

  it('refuses writes of a transaction that only reads', async () => {
    const work = database.transaction(async (tx) => await tx.insert(tenants).values(newTenant()), {
      readOnly: true,
    })
    const error = await failureOf(work)
    expect(isDatabaseError(error, 'refused') && error.facts.sqlState).toBe('25006')
  })

  it('rolls back when the caller has left', async () => {
    const tenant = newTenant()
    const caller = new AbortController()
    const work = database.transaction(
      async (tx) => {
        await tx.insert(tenants).values(tenant)
        caller.abort()
      },
      { signal: caller.signal },
    )
    expect(await codeOf(work)).toBe('deadline_exceeded')
    expect(await has(database.orm, tenant.id)).toBe(false)
  })

  it('begins nothing when no time is left', async () => {
    let begun = false
    const work = async () => {
      begun = true
    }
    const signal = AbortSignal.abort()
    expect(await codeOf(database.transaction(work, { timeoutMs: 0 }))).toBe('deadline_exceeded')
    expect(await codeOf(database.transaction(work, { signal }))).toBe('deadline_exceeded')
    expect(begun).toBe(false)
  })

  it('counts without a gap when transactions lock one row', async () => {
    await database.orm.update(auditHead).set({ seq: 0 })
    const increment = () =>
      database.transaction(async (tx) => {
        const [head] = await tx.select().from(auditHead).for('update')
        const seq = (head?.seq ?? Number.NaN) + 1
        await tx.update(auditHead).set({ seq })
        return seq
      })
    const given = await Promise.all(Array.from({ length: 24 }, increment))
    expect(given.sort((one, other) => one - other)).toEqual(
      Array.from({ length: 24 }, (_, i) => i + 1),
    )
  })

  it('tells of slow statements by their shape alone', async () => {
    const statement = sql.raw("select 'se''cret' as a,\n 42 as b, 1::int as c1")
    await database.orm.execute(statement)
    expect(slowOnes).toEqual([])
    stepMs = 150
    await database.transaction(async (tx) => await tx.execute(statement))
    stepMs = 0
    const shape = 'select ? as a, ? as b, ?::int as c1'
    expect(slowOnes).toEqual([{ shape, durationMs: 150 }])
  })

  it('waits for a transaction when it closes', async () => {
    await using other = await open({})
    await migrateDatabase(other.database)
    const { promise: closing, resolve: close } = Promise.withResolvers<void>()
    const work = other.database.transaction(async (tx) => {
      await tx.insert(tenants).values(newTenant())
      close()
      // Whatever closing does at once has been done by then.
      await new Promise(setImmediate)
      await tx.insert(tenants).values(newTenant())
      return 'committed'
    })
    await closing
    await other.database.close()
    expect(await work).toBe('committed')
  })

  it('refuses everything once it is closed, and closes only once', async () => {
    await using other = await open({})
    const closed = other.database
    await Promise.all([closed.close(), closed.close()])
    expect(await codeOf(closed.orm.select().from(tenants).execute())).toBe('database_closed')
    expect(await codeOf(closed.transaction(async () => undefined))).toBe('database_closed')
    expect(await codeOf(closed.probe())).toBe('database_closed')
  })
})
