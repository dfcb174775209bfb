import { sql } from 'drizzle-orm'
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import type { Database } from './database.ts'
import { appliedMigrations, knownMigrations } from './migrate.ts'
import type { Queries } from './queries.ts'
import { tables } from './schema.ts'

/** One table as it is. */
interface TableReport {
  readonly name: string
  /** Undefined when there is no such table. */
  readonly rows: number | undefined
}

/** What was found of the database. */
export interface VerificationReport {
  readonly ok: boolean
  readonly kind: Database['kind']
  /** What PostgreSQL calls itself. */
  readonly server: string
  readonly migrations: {
    readonly applied: number
    readonly missing: number
    /** Of a newer release: such a database is used as it is. */
    readonly unknown: number
  }
  readonly tables: readonly TableReport[]
  /** What isn't as this release expects it, a sentence each. Empty when all is well. */
  readonly problems: readonly string[]
}

interface Column {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
}

type ColumnRow = Record<string, unknown> & {
  table: string
  column: string
  type: string
  nullable: boolean
}

async function columnsByTable(tx: Queries): Promise<ReadonlyMap<string, readonly Column[]>> {
  const { rows } = await tx.execute<ColumnRow>(sql`
    select c.relname as "table", a.attname as "column",
      format_type(a.atttypid, a.atttypmod) as "type", not a.attnotnull as "nullable"
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = current_schema()::regnamespace
      and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`)
  const byTable = Map.groupBy(rows, ({ table }) => table)
  const plain = ({ column, type, nullable }: ColumnRow) => ({ name: column, type, nullable })
  return new Map([...byTable].map(([table, list]) => [table, list.map(plain)]))
}

/** PostgreSQL writes a type's precision where Drizzle does, but without the space. */
function sameType(one: string, other: string): boolean {
  return one.replaceAll(' ', '') === other.replaceAll(' ', '')
}

function problemsOf(table: PgTable, found: readonly Column[] | undefined): string[] {
  const { name, columns } = getTableConfig(table)
  if (found === undefined) return [`Table ${name} is missing.`]
  return columns.flatMap((expected) => {
    const where = `Column ${name}.${expected.name}`
    const column = found.find((each) => each.name === expected.name)
    if (column === undefined) return [`${where} is missing.`]
    const type = expected.getSQLType()
    if (!sameType(column.type, type)) return [`${where} is ${column.type} instead of ${type}.`]
    if (column.nullable === !expected.notNull) return []
    return [`${where} ${column.nullable ? 'may' : "can't"} be null, unlike this release's.`]
  })
}

async function countRows(tx: Queries, table: PgTable, exists: boolean): Promise<TableReport> {
  const { name } = getTableConfig(table)
  return { name, rows: exists ? await tx.$count(table) : undefined }
}

async function verifyMigrations(tx: Queries) {
  const known = knownMigrations().map(({ hash }) => hash)
  const applied = (await appliedMigrations(tx)) ?? []
  const differs = applied.some((hash, index) => index < known.length && hash !== known[index])
  const missing = Math.max(0, known.length - applied.length)
  const unknown = Math.max(0, applied.length - known.length)
  const problems = [
    ...(differs ? ['The migrations applied are not those of this release.'] : []),
    ...(missing > 0 ? [`${missing} migrations are missing: run "db migrate".`] : []),
  ]
  return { counts: { applied: applied.length, missing, unknown }, problems }
}

/** Compares the database with what this release expects, and counts its rows. Changes nothing. */
export async function verifyDatabase(database: Database): Promise<VerificationReport> {
  const work = async (tx: Queries): Promise<VerificationReport> => {
    const named = sql`select current_setting('server_version') as version`
    const [server] = (await tx.execute<{ version: string }>(named)).rows
    const migrations = await verifyMigrations(tx)
    const found = await columnsByTable(tx)
    const reports: TableReport[] = []
    for (const table of tables) {
      reports.push(await countRows(tx, table, found.has(getTableConfig(table).name)))
    }
    const shape = tables.flatMap((table) =>
      problemsOf(table, found.get(getTableConfig(table).name)),
    )
    const problems = [...migrations.problems, ...shape]
    return {
      ok: problems.length === 0,
      kind: database.kind,
      server: server?.version ?? '',
      migrations: migrations.counts,
      tables: reports,
      problems,
    }
  }
  return await database.transaction(work, { readOnly: true })
}
