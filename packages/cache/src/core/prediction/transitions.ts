import { LRUCache } from 'lru-cache'

/** A key that may be asked for next. */
export interface Suggestion {
  readonly key: string
  /** In what share of the times it was next, of late: 0 to 1. */
  readonly confidence: number
}

interface Successor {
  readonly key: string
  count: number
}

interface Row {
  total: number
  readonly successors: Successor[]
}

/** Of each key so many next ones are counted: with more, none is likely. */
const SUCCESSORS = 4
/** From so many on all counts of a key are halved, so that what is usual now outweighs what was once. */
const LONGEST_MEMORY = 32
/** What was seen less often says nothing. */
const LEAST_SEEN = 3

/**
 * Which key follows which: for each of the keys that were asked for last, how often each of its most usual
 * successors came next.
 */
export class Transitions {
  readonly #rows: LRUCache<string, Row>

  constructor(maxKeys: number) {
    this.#rows = new LRUCache({ max: maxKeys })
  }

  get size(): number {
    return this.#rows.size
  }

  learn(key: string, next: string): void {
    let row = this.#rows.get(key)
    if (row === undefined) {
      row = { total: 0, successors: [] }
      this.#rows.set(key, row)
    }
    row.total += 1
    count(row.successors, next)
    if (row.total >= LONGEST_MEMORY) halve(row)
  }

  /** What came next in at least this share of the times, the most likely first. */
  suggest(key: string, confidence: number): readonly Suggestion[] {
    const row = this.#rows.get(key)
    if (row === undefined || row.total < LEAST_SEEN) return []
    const { total, successors } = row
    return successors
      .filter((one) => one.count >= LEAST_SEEN - 1 && one.count / total >= confidence)
      .map((one) => ({ key: one.key, confidence: one.count / total }))
      .sort((a, b) => b.confidence - a.confidence)
  }
}

/** Who comes in vain takes one from the least usual, whose place is free when it has none left. */
function count(successors: Successor[], next: string): void {
  const known = successors.find(({ key }) => key === next)
  if (known !== undefined) {
    known.count += 1
    return
  }
  if (successors.length < SUCCESSORS) {
    successors.push({ key: next, count: 1 })
    return
  }
  const least = successors.reduce((a, b) => (b.count < a.count ? b : a))
  least.count -= 1
  if (least.count <= 0) successors[successors.indexOf(least)] = { key: next, count: 1 }
}

function halve(row: Row): void {
  row.total /= 2
  for (const successor of row.successors) successor.count /= 2
}
