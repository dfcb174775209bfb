import { recordsBetween } from './pages.ts'
import type { AuditRecord, ChainHead } from './record.ts'
import type { AuditStore } from './store.ts'
import { type ChainProblem, type ChainVerdict, problems } from './verdict.ts'
import { type ChainEvidence, verifyChain } from './verify-chain.ts'

/** Reads the chain of a store, to which others may append meanwhile, and what the store takes for its head. */
export async function verifyStored<Tx>(
  store: AuditStore<Tx>,
  evidence: Omit<ChainEvidence, 'records'>,
): Promise<ChainVerdict> {
  const before = await headOf(store)
  let atHead: AuditRecord | undefined
  async function* records(): AsyncGenerator<AuditRecord, void> {
    // From the first on, whatever its number: one below 1 was put there by somebody else.
    for await (const record of recordsBetween(store, undefined, Number.MAX_SAFE_INTEGER)) {
      if (record.seq === before.seq) atHead = record
      yield record
    }
  }
  const verdict = await verifyChain({ ...evidence, records: records() })
  if (!verdict.intact) return verdict
  const problem = problemOf(before, await headOf(store), atHead, verdict.last)
  return problem ? { intact: false, problem } : verdict
}

function problemOf(
  before: ChainHead,
  after: ChainHead,
  atHead: AuditRecord | undefined,
  last: number,
): ChainProblem | undefined {
  if (last < before.seq) return problems.removed(last + 1, before.seq)
  if (after.seq < last) return problems.headTurnedBack(after.seq, last)
  return atHead && atHead.hash !== before.hash ? problems.headDisagrees(before.seq) : undefined
}

async function headOf<Tx>(store: AuditStore<Tx>): Promise<ChainHead> {
  return await store.exclusively(async ({ head }) => head)
}
