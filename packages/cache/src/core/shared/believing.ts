import type { Entry } from '../entry.ts'
import type { Asking, Parts } from './parts.ts'

type Judged = Pick<Entry, 'seq' | 'tags'>

/** What was asked of the second tier about tags, and what it said: `undefined` for a tag it doesn't know. */
export type Said = Map<string, number | undefined>

/** Asks for the epochs of tags and takes them to heart; with none, asks nothing. */
export async function askEpochs(
  parts: Parts,
  tags: readonly string[],
  said: Said,
  ask: Asking,
): Promise<void> {
  if (tags.length === 0) return
  const { driver, names, epochs } = parts
  const { stretch } = epochs
  const answers = await ask(() => driver.epochs(tags.map((tag) => names.of(tag))))
  tags.forEach((tag, at) => {
    epochs.learn(tag, answers[at], stretch)
    said.set(tag, answers[at])
  })
}

/** The tags of these entries that nobody has been asked about, though only the second tier can tell. */
export function openTags(
  { epochs }: Parts,
  entries: readonly Judged[],
  said: Said,
): readonly string[] {
  const open = new Set<string>()
  for (const { tags, seq } of entries) {
    for (const tag of epochs.open(tags, seq)) if (!said.has(tag)) open.add(tag)
  }
  return [...open]
}

/** Whether an entry still holds by all that is known, and nothing about it is left open. */
export function believes(parts: Parts, key: string, { tags, seq }: Judged, said: Said): boolean {
  const { epochs, matches } = parts
  if (!epochs.holds(tags, seq) || !matches.holds(key, seq)) return false
  return epochs.open(tags, seq).every((tag) => {
    const epoch = said.get(tag)
    return epoch !== undefined && epoch <= seq
  })
}
