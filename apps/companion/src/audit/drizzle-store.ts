import { and, asc, desc, eq, gt, gte, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import type { Queries } from '../database/queries.ts'
import { auditCheckpoints, auditHead, auditRecords } from '../database/schema.ts'
import type { Checkpoint, CheckpointReason } from './checkpoint.ts'
import { AuditError } from './errors.ts'
import type { AuditRecord, ChainHead } from './record.ts'
import { type AuditStore, type LockedChain, type RecordRange, typePrefix } from './store.ts'

// PostgreSQL takes 65,535 values in a statement.
const ROWS_PER_INSERT = 1_000

/**
 * Keeps the chain in a database's tables. Who changes it locks the row of its head until the transaction's end, so
 * numbers have no gaps, whichever process or transaction they come from.
 */
export function drizzleAuditStore(database: Database): AuditStore<Queries> {
  return {
    async exclusively(work, tx) {
      const locked = async (queries: Queries) => work(await LockedTables.lock(queries))
      return tx ? await locked(tx) : await database.transaction(locked)
    },
    records: (range) => selectRecords(database.orm, range),
    checkpoints: () => selectCheckpoints(database.orm),
  }
}

class LockedTables implements LockedChain {
  readonly #tx: Queries
  #head: ChainHead

  constructor(tx: Queries, head: ChainHead) {
    this.#tx = tx
    this.#head = head
  }

  static async lock(tx: Queries): Promise<LockedTables> {
    const { seq, hash, id } = auditHead
    const rows = await tx.select({ seq, hash }).from(auditHead).where(eq(id, 1)).for('update')
    const [head] = rows
    if (head) return new LockedTables(tx, head)
    throw new AuditError(
      'chain_broken',
      "The audit chain isn't as it was written: its head is gone. Restore the table audit_head from a backup.",
    )
  }

  get head(): ChainHead {
    return this.#head
  }

  async append(records: readonly AuditRecord[]): Promise<void> {
    const last = records.at(-1)
    if (!last) return
    for (let from = 0; from < records.length; from += ROWS_PER_INSERT) {
      const rows = records.slice(from, from + ROWS_PER_INSERT).map(rowOf)
      await this.#tx.insert(auditRecords).values(rows)
    }
    const { seq, hash } = last
    await this.#tx.update(auditHead).set({ seq, hash }).where(eq(auditHead.id, 1))
    this.#head = { seq, hash }
  }

  async records(range: RecordRange): Promise<readonly AuditRecord[]> {
    return await selectRecords(this.#tx, range)
  }

  async checkpoints(): Promise<readonly Checkpoint[]> {
    return await selectCheckpoints(this.#tx)
  }

  async save(checkpoint: Checkpoint): Promise<void> {
    await this.forget(checkpoint.seq)
    const row = { ...checkpoint, at: new Date(checkpoint.at) }
    await this.#tx.insert(auditCheckpoints).values(row)
  }

  async forget(seq: number): Promise<void> {
    await this.#tx.delete(auditCheckpoints).where(eq(auditCheckpoints.seq, seq))
  }

  async drop(through: number): Promise<void> {
    await this.#tx.delete(auditRecords).where(lte(auditRecords.seq, through))
    await this.#tx.delete(auditCheckpoints).where(lt(auditCheckpoints.seq, through))
  }
}

async function selectRecords(
  queries: Queries,
  range: RecordRange,
): Promise<readonly AuditRecord[]> {
  const { seq } = auditRecords
  const rows = await queries
    .select()
    .from(auditRecords)
    .where(and(...conditionsOf(range)))
    .orderBy(range.order === 'ascending' ? asc(seq) : desc(seq))
    .limit(range.limit)
  return rows.map((row) => ({ ...row, at: textOf(row.at) }))
}

function conditionsOf(range: RecordRange): SQL[] {
  const { order, after, tenant, actor, type, since, until } = range
  const conditions: SQL[] = []
  if (after !== undefined) {
    conditions.push((order === 'ascending' ? gt : lt)(auditRecords.seq, after))
  }
  if (tenant !== undefined) conditions.push(eq(auditRecords.tenant, tenant))
  if (actor !== undefined) conditions.push(eq(auditRecords.actor, actor))
  if (type !== undefined) conditions.push(isOfType(type))
  if (since) conditions.push(gte(auditRecords.at, since))
  if (until) conditions.push(lt(auditRecords.at, until))
  return conditions
}

function isOfType(type: string): SQL {
  const prefix = typePrefix(type)
  // Not LIKE, for which _ stands for anything.
  return prefix === undefined
    ? eq(auditRecords.type, type)
    : sql`starts_with(${auditRecords.type}, ${prefix})`
}

async function selectCheckpoints(queries: Queries): Promise<readonly Checkpoint[]> {
  const { seq, hash, at, reason, keyId, signature, id } = auditCheckpoints
  const rows = await queries
    .select({ seq, hash, at, reason, keyId, signature })
    .from(auditCheckpoints)
    .orderBy(asc(seq), asc(id))
  // Another text can stand there only if somebody has put it there: its signature shows that.
  return rows.map((row) => ({
    ...row,
    at: textOf(row.at),
    reason: row.reason as CheckpointReason,
  }))
}

function rowOf(record: AuditRecord): typeof auditRecords.$inferInsert {
  return { ...record, at: new Date(record.at) }
}

/** The time as a text; what is none, such as PostgreSQL's `infinity`, becomes a text that is none. */
function textOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? String(at) : at.toISOString()
}
