/** The largest Integer of a structured field (RFC 9651, 3.3.1). */
const MAX_INTEGER = 999_999_999_999_999

/**
 * Writes a List of Strings with parameters (RFC 9651, 4.1.1), each an Integer or a String. Numbers are cut
 * to what an Integer can be, from 0; characters that a String can't hold become `?`.
 */
export function serializeList(items: readonly Item[]): string {
  return items.map(serializeItem).join(', ')
}

/** A member of a List; a parameter that is undefined is left out. */
export interface Item {
  readonly value: string
  readonly parameters: Readonly<Record<string, number | string | undefined>>
}

function serializeItem({ value, parameters }: Item): string {
  let written = serializeString(value)
  for (const [name, parameter] of Object.entries(parameters)) {
    if (parameter === undefined) continue
    const bare = typeof parameter === 'string' ? serializeString(parameter) : integer(parameter)
    written += `;${name}=${bare}`
  }
  return written
}

function serializeString(text: string): string {
  return `"${text.replaceAll(/[^ -~]/gu, '?').replaceAll(/["\\]/g, '\\$&')}"`
}

/** Whole and from 0, as far as headers can say it. */
export function integer(value: number): number {
  return Math.min(MAX_INTEGER, Math.max(0, Math.trunc(value)))
}
