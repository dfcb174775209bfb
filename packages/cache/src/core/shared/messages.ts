import type { Match } from '../driver.ts'
import { type MatchRecord, matchOf } from './matches.ts'

/** What processes tell each other. No message carries a value. */
export type Message =
  /** Stored or removed: with the stamp of what was stored, for those who have it already. */
  | { readonly type: 'keys'; readonly keys: readonly (readonly [string, string | undefined])[] }
  /** A leader has given up: nothing was stored. */
  | { readonly type: 'freed'; readonly key: string }
  | {
      readonly type: 'tag'
      readonly tag: string
      readonly epoch: number
      readonly match: Match | undefined
    }
  | { readonly type: 'match'; readonly record: MatchRecord }

/** A message with what all have. */
export interface Received {
  readonly message: Message
  /** The greatest number in the order of invalidations that the sender had heard of. */
  readonly latest: number
}

const VERSION = 1
const MOST_TEXT = 4_194_304
const MOST_KEYS = 1_000

/** Writes messages of one cache in one process, and reads those of its like in others. */
export class Messages {
  readonly #cache: string
  readonly #sender: string

  constructor(cache: string, sender: string) {
    this.#cache = cache
    this.#sender = sender
  }

  encode(message: Message, latest: number): string {
    return JSON.stringify({ v: VERSION, c: this.#cache, s: this.#sender, n: latest, m: message })
  }

  /** The same in as many messages as it takes: one that is too long is heard by nobody. */
  encodeAll(message: Message, latest: number): readonly string[] {
    const text = this.encode(message, latest)
    if (text.length <= MOST_TEXT || message.type !== 'keys' || message.keys.length < 2)
      return [text]
    const half = Math.ceil(message.keys.length / 2)
    const halves = [message.keys.slice(0, half), message.keys.slice(half)]
    return halves.flatMap((keys) => this.encodeAll({ type: 'keys', keys }, latest))
  }

  /** `undefined` for our own, another cache's, another version's and whatever else is said there. */
  decode(text: string): Received | undefined {
    if (text.length > MOST_TEXT) return undefined
    try {
      const parsed: unknown = JSON.parse(text)
      if (!isObject(parsed) || parsed.v !== VERSION) return undefined
      const { c, s, n, m } = parsed
      if (c !== this.#cache || s === this.#sender || !isSeq(n) || !isObject(m)) return undefined
      const message = messageOf(m)
      return message && { message, latest: n }
    } catch {
      return undefined
    }
  }
}

function messageOf(given: Readonly<Record<string, unknown>>): Message | undefined {
  const { type, key, keys, tag, epoch, match, record } = given
  if (type === 'keys')
    return isKeys(keys) ? { type, keys: keys.map(([k, s]) => [k, s ?? undefined]) } : undefined
  if (type === 'freed') return typeof key === 'string' ? { type, key } : undefined
  if (type === 'tag') {
    if (typeof tag !== 'string' || !isSeq(epoch)) return undefined
    return { type, tag, epoch, match: isObject(match) ? matchOf(match) : undefined }
  }
  if (type !== 'match' || !isObject(record) || !isObject(record.match)) return undefined
  const { seq, until } = record
  const meant = matchOf(record.match)
  if (meant === undefined || !isSeq(seq) || typeof until !== 'number') return undefined
  return { type, record: { match: meant, seq, until } }
}

function isKeys(keys: unknown): keys is readonly (readonly [string, string | null | undefined])[] {
  return Array.isArray(keys) && keys.length <= MOST_KEYS && keys.every(isKeyAndStamp)
}

function isKeyAndStamp(one: unknown): boolean {
  if (!Array.isArray(one) || typeof one[0] !== 'string') return false
  return one[1] === null || one[1] === undefined || typeof one[1] === 'string'
}

/** A number from elsewhere that is too great would make all that is stored from now on look newer. */
function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
