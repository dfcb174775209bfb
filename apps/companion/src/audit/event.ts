import { canonicalJson, type Json, type JsonObject, NotCanonicalError } from './canonical-json.ts'
import { AuditError } from './errors.ts'

/** Something that happened and has to be on record. It never holds a secret. */
export interface AuditEvent {
  /** Whose data it concerns. */
  readonly tenant: string
  /** What happened: words in lower case, parted by dots, such as `api_key.revoked`. At most 100 characters. */
  readonly type: string
  /** Who did it, such as the id of an API key. Default: `anonymous`, nobody that is known. */
  readonly actor?: string | undefined
  /**
   * What else is known: plain JSON, at most 32 levels and 32 KiB. A NUL, and half a character, are kept as U+FFFD,
   * as no database keeps them. Default: `{}`.
   */
  readonly details?: JsonObject | undefined
  /** The client's address. Default: null. */
  readonly ip?: string | null | undefined
  /** The id of the request that caused it. Default: null. */
  readonly requestId?: string | null | undefined
}

/** An event with every member, in the form in which it is kept. */
export type CompleteEvent = { readonly [Member in keyof AuditEvent]-?: Kept<Member> }
type Kept<Member extends keyof AuditEvent> = Exclude<AuditEvent[Member], undefined>

const MAX_TEXT = 500
const MAX_DETAILS_BYTES = 32 * 1024
const TYPE = /^(?=.{1,100}$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/**
 * An event as it is kept, apart from the one that was given: what its maker changes later isn't recorded.
 *
 * @throws AuditError `invalid_event` with the member that can't be kept
 */
export function completeEvent(event: AuditEvent): CompleteEvent {
  if (!TYPE.test(event.type)) {
    throw invalid(
      'type',
      'has to be words of a-z, 0-9, _ and -, parted by dots, within 100 characters',
    )
  }
  return {
    tenant: keptName('tenant', event.tenant),
    type: event.type,
    actor: keptName('actor', event.actor ?? 'anonymous'),
    details: keptDetails(event.details ?? {}),
    ip: keptText('ip', event.ip),
    requestId: keptText('requestId', event.requestId),
  }
}

function keptName(member: string, name: string): string {
  const kept = keptText(member, name)
  if (!kept) throw invalid(member, 'is missing')
  return kept
}

function keptText(member: string, text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null
  if (typeof text !== 'string') throw invalid(member, 'has to be a text')
  if (text.length > MAX_TEXT) throw invalid(member, `has more than ${MAX_TEXT} characters`)
  return keepable(text)
}

function keptDetails(details: JsonObject): JsonObject {
  try {
    const text = canonicalJson(keepableJson(details, 0))
    if (Buffer.byteLength(text) > MAX_DETAILS_BYTES) throw invalid('details', 'exceed 32 KiB')
    const kept: unknown = JSON.parse(text)
    if (isJsonObject(kept)) return kept
    throw invalid('details', 'have to be an object')
  } catch (error) {
    if (!(error instanceof NotCanonicalError)) throw error
    throw invalid(`details${error.pointer}`, error.message, error)
  }
}

/** The value with every text in it made keepable; what isn't JSON is left for the canonical form to refuse. */
function keepableJson(value: Json, depth: number): Json {
  if (typeof value === 'string') return keepable(value)
  if (typeof value !== 'object' || value === null || depth > 32) return value
  if (isArray(value)) return Array.from(value, (item) => keepableJson(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [keepable(name), keepableJson(member, depth + 1)]),
  )
}

// Array.isArray() alone doesn't narrow away a readonly array.
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

/** The text as a database keeps it: a NUL, and half a character, become U+FFFD. */
export function keepable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** Whether something is an object of JSON, no array and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(member: string, problem: string, cause?: unknown): AuditError {
  return new AuditError('invalid_event', `The audit event's ${member} ${problem}.`, { cause })
}
