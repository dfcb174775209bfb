/** One series that an expression asks for, with the labels it is chosen by. */
export interface Selector {
  readonly name: string
  readonly labels: readonly string[]
}

const grouping = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g
const range = /\[[^\]]*\]/g
const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan'])

/**
 * The series that PromQL names. It reads what Prometheus has parsed before: of expressions that are no
 * PromQL it says nothing.
 */
export function selectorsIn(expression: string): readonly Selector[] {
  const strings: string[] = []
  // Text may hold anything: it is taken out before brackets and braces are looked for.
  const plain = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, (text) => `"${strings.push(text) - 1}"`)
    .replaceAll(grouping, ' ')
    .replaceAll(range, '')
  const selectors: Selector[] = []
  for (const match of plain.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(\(|\{[^}]*\})?/g)) {
    const [, name = '', rest = ''] = match
    if (rest === '(' || words.has(name.toLowerCase())) continue
    const labels = [...rest.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label)
    selectors.push({ name, labels })
  }
  return selectors
}

/** Grafana's variables in an expression, put as Grafana would put them. */
export function withoutVariables(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll(/\$(job|instance|route|upstream)\b/g, '.*')
}
