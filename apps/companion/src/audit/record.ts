import { createHash } from 'node:crypto'
import { canonicalJson, type JsonObject, NotCanonicalError } from './canonical-json.ts'
import { type CompleteEvent, isJsonObject } from './event.ts'

/** A place in the chain: what all records up to it come down to. */
export interface ChainHead {
  /** The number of the record, 0 before the first. */
  readonly seq: number
  /** Its hash. */
  readonly hash: string
}

/** An event in the chain. */
export interface AuditRecord extends CompleteEvent {
  /** Its number: the first is 1, and none is left out. */
  readonly seq: number
  /** When it was recorded: UTC with milliseconds, `2026-01-31T12:00:00.000Z`. */
  readonly at: string
  readonly details: JsonObject
  /** The hash of the record before it. */
  readonly prevHash: string
  /** SHA-256 over everything else, in hexadecimal. */
  readonly hash: string
}

/** What comes before the first record. */
export const CHAIN_START: ChainHead = Object.freeze({ seq: 0, hash: '0'.repeat(64) })

// Keeps the hash from standing for anything else that is hashed somewhere in the same form.
const DOMAIN = 'tidegate audit record v1\n'

const MEMBERS = 'actor at details hash ip prevHash requestId seq tenant type'
const HASH = /^[0-9a-f]{64}$/

/** The record of an event behind a place in the chain. */
export function linkRecord(head: ChainHead, event: CompleteEvent, at: Date): AuditRecord {
  const record = { ...event, seq: head.seq + 1, at: at.toISOString(), prevHash: head.hash }
  return { ...record, hash: digest(record) }
}

/**
 * The hash that a record should have: of {@link canonicalJson} of all its members but `hash`, behind the line
 * `tidegate audit record v1`. Undefined if it says what no record can.
 */
export function hashOf(record: AuditRecord): string | undefined {
  const { hash: _, ...hashed } = record
  try {
    return digest(hashed)
  } catch (error) {
    if (error instanceof NotCanonicalError) return undefined
    throw error
  }
}

function digest(hashed: Omit<AuditRecord, 'hash'>): string {
  return createHash('sha256').update(DOMAIN).update(canonicalJson(hashed)).digest('hex')
}

/** The value as a record if it has just the members of one, each of its type. Its hash isn't looked at. */
export function asRecord(value: unknown): AuditRecord | undefined {
  return isRecord(value) ? value : undefined
}

function isRecord(value: unknown): value is AuditRecord {
  if (!isJsonObject(value) || Object.keys(value).sort().join(' ') !== MEMBERS) return false
  const texts = [value.tenant, value.type, value.actor]
  const optional = [value.ip, value.requestId]
  return (
    isSequence(value.seq) &&
    isMoment(value.at) &&
    texts.every((text) => typeof text === 'string') &&
    optional.every((text) => text === null || typeof text === 'string') &&
    isJsonObject(value.details) &&
    isHash(value.hash) &&
    isHash(value.prevHash)
  )
}

/** Whether something numbers a record. */
export function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

/** Whether something is a hash in the form in which records have theirs. */
export function isHash(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value)
}

/** Whether something is a time in the one form in which records have theirs. */
export function isMoment(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const ms = Date.parse(value)
  return Number.isFinite(ms) && new Date(ms).toISOString() === value
}
