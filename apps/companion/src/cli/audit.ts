import { createLogger } from '@tidegate/logger'
import { verifyExportFile } from '../audit/verify-export.ts'
import type { Settings } from '../config/settings.ts'
import { findKeyRing } from '../secrets.ts'
import { checkpointKeysOf, openAudit, openStore } from '../store.ts'
import type { Shell } from './run.ts'

/** Writes the whole audit log to stdout, in the form that `audit verify` reads. */
export async function exportAudit(settings: Settings, { out }: Shell): Promise<number> {
  const store = await openStore(settings)
  try {
    const audit = openAudit(store, createLogger({ level: 'silent' }))
    for await (const line of audit.exportNdjson()) out(line)
    return 0
  } finally {
    await store.database.close()
  }
}

/** Says whether an exported audit log is as it was written, and otherwise which record was touched first. */
export async function verifyAuditFile(
  settings: Settings,
  { file, keys }: { readonly file: string; readonly keys: readonly string[] },
  { out, err }: Shell,
): Promise<number> {
  const publicKeys = keys.length > 0 ? keys : await ownKeys(settings)
  if (publicKeys.length === 0) {
    err('Say who may have signed it: give --keys, or the ENCRYPTION_SECRET of the companion.\n')
    return 1
  }
  const verdict = await verifyExportFile(file, { publicKeys })
  if (!verdict.intact) {
    const { seq, reason, message } = verdict.problem
    out(`Not intact: record ${seq}, ${reason}. ${message}\n`)
    return 1
  }
  const { records, first, last, provenThrough } = verdict
  out(`Intact: ${records} records, ${first} to ${last}, vouched for through ${provenThrough}.\n`)
  return 0
}

async function ownKeys(settings: Settings): Promise<readonly string[]> {
  const ring = await findKeyRing(settings)
  return ring === undefined ? [] : [...checkpointKeysOf(ring).publicKeys.values()]
}
