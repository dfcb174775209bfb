import { asCheckpoint, type Checkpoint, checkSignature } from './checkpoint.ts'
import type { PublicKeys } from './checkpoint-keys.ts'
import { CHAIN_START, type ChainHead } from './record.ts'
import { type ChainProblem, problems } from './verdict.ts'

/** What is known of a chain apart from its records. */
export interface Marks {
  /** Behind which the chain begins. */
  readonly start: ChainHead
  /** The furthest record of which something is known. */
  readonly furthest: number
  /** What a record's hash has to be, where that is known. */
  hashAt(seq: number): string | undefined
}

/** Checks the signatures and gathers what is signed and what is known; or says what is wrong. */
export function readMarks(
  checkpoints: readonly unknown[],
  known: readonly ChainHead[],
  publicKeys: PublicKeys,
): Marks | { readonly problem: ChainProblem } {
  const hashes = new Map(known.map(({ seq, hash }) => [seq, hash]))
  let start = CHAIN_START
  for (const [index, value] of checkpoints.entries()) {
    const checkpoint = asCheckpoint(value)
    if (!checkpoint) return { problem: problems.malformedCheckpoint(index) }
    const { seq, hash, reason } = checkpoint
    const problem = problemOf(checkpoint, publicKeys)
    if (problem) return { problem }
    if ((hashes.get(seq) ?? hash) !== hash) return { problem: problems.rewritten(seq, seq) }
    hashes.set(seq, hash)
    if (reason === 'retention' && seq > start.seq) start = { seq, hash }
  }
  const furthest = hashes.keys().reduce((a, b) => Math.max(a, b), 0)
  return { start, furthest, hashAt: (seq) => hashes.get(seq) }
}

function problemOf(checkpoint: Checkpoint, publicKeys: PublicKeys): ChainProblem | undefined {
  const { seq, keyId, reason } = checkpoint
  // It belongs to its file alone: whoever may export could have any chain signed and keep the signature.
  if (reason === 'export') return problems.badCheckpoint(seq)
  const result = checkSignature(checkpoint, publicKeys)
  if (result === 'unknown_key') return problems.unknownKey(seq, keyId)
  return result === 'invalid' ? problems.badCheckpoint(seq) : undefined
}
