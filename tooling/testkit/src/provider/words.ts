import { createHash } from 'node:crypto'
import type { Behaviour } from './behaviour.ts'

// Characters of one to four bytes, and a line break, which JSON has to escape.
const words = ['Tides', ' rise', ' —', ' 潮', ' 🌊', ' naïve', ' and', ' fall.\n']

/** A fixed moment, in seconds: replies to equal requests are equal. */
export const createdAt = 1_760_000_000

/** An identifier that depends on the request alone. */
export function stableId(prefix: string, seed: string | Buffer, length = 24): string {
  return prefix + createHash('sha256').update(seed).digest('hex').slice(0, length)
}

/** What the model says, in the pieces in which it says so. */
export function spokenPieces({ text, events = 8, padFirstEvent = 0 }: Behaviour): string[] {
  const pieces =
    text === undefined
      ? Array.from({ length: events }, (_, index) => words[index % words.length] ?? '')
      : evenPieces([...text], events)
  if (padFirstEvent > 0) pieces[0] = (pieces[0] ?? '') + 'x'.repeat(padFirstEvent)
  return pieces
}

function evenPieces(characters: readonly string[], count: number): string[] {
  const size = Math.ceil(characters.length / Math.max(1, count))
  return Array.from({ length: count }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(''),
  )
}

/** A rough count of tokens: four characters each. */
export function countTokens(value: unknown): number {
  return Math.ceil(JSON.stringify(value ?? '').length / 4)
}
