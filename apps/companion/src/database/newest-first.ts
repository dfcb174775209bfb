import { and, desc, eq, lt, or, type SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** Where a page of a list ended: what comes after it is older, or as old with a smaller id. */
export interface Position {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly id: string
}

/** A stretch of a list. */
export interface Page {
  readonly limit: number
  readonly after: Position | undefined
}

interface Columns {
  readonly createdAt: PgColumn
  readonly id: PgColumn
}

/** The order of lists, the newest first, and what of one comes behind a position. */
export function newestFirst(
  { createdAt, id }: Columns,
  after: Position | undefined,
): { readonly behind: SQL | undefined; readonly order: readonly [SQL, SQL] } {
  const at = after && new Date(after.at)
  return {
    behind: at && or(lt(createdAt, at), and(eq(createdAt, at), lt(id, after.id))),
    order: [desc(createdAt), desc(id)],
  }
}
