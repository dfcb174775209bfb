import type { Match, Stored } from '../driver.ts'
import { matcher } from '../match.ts'

/** An invalidation of keys by their form, at a point in the order of invalidations. */
export interface MatchRecord {
  readonly match: Match
  readonly seq: number
  /** Until when it has to be remembered, by the `Date.now()` of whoever made it. */
  readonly until: number
}

interface Known extends MatchRecord {
  readonly isMeant: (key: string) => boolean
}

const MOST_RECORDS = 128
const MOST_TEXT = 1_048_576

/**
 * The invalidations by prefix and pattern of the last while. What is there is swept; what is still being
 * made has no key yet that a sweep could find: it is refused by these, until nobody can be making it.
 */
export class Matches {
  readonly #now: () => number
  #known: readonly Known[] = []
  #readFrom: string | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether no such invalidation came after an entry's making began. */
  holds(key: string, seq: number): boolean {
    for (const known of this.#known) if (seq < known.seq && known.isMeant(key)) return false
    return true
  }

  add(record: MatchRecord): void {
    this.#take([record])
  }

  /** Takes what is stored; says what is newer there than anything known, if it can be read. */
  learn(stored: Stored | undefined): void {
    if (stored?.bytes === undefined || stored.stamp === this.#readFrom) return
    this.#readFrom = stored.stamp
    this.#take(parseRecords(stored.bytes))
  }

  /** What has to be stored: what is known and still to be remembered. */
  encode(): Uint8Array {
    this.#take([])
    const records = this.#known.map(({ match, seq, until }) => ({ ...match, seq, until }))
    return Buffer.from(JSON.stringify({ v: 1, records }))
  }

  #take(more: readonly MatchRecord[]): void {
    const now = this.#now()
    const records = new Map<string, MatchRecord>()
    for (const record of [...this.#known, ...more]) {
      const name = JSON.stringify(record.match)
      const same = records.get(name)
      if (record.until > now && !(same !== undefined && same.seq >= record.seq))
        records.set(name, record)
    }
    const kept = [...records.values()].sort((a, b) => a.seq - b.seq)
    const many = kept.length > MOST_RECORDS
    this.#known = (many ? [widen(kept.splice(0, MOST_RECORDS / 2)), ...kept] : kept).map(know)
  }
}

function know(record: MatchRecord): Known {
  return 'isMeant' in record ? (record as Known) : { ...record, isMeant: matcher(record.match) }
}

/** One that refuses all that these refuse, and more: too many to be told apart. */
function widen(records: readonly MatchRecord[]): MatchRecord {
  const prefixes = records.map(({ match }) => literalPrefix(match))
  const prefix = prefixes.reduce(commonPrefix)
  return {
    match: { prefix },
    seq: Math.max(...records.map(({ seq }) => seq)),
    until: Math.max(...records.map(({ until }) => until)),
  }
}

function literalPrefix(match: Match): string {
  if ('prefix' in match) return match.prefix
  const end = match.pattern.search(/[*?\\]/)
  return end < 0 ? match.pattern : match.pattern.slice(0, end)
}

function commonPrefix(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return a.slice(0, length)
}

/** What isn't of this form counts as nothing: it was never written by one of us. */
function parseRecords(bytes: Uint8Array): readonly MatchRecord[] {
  if (bytes.length > MOST_TEXT) return []
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString())
    if (!isObject(parsed) || parsed.v !== 1 || !Array.isArray(parsed.records)) return []
    return parsed.records.flatMap((one: unknown) => recordOf(one) ?? [])
  } catch {
    return []
  }
}

function recordOf(given: unknown): MatchRecord | undefined {
  if (!isObject(given)) return undefined
  const { seq, until } = given
  const match = matchOf(given)
  if (typeof seq !== 'number' || typeof until !== 'number') return undefined
  return match && { match, seq, until }
}

/** Reads a match out of what came from elsewhere. */
export function matchOf(given: Readonly<Record<string, unknown>>): Match | undefined {
  const { prefix, pattern } = given
  if (typeof prefix === 'string') return { prefix }
  return typeof pattern === 'string' ? { pattern } : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
