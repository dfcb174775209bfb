import { canonicalJson } from './canonical-json.ts'
import type { Checkpoint } from './checkpoint.ts'
import { AuditError } from './errors.ts'
import type { AuditRecord } from './record.ts'

/** What the first line of an export says of its form. */
export const EXPORT_FORM = { format: 'tidegate-audit', version: 1 } as const

/** What goes into an export. */
export interface ExportParts {
  /** Signs what the chain ends with; undefined if it has no record. */
  readonly end: Checkpoint | undefined
  readonly checkpoints: readonly Checkpoint[]
  readonly records: AsyncIterable<AuditRecord>
  /** Whether records were dropped since. */
  wasTrimmed(): Promise<boolean>
}

/**
 * The lines of an export, each in canonical form: first `{"end":…,"format":"tidegate-audit","version":1}` with the
 * signed end, then each checkpoint as `{"checkpoint":…}`, then each record as `{"record":…}`.
 */
export async function* exportTrail(parts: ExportParts): AsyncGenerator<string, void> {
  const { end, checkpoints, records, wasTrimmed } = parts
  yield line({ ...EXPORT_FORM, end: end ?? null })
  for (const checkpoint of checkpoints) yield line({ checkpoint })
  let last: number | undefined
  for await (const record of records) {
    const isGap = last === undefined || record.seq !== last + 1
    if (isGap && (await wasTrimmed())) throw interrupted()
    last = record.seq
    yield line({ record })
  }
  if (last === undefined && (await wasTrimmed())) throw interrupted()
}

function line(value: object): string {
  return `${canonicalJson(value)}\n`
}

function interrupted(): AuditError {
  return new AuditError(
    'export_interrupted',
    'Records were dropped while the audit trail was being exported: export it again.',
  )
}
