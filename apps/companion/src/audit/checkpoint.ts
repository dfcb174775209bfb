import { canonicalJson } from './canonical-json.ts'
import { type CheckpointKeys, type PublicKeys, verifySignature } from './checkpoint-keys.ts'
import { isJsonObject } from './event.ts'
import { type ChainHead, isHash, isMoment, isSequence } from './record.ts'

/**
 * Why a checkpoint was made. `interval`: in the course of things. `retention`: the records up to it were dropped, and
 * the chain begins behind it. `export`: it closes an exported file.
 */
export type CheckpointReason = 'interval' | 'retention' | 'export'

/** A signed statement that the chain up to a record came down to a hash. */
export interface Checkpoint extends ChainHead {
  /** When it was signed: UTC with milliseconds. */
  readonly at: string
  readonly reason: CheckpointReason
  /** Tells with which key it was signed. */
  readonly keyId: string
  /** Ed25519 over the other members, as base64url. */
  readonly signature: string
}

const DOMAIN = 'tidegate audit checkpoint v1\n'
const MEMBERS = 'at hash keyId reason seq signature'
const REASONS: readonly unknown[] = ['interval', 'retention', 'export'] satisfies CheckpointReason[]

/** Signs what the chain came down to, with the current key. */
export function signCheckpoint(
  keys: CheckpointKeys,
  head: ChainHead,
  reason: CheckpointReason,
  at: Date,
): Checkpoint {
  const { seq, hash } = head
  const statement = { seq, hash, at: at.toISOString(), reason, keyId: keys.keyId }
  return { ...statement, signature: keys.sign(signedText(statement)) }
}

/** Whether a checkpoint is as it was signed; `unknown_key` if none of the keys is the one it names. */
export function checkSignature(
  checkpoint: Checkpoint,
  publicKeys: PublicKeys,
): 'valid' | 'invalid' | 'unknown_key' {
  const key = publicKeys.get(checkpoint.keyId)
  if (!key) return 'unknown_key'
  const { signature, ...statement } = checkpoint
  return verifySignature(key, signedText(statement), signature) ? 'valid' : 'invalid'
}

/** The value as a checkpoint if it has just the members of one, each of its type. Its signature isn't looked at. */
export function asCheckpoint(value: unknown): Checkpoint | undefined {
  return isCheckpoint(value) ? value : undefined
}

function isCheckpoint(value: unknown): value is Checkpoint {
  return (
    isJsonObject(value) &&
    Object.keys(value).sort().join(' ') === MEMBERS &&
    isSequence(value.seq) &&
    isHash(value.hash) &&
    isMoment(value.at) &&
    REASONS.includes(value.reason) &&
    typeof value.keyId === 'string' &&
    typeof value.signature === 'string'
  )
}

function signedText(statement: Omit<Checkpoint, 'signature'>): string {
  return DOMAIN + canonicalJson(statement)
}
