const special = /[\\\n"]/
const specials = /[\\\n"]/g

/** A label's value or an exemplar's, between its quotes. */
export function escapedText(text: string): string {
  return special.test(text) ? text.replace(specials, escapedCharacter) : text
}

/** The text format leaves quotes in a help text as they are, OpenMetrics does not. */
export function escapedHelp(help: string, openMetrics: boolean): string {
  return help.replace(specials, (found) =>
    found === '"' && !openMetrics ? found : escapedCharacter(found),
  )
}

function escapedCharacter(found: string): string {
  return found === '\n' ? '\\n' : `\\${found}`
}

/** `a="1",b="2"`. */
export function labelPairs(names: readonly string[], values: readonly string[]): string {
  let text = ''
  for (const [index, name] of names.entries()) {
    text += `${index === 0 ? '' : ','}${name}="${escapedText(values[index] ?? '')}"`
  }
  return text
}

/** What JavaScript writes is what both formats read, but for infinities. */
export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

/** OpenMetrics wants a bound to be seen as a float: `1.0`. */
export function boundText(bound: number, openMetrics: boolean): string {
  const text = numberText(bound)
  return openMetrics && /^-?\d+$/.test(text) ? `${text}.0` : text
}
