import { AuditError } from './errors.ts'
import { keepable } from './event.ts'
import type { AuditRecord } from './record.ts'
import type { AuditFilter, RecordRange } from './store.ts'

/** What is asked for, the latest records first. */
export interface AuditQuery extends AuditFilter {
  /** How many at most, 1 to 1,000. Default: 50. */
  readonly limit?: number | undefined
  /** Goes on where a page ended: its `next`, with the same filter. */
  readonly cursor?: string | undefined
}

/** One page of an answer. */
export interface AuditPage {
  readonly records: readonly AuditRecord[]
  /** The cursor of the page behind this one; undefined if this is the last. */
  readonly next: string | undefined
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1_000
const MAX_TEXT = 500
const CURSOR = /^audit\.([1-9]\d{0,15})$/

/**
 * The stretch of records that a query asks for.
 *
 * @throws AuditError `invalid_query` with the member that can't be answered
 */
export function rangeOf(query: AuditQuery): RecordRange & { readonly order: 'descending' } {
  const { limit = DEFAULT_LIMIT, cursor } = query
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalid('limit', `has to be a whole number from 1 to ${MAX_LIMIT}`)
  }
  return {
    tenant: filterText('tenant', query.tenant),
    actor: filterText('actor', query.actor),
    type: filterText('type', query.type),
    since: filterTime('since', query.since),
    until: filterTime('until', query.until),
    order: 'descending',
    after: cursor === undefined ? undefined : parseCursor(cursor),
    limit,
  }
}

/** Where the page behind a record begins. */
export function cursorBehind({ seq }: AuditRecord): string {
  return Buffer.from(`audit.${seq}`).toString('base64url')
}

function parseCursor(cursor: string): number {
  const [, seq] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (seq && Number.isSafeInteger(Number(seq))) return Number(seq)
  throw invalid('cursor', "has to be the 'next' of a page, as it was given")
}

function filterText(member: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (text.length > MAX_TEXT) throw invalid(member, `has more than ${MAX_TEXT} characters`)
  return keepable(text)
}

function filterTime(member: string, time: Date | undefined): Date | undefined {
  const year = time?.getUTCFullYear() ?? 1
  if (year >= 1 && year <= 9999) return time
  throw invalid(member, 'has to be a time in the years 1 to 9999')
}

function invalid(member: string, problem: string): AuditError {
  return new AuditError('invalid_query', `The query's ${member} ${problem}.`)
}
