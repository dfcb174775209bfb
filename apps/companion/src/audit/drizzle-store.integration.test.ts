import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../database/database.ts'
import {
  embeddedDatabase,
  postgresDatabase,
  type TestDatabase,
} from '../database/databases.fixture.ts'
import { migrateDatabase } from '../database/migrate.ts'
import type { Queries } from '../database/queries.ts'
import { auditCheckpoints, auditHead, auditRecords, tenants } from '../database/schema.ts'
import { eventOf, keys, publicKeys } from './audit.fixture.ts'
import { drizzleAuditStore } from './drizzle-store.ts'
import { AuditError } from './errors.ts'
import { CHAIN_START } from './record.ts'
import { auditStoreConformance } from './store-conformance.ts'
import { type AuditTrail, createAuditTrail } from './trail.ts'
import { verifyExport } from './verify-export.ts'

const kinds = [
  { name: 'the embedded database', open: embeddedDatabase },
  { name: 'PostgreSQL', open: postgresDatabase },
]

async function empty(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.delete(auditRecords)
    await tx.delete(auditCheckpoints)
    await tx.delete(auditHead)
    await tx.insert(auditHead).values({ id: 1, ...CHAIN_START })
  })
}

async function* bytesOf(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array, void> {
  for await (const line of lines) yield Buffer.from(line)
}

describe.each(kinds)('drizzleAuditStore on $name', ({ open }) => {
  let test: TestDatabase
  let database: Database
  let other: Database
  let trail: AuditTrail<Queries>

  beforeAll(async () => {
    test = await open()
    database = test.database
    other = (await test.openAgain?.()) ?? database
    await migrateDatabase(database)
  })

  beforeEach(async () => {
    await empty(database)
    trail = createAuditTrail({ store: drizzleAuditStore(database), keys, keep: 20 })
  })

  afterAll(async () => await test[Symbol.asyncDispose]())

  for (const { name, run } of auditStoreConformance) {
    it(name, async () => {
      await run({
        open: async () => [drizzleAuditStore(database), drizzleAuditStore(other)],
      })
    })
  }

  const fill = async (count: number) =>
    await trail.appendAll(Array.from({ length: count }, (_, at) => eventOf(at)))

  it('keeps records with the transaction that appends them', async () => {
    const id = `tenant-${Math.random()}`
    const tenant = { id, name: 'x', createdAt: new Date() }
    const given = database.transaction(async (tx) => {
      await tx.insert(tenants).values(tenant)
      await trail.append(eventOf(1), tx)
      throw new RangeError('given up')
    })
    await expect(given).rejects.toThrow(RangeError)
    expect(await trail.verify()).toMatchObject({ intact: true, last: 0 })
    await database.transaction(async (tx) => {
      await tx.insert(tenants).values(tenant)
      await trail.append(eventOf(1), tx)
      await trail.append(eventOf(2), tx)
    })
    expect(await trail.verify()).toMatchObject({ intact: true, last: 2 })
  })

  it('leaves no gap where some of many transactions are rolled back', async () => {
    const away = createAuditTrail({ store: drizzleAuditStore(other), keys })
    const works = Array.from({ length: 30 }, (_, at) => {
      const [where, by] = at % 2 === 0 ? [database, trail] : [other, away]
      return where.transaction(async (tx) => {
        await by.append(eventOf(at), tx)
        if (at % 3 === 0) throw new RangeError('given up')
      })
    })
    const done = await Promise.allSettled(works)
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    expect(await trail.verify()).toMatchObject({ intact: true, records: 20, last: 20 })
  })

  it('refuses to append past a transaction that is open', async () => {
    const work = database.transaction(async () => await trail.append(eventOf(1)))
    await expect(work).rejects.toMatchObject({ code: 'outside_transaction' })
  })

  it('signs, drops and exports a chain that proves itself', async () => {
    await fill(50)
    await trail.checkpoint()
    await fill(5)
    expect(await trail.retain()).toBe(35)
    expect(await trail.verify()).toMatchObject({ intact: true, first: 36, last: 55 })
    const verdict = await verifyExport(bytesOf(trail.exportNdjson()), { publicKeys })
    expect(verdict).toEqual({ intact: true, records: 20, first: 36, last: 55, provenThrough: 55 })
  })

  it('names what was changed by hand in the tables', async () => {
    const set = (assignment: ReturnType<typeof sql>) =>
      database.orm.execute(sql`update audit_records set ${assignment} where seq = 7`)
    const changes = [
      sql`actor = 'forger'`,
      sql`tenant = 'forger'`,
      sql`type = 'forger'`,
      sql`ip = null`,
      sql`request_id = 'forger'`,
      sql`at = at + interval '1 millisecond'`,
      sql`details = details || '{"more": 1}'`,
      sql`details = details - 'at'`,
      sql`prev_hash = repeat('f', 64)`,
      sql`hash = repeat('f', 64)`,
    ]
    for (const change of changes) {
      await empty(database)
      await fill(10)
      await set(change)
      expect(await trail.verify()).toMatchObject({ problem: { reason: 'altered', seq: 7 } })
    }
    const nonsense = [
      sql`at = 'infinity'`,
      sql`details = '[]'`,
      sql`details = 'null'`,
      sql`details = '{"a": 1e400}'`,
      sql`hash = 'none'`,
      sql`seq = -7`,
    ]
    for (const change of nonsense) {
      await empty(database)
      await fill(10)
      await set(change)
      expect((await trail.verify()).intact).toBe(false)
    }
    await empty(database)
    await fill(10)
    await database.orm.execute(
      sql`insert into audit_records select -1, at, tenant, type, actor, details, ip, request_id, prev_hash, hash from audit_records where seq = 7`,
    )
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'malformed', position: 1 } })
  })

  it('names what was removed or exchanged by hand, and a checkpoint that was touched', async () => {
    await fill(10)
    await trail.checkpoint()
    await database.orm.delete(auditRecords).where(eq(auditRecords.seq, 10))
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'removed', seq: 10 } })
    await database.orm.delete(auditRecords).where(eq(auditRecords.seq, 4))
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'removed', seq: 4 } })
    await database.orm.execute(sql`update audit_records set seq = 4 where seq = 9`)
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'altered', seq: 4 } })
    await database.orm.update(auditCheckpoints).set({ reason: 'retention' })
    expect(await trail.verify()).toMatchObject({ problem: { reason: 'bad_checkpoint', seq: 10 } })
  })

  it('says when the head is gone, and appends nothing', async () => {
    await fill(2)
    await database.orm.delete(auditHead)
    await expect(trail.append(eventOf(3))).rejects.toThrow(AuditError)
    await expect(trail.append(eventOf(3))).rejects.toMatchObject({ code: 'chain_broken' })
  })

  it('answers queries from the tables', async () => {
    await fill(9)
    const { records, next } = await trail.query({ actor: 'actor-1', type: 'api_key.*', limit: 2 })
    expect([records.map(({ seq }) => seq), typeof next]).toEqual([[8, 5], 'string'])
    const rest = await trail.query({ actor: 'actor-1', type: 'api_key.*', limit: 2, cursor: next })
    expect([rest.records.map(({ seq }) => seq), rest.next]).toEqual([[2], undefined])
    const hostile = ['\0', '\ud800', "'; drop table audit_records; --", '%']
    for (const actor of hostile) expect((await trail.query({ actor })).records).toEqual([])
    const edges = {
      since: new Date('0001-01-01T00:00:00Z'),
      until: new Date('9999-12-31T23:59:59Z'),
    }
    expect((await trail.query(edges)).records).toHaveLength(9)
  })
})
