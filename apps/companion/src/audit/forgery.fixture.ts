import { publicKeys } from './audit.fixture.ts'
import { AuditError, type AuditErrorCode } from './errors.ts'
import { type AuditRecord, hashOf } from './record.ts'
import type { ChainProblem, ChainVerdict } from './verdict.ts'
import { type ChainEvidence, verifyChain } from './verify-chain.ts'

/** A record as a forger would have it, under its old hash. */
export function forge(record: AuditRecord): AuditRecord {
  return { ...record, actor: 'forger' }
}

/** With the hash that it should have. */
export function rehashed(record: AuditRecord): AuditRecord {
  return { ...record, hash: hashOf(record) ?? '' }
}

/** Forges one record and leaves the others as they are. */
export function alter(seq: number): (records: readonly AuditRecord[]) => AuditRecord[] {
  return (records) => records.map((record) => (record.seq === seq ? forge(record) : record))
}

/** Forges one record and computes the chain from there on anew, as one would who can write everywhere. */
export function rewrittenFrom(seq: number): (records: readonly AuditRecord[]) => AuditRecord[] {
  return (records) => {
    const result: AuditRecord[] = []
    for (const record of alter(seq)(records)) {
      result.push(rehashed({ ...record, prevHash: result.at(-1)?.hash ?? record.prevHash }))
    }
    return result
  }
}

/** What `verifyChain` finds with the fixture's keys. */
export async function verdictOf(
  records: Iterable<unknown>,
  rest: Partial<ChainEvidence> = {},
): Promise<ChainVerdict> {
  return await verifyChain({ records, checkpoints: [], publicKeys, ...rest })
}

export async function problemOf(
  records: Iterable<unknown>,
  rest: Partial<ChainEvidence> = {},
): Promise<ChainProblem | undefined> {
  const verdict = await verdictOf(records, rest)
  return verdict.intact ? undefined : verdict.problem
}

/** The code of the error that a work fails with. */
export async function codeOf(work: Promise<unknown>): Promise<AuditErrorCode | undefined> {
  return await work.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof AuditError) return error.code
      throw error
    },
  )
}
