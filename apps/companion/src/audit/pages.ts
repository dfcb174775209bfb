import type { AuditRecord } from './record.ts'
import type { RecordRange } from './store.ts'

const PAGE = 500

/** The records behind one, or from the first on, up to another, in order and page by page, so that no more than a page is held. */
export async function* recordsBetween(
  reader: { records(range: RecordRange): Promise<readonly AuditRecord[]> },
  after: number | undefined,
  through: number,
): AsyncGenerator<AuditRecord, void> {
  let last = after
  for (;;) {
    const page = await reader.records({ order: 'ascending', after: last, limit: PAGE })
    for (const record of page) {
      if (record.seq > through) return
      last = record.seq
      yield record
    }
    if (page.length < PAGE) return
  }
}
