import { type Checkpoint, checkSignature, signCheckpoint } from './checkpoint.ts'
import { type CheckpointKeys, parsePublicKeys } from './checkpoint-keys.ts'
import { AuditError } from './errors.ts'
import { recordsBetween } from './pages.ts'
import { CHAIN_START, type ChainHead } from './record.ts'
import type { LockedChain } from './store.ts'
import { verifyChain } from './verify-chain.ts'

/** How a chain is kept. */
export interface Keeping {
  readonly keys: CheckpointKeys
  readonly at: Date
  /** What is known to have been signed before. */
  readonly signed: ChainHead | undefined
  /** How many records are to stay. */
  readonly keep: number
}

// Fine enough to tell where a chain was rewritten, and few enough to be read at once.
const CHECKPOINTS_PER_KEEP = 100

/** Verifies what came since the last checkpoint, and signs it. */
export async function signHead(
  chain: LockedChain,
  keeping: Keeping,
): Promise<Checkpoint | undefined> {
  const kept = await renewed(chain, await chain.checkpoints(), keeping)
  const last = kept.at(-1)
  refuseTurnedBack(last, keeping.signed)
  const start = last ?? CHAIN_START
  const { head } = chain
  if (head.seq === start.seq && head.hash === start.hash) return undefined
  if (head.seq <= start.seq)
    throw broken(`It was signed up to record ${start.seq}, and ends before.`)
  await requireIntact(chain, start, head, keeping.keys)
  const checkpoint = signCheckpoint(keeping.keys, head, 'interval', keeping.at)
  await chain.save(checkpoint)
  await thinOut(chain, kept, keeping.keep)
  return checkpoint
}

/** Drops what is more than is to stay, under a signature. What is dropped is vouched for by a checkpoint behind it. */
export async function dropSurplus(
  chain: LockedChain,
  keeping: Keeping,
): Promise<{ readonly checkpoint: Checkpoint | undefined; readonly dropped: number }> {
  const { keys, keep, at } = keeping
  const through = chain.head.seq - keep
  const [first] = await chain.records({ order: 'ascending', limit: 1 })
  if (!first || first.seq > through) return { checkpoint: undefined, dropped: 0 }
  const checkpoint = await signHead(chain, keeping)
  const checkpoints = await chain.checkpoints()
  const begun = checkpoints.findLast(({ reason }) => reason === 'retention')
  const behind = checkpoints.find(({ seq }) => seq >= through)
  if (!behind) throw new TypeError('The store has lost the checkpoint that it was given')
  requireSigned([behind, ...(begun ? [begun] : [])], keys)
  const start = begun ?? CHAIN_START
  await requireIntact(chain, start, behind, keys)
  const [last] = await chain.records({ order: 'ascending', after: through - 1, limit: 1 })
  if (!last) throw new TypeError('The store has lost a record that it gave just now')
  await chain.save(signCheckpoint(keys, last, 'retention', at))
  await chain.drop(through)
  return { checkpoint, dropped: through - start.seq }
}

/** The checkpoints, once all are known to be right and signed with the current key. */
async function renewed(
  chain: LockedChain,
  checkpoints: readonly Checkpoint[],
  { keys, at }: Keeping,
): Promise<readonly Checkpoint[]> {
  const last = checkpoints.at(-1)
  const old = checkpoints.filter(({ keyId }) => keyId !== keys.keyId)
  requireSigned([...old, ...(last ? [last] : [])], keys)
  for (const checkpoint of old) {
    await chain.save(signCheckpoint(keys, checkpoint, checkpoint.reason, at))
  }
  return checkpoints
}

function requireSigned(checkpoints: readonly Checkpoint[], keys: CheckpointKeys): void {
  const publicKeys = parsePublicKeys(keys.publicKeys.values())
  for (const checkpoint of checkpoints) {
    const isOurs =
      checkpoint.reason !== 'export' && checkSignature(checkpoint, publicKeys) === 'valid'
    if (!isOurs) {
      throw broken(
        `The checkpoint at record ${checkpoint.seq} isn't signed with a key of this service.`,
      )
    }
  }
}

function refuseTurnedBack(last: Checkpoint | undefined, signed: ChainHead | undefined): void {
  if (!signed) return
  const isSame = last?.seq === signed.seq && last.hash === signed.hash
  if (isSame || (last?.seq ?? 0) > signed.seq) return
  throw broken(`The checkpoint that this process has made at record ${signed.seq} is gone.`)
}

async function requireIntact(
  chain: LockedChain,
  start: ChainHead,
  end: ChainHead,
  keys: CheckpointKeys,
): Promise<void> {
  const verdict = await verifyChain({
    records: recordsBetween(chain, start.seq, end.seq),
    checkpoints: [],
    publicKeys: keys.publicKeys.values(),
    start,
    end,
  })
  if (!verdict.intact) throw broken(verdict.problem.message)
}

/** Drops the checkpoint before the last one if it is near to the one before it: the last one covers it. */
async function thinOut(
  chain: LockedChain,
  before: readonly Checkpoint[],
  keep: number,
): Promise<void> {
  const [earlier, latest] = [before.at(-2), before.at(-1)]
  if (latest?.reason !== 'interval') return
  if (latest.seq - (earlier?.seq ?? 0) < keep / CHECKPOINTS_PER_KEEP) await chain.forget(latest.seq)
}

function broken(what: string): AuditError {
  return new AuditError(
    'chain_broken',
    `The audit chain isn't as it was written, and nothing was signed. ${what}`,
  )
}
