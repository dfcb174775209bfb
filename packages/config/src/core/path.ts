/** The way to a value from the root: keys of mappings, indices of lists. */
export type Path = readonly (string | number)[]

const PLAIN_KEY = /^[A-Za-z0-9_$-]+$/
const LONGEST_KEY = 60

/** Writes a path as people do: `routes[0].upstreams`, `models["gpt-4.1"]`. The root is `(root)`. */
export function formatPath(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (PLAIN_KEY.test(part) && part.length <= LONGEST_KEY) text += text ? `.${part}` : part
    else text += `[${quote(part)}]`
  }
  return text || '(root)'
}

/** Quotes text that came from outside so that it stays on one line and can't drive a terminal. */
export function quote(text: string): string {
  const short = text.length > LONGEST_KEY ? `${text.slice(0, LONGEST_KEY)}…` : text
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g,
    escapeUnit,
  )
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
