import fc from 'fast-check'
import type { Json } from './canonical-json.ts'
import { type Checkpoint, type CheckpointReason, signCheckpoint } from './checkpoint.ts'
import { type CheckpointKeys, createCheckpointKeys } from './checkpoint-keys.ts'
import { type AuditEvent, completeEvent } from './event.ts'
import { type AuditRecord, CHAIN_START, linkRecord } from './record.ts'

/** Keys of a secret; the same for the same. */
export function keysOf(secret: string, ...previous: readonly string[]): CheckpointKeys {
  const sourceOf = (text: string) => ({ reveal: () => text })
  return createCheckpointKeys({ current: sourceOf(secret), previous: previous.map(sourceOf) })
}

export const keys: CheckpointKeys = keysOf('one')
export const publicKeys: readonly string[] = [...keys.publicKeys.values()]

/** The moment at which fixtures begin; each record is a second later. */
export const begun: number = Date.UTC(2026, 0, 31, 12)

export function eventOf(at: number, rest: Partial<AuditEvent> = {}): AuditEvent {
  const details = { at, list: [at, null, { deep: `ü${at}` }] }
  const actor = `actor-${at % 3}`
  const requestId = at % 2 === 0 ? `request-${at}` : undefined
  return { tenant: 'acme', type: 'api_key.created', actor, details, requestId, ip: '::1', ...rest }
}

/** A chain of records from 1 on. */
export function chainOf(length: number): AuditRecord[] {
  const records: AuditRecord[] = []
  for (let at = 1; at <= length; at += 1) {
    const head = records.at(-1) ?? CHAIN_START
    records.push(linkRecord(head, completeEvent(eventOf(at)), new Date(begun + at * 1_000)))
  }
  return records
}

/** The record of a number. */
export function recordAt(records: readonly AuditRecord[], seq: number): AuditRecord {
  const record = records.find((each) => each.seq === seq)
  if (!record) throw new Error(`the fixture has no record ${seq}`)
  return record
}

export function checkpointAt(
  records: readonly AuditRecord[],
  seq: number,
  reason: CheckpointReason = 'interval',
): Checkpoint {
  return signCheckpoint(keys, recordAt(records, seq), reason, new Date(begun))
}

/** Details of any kind that an event may have. */
export const anyDetails: fc.Arbitrary<Record<string, Json>> = fc.dictionary(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.jsonValue({ maxDepth: 3 }).map((value): Json => JSON.parse(JSON.stringify(value))),
  { maxKeys: 5 },
)
