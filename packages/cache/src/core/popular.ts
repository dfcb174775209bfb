import { checkNames, count } from './checks.ts'
import { Popularity, type PopularityOptions, type PopularKey } from './popularity.ts'

/** Under it the record is kept in the second tier: an entry as any other, but for nobody's use. */
export const POPULAR_KEY = '\u0000popular'

/** How often the record is written, where something was counted. */
const SAVE_EVERY_MS = 60_000
/** Keys of a record, together: far below what an entry may have. */
const MOST_CHARACTERS = 250_000

/** Where the record is kept. Neither rejects because it is away. */
export interface RecordPlace {
  read(): Promise<unknown>
  write(record: object): Promise<void>
}

interface Clocks {
  readonly now: () => number
  readonly random: () => number
}

/** The record as it is kept: when, and the best first. */
interface StoredRecord {
  readonly at: number
  readonly top: readonly (readonly [key: string, score: number])[]
}

/**
 * The popular entries of a cache, also those of before it was started: its record is kept in the second
 * tier, if there is one, where processes join theirs.
 */
export class PopularEntries {
  readonly popularity: Popularity
  readonly #place: RecordPlace | undefined
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout | undefined
  #saved = 0

  constructor(options: PopularityOptions, clocks: Clocks, place: RecordPlace | undefined) {
    this.popularity = new Popularity(checked(options), clocks, POPULAR_KEY)
    this.#place = place
    this.#now = clocks.now
    if (place === undefined) return
    this.#timer = setInterval(() => void this.save(), SAVE_EVERY_MS).unref()
  }

  /** The best of those whose keys begin with the prefix, without it. */
  async top(n = Number.POSITIVE_INFINITY, prefix = ''): Promise<readonly PopularKey[]> {
    await this.#join()
    return this.popularity
      .top()
      .filter(({ key }) => key.startsWith(prefix))
      .slice(0, n)
      .map(({ key, score }) => ({ key: key.slice(prefix.length), score }))
  }

  /** Never rejects: a record that isn't written is written later. */
  async save(): Promise<void> {
    const { counted } = this.popularity
    if (this.#place === undefined || counted === this.#saved) return
    await this.#join()
    const record: StoredRecord = { at: this.#now(), top: fitting(this.popularity.top()) }
    await this.#place.write(record).catch(() => undefined)
    this.#saved = counted
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.save()
  }

  /** What others have recorded, or we ourselves before. */
  async #join(): Promise<void> {
    const record = await this.#place?.read().catch(() => undefined)
    if (!isRecord(record)) return
    this.popularity.merge(
      record.top.map(([key, score]) => ({ key, score })),
      record.at,
    )
  }
}

function checked(options: PopularityOptions): PopularityOptions {
  checkNames('popular', options, ['size', 'every', 'halfLifeMs'])
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) count(`popular.${name}`, value, 1)
  }
  return options
}

function fitting(keys: readonly PopularKey[]): StoredRecord['top'] {
  let left = MOST_CHARACTERS
  const top: (readonly [string, number])[] = []
  for (const { key, score } of keys) {
    left -= key.length
    if (left < 0) break
    top.push([key, score])
  }
  return top
}

/** Whoever can write to the second tier may have written anything. */
function isRecord(value: unknown): value is StoredRecord {
  if (typeof value !== 'object' || value === null) return false
  const { at, top } = value as Partial<Record<keyof StoredRecord, unknown>>
  return Number.isFinite(at) && Array.isArray(top) && top.every(isPair)
}

function isPair(pair: unknown): boolean {
  if (!Array.isArray(pair) || pair.length !== 2) return false
  const [key, score]: readonly unknown[] = pair
  return typeof key === 'string' && Number.isFinite(score) && Number(score) > 0
}
