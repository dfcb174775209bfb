import type { Match } from '../driver.ts'
import { readEnvelopeHead } from '../envelope.ts'
import type { Asking, Parts } from './parts.ts'

/** Entries are read as a whole to know their tags: this many large ones are no burden yet. */
const MOST_READ = 50
const EVERYTHING: Match = { prefix: '' }

/** Removes what matches; returns how many entries there were. No mark is needed: it is refused otherwise. */
export async function sweepMatch(parts: Parts, match: Match, ask: Asking): Promise<number> {
  let removed = 0
  for await (const names of walk(parts, match, ask)) {
    if (names.length > 0) removed += await ask(() => parts.driver.remove(names, 0))
  }
  return removed
}

/** Removes the entries that have a tag and were begun before its epoch; returns how many. */
export async function sweepTag(
  parts: Parts,
  tag: string,
  epoch: number,
  ask: Asking,
): Promise<number> {
  let removed = 0
  for await (const batch of walk(parts, EVERYTHING, ask)) {
    for (let at = 0; at < batch.length; at += MOST_READ) {
      const names = batch.slice(at, at + MOST_READ)
      const over = await overBy(parts, names, tag, epoch, ask)
      if (over.length > 0) removed += await ask(() => parts.driver.remove(over, 0))
    }
  }
  return removed
}

async function overBy(
  { driver }: Parts,
  names: readonly string[],
  tag: string,
  epoch: number,
  ask: Asking,
): Promise<readonly string[]> {
  const stored = await ask(() => driver.read(names))
  return names.filter((_, index) => {
    const bytes = stored[index]?.bytes
    const head = bytes && readEnvelopeHead(bytes)
    return head !== undefined && head.seq < epoch && head.tags?.includes(tag) === true
  })
}

/** Walks the keys of this cache, with the time limit for each step instead of for the whole way. */
async function* walk(parts: Parts, match: Match, ask: Asking): AsyncIterable<readonly string[]> {
  const { driver, names } = parts
  const steps = driver.keys(names.match(match))[Symbol.asyncIterator]()
  let over = false
  try {
    while (!over) {
      const step = await ask(() => steps.next())
      over = step.done === true
      if (!over) yield step.value
    }
  } finally {
    // Not waited for: a walk that hangs hangs here too.
    if (!over) void steps.return?.().catch(() => undefined)
  }
}
