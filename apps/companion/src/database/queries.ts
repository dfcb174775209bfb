import { fillPlaceholders, type Query, type SQL } from 'drizzle-orm'
import {
  PgDatabase,
  PgDialect,
  PgPreparedQuery,
  type PgQueryResultHKT,
  PgSession,
  type PreparedQueryConfig,
  type SelectedFieldsOrdered,
} from 'drizzle-orm/pg-core'
import { mapResultRow } from 'drizzle-orm/utils'

declare module 'drizzle-orm/utils' {
  // What Drizzle's own sessions map a row by; its types leave it out.
  export function mapResultRow(
    columns: SelectedFieldsOrdered,
    row: unknown[],
    joinsNotNullableMap: Record<string, boolean> | undefined,
  ): unknown
}

/** One statement as a driver gets it. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** How rows come back: arrays of columns in order, or objects by column name. */
  readonly rows: 'arrays' | 'objects'
  /** Milliseconds after which it is given up, where the driver can. */
  readonly timeoutMs?: number
}

/** What a statement gave. */
export interface StatementResult<Row = unknown> {
  readonly rows: Row[]
}

/** Runs one statement: what a driver, or a transaction of one, is to the query builder. */
export type RunStatement = (statement: Statement) => Promise<StatementResult>

interface ResultKind extends PgQueryResultHKT {
  readonly type: StatementResult<this['row']>
}

type Builder = PgDatabase<ResultKind, Record<string, never>>

/**
 * Drizzle's query builder over either driver, of a transaction or outside of one. Transactions are
 * begun by `Database.transaction` alone, so that their rules hold for every statement.
 */
export type Queries = Pick<
  Builder,
  | '$count'
  | '$with'
  | 'delete'
  | 'execute'
  | 'insert'
  | 'select'
  | 'selectDistinct'
  | 'update'
  | 'with'
>

interface Shape {
  readonly fields: SelectedFieldsOrdered | undefined
  readonly mapRows: ((rows: unknown[][]) => unknown) | undefined
}

class PreparedStatement<T extends PreparedQueryConfig> extends PgPreparedQuery<T> {
  /** Set by the builder of a select with joins. */
  joinsNotNullableMap: Record<string, boolean> | undefined
  readonly #run: RunStatement
  readonly #shape: Shape

  constructor(query: Query, run: RunStatement, shape: Shape) {
    super(query, undefined, undefined)
    this.#run = run
    this.#shape = shape
  }

  // Not through the base's queryWithCache: its error quotes every parameter.
  override async execute(placeholders: Record<string, unknown> = {}): Promise<T['execute']> {
    const text = this.query.sql
    const values = fillPlaceholders(this.query.params, placeholders)
    const { fields, mapRows } = this.#shape
    if (fields === undefined && mapRows === undefined) {
      return await this.#run({ text, values, rows: 'objects' })
    }
    const result = await this.#run({ text, values, rows: 'arrays' })
    const rows = result.rows as unknown[][]
    if (mapRows !== undefined) return mapRows(rows)
    const ordered = fields ?? []
    return rows.map((row) => mapResultRow(ordered, row, this.joinsNotNullableMap))
  }

  async all(placeholders: Record<string, unknown> = {}): Promise<unknown[]> {
    const values = fillPlaceholders(this.query.params, placeholders)
    return (await this.#run({ text: this.query.sql, values, rows: 'objects' })).rows
  }

  isResponseInArrayMode(): boolean {
    return false
  }
}

class Session extends PgSession<ResultKind> {
  readonly #run: RunStatement

  constructor(dialect: PgDialect, run: RunStatement) {
    super(dialect)
    this.#run = run
  }

  override prepareQuery<T extends PreparedQueryConfig>(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    _name: string | undefined,
    _isResponseInArrayMode: boolean,
    mapRows?: (rows: unknown[][]) => T['execute'],
  ): PgPreparedQuery<T> {
    return new PreparedStatement<T>(query, this.#run, { fields, mapRows })
  }

  override async count(query: SQL): Promise<number> {
    const { rows } = await this.execute<StatementResult<{ count: number }>>(query)
    return Number(rows[0]?.count)
  }

  override transaction(): Promise<never> {
    throw new TypeError('Transactions are begun by Database.transaction')
  }
}

/** The query builder whose statements `run` runs. */
export function createQueries(run: RunStatement): Queries {
  const dialect = new PgDialect()
  return new PgDatabase<ResultKind, Record<string, never>>(
    dialect,
    new Session(dialect, run),
    undefined,
  )
}
