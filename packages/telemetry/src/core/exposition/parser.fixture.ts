/** One line of an exposition that is no comment. */
interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly exemplar?: { readonly labels: Readonly<Record<string, string>>; readonly value: number }
}

/** A family with its own samples. */
export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly unit?: string
  readonly samples: ParsedSample[]
}

const suffixes: Record<string, readonly string[]> = {
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
}
const number = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?!\})|(?=\}))/

/**
 * Reads an exposition as strictly as the formats are written: every sample under its family's head, no
 * family and no series twice, buckets that rise to `+Inf` and agree with the count. Throws otherwise.
 */
export function parseExposition(text: string, openMetrics: boolean): ParsedFamily[] {
  if (openMetrics && !text.endsWith('# EOF\n')) throw new Error('no end')
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  const lines = text.split('\n').slice(0, openMetrics ? -2 : -1)
  const families: ParsedFamily[] = []
  const seen = new Set<string>()
  for (let index = 0; index < lines.length; ) {
    const help = head(lines[index++], 'HELP')
    const type = head(lines[index++], 'TYPE')
    const next = openMetrics && lines[index]?.startsWith('# UNIT ')
    const unit = next ? head(lines[index++], 'UNIT')[1] : undefined
    if (help[0] !== type[0]) throw new Error(`HELP of ${help[0]}, TYPE of ${type[0]}`)
    if (unit !== undefined && !help[0].endsWith(`_${unit}`)) throw new Error(`unit of ${help[0]}`)
    const samples: ParsedSample[] = []
    for (; index < lines.length && !lines[index]?.startsWith('#'); index++) {
      samples.push(once(seen, sample(lines[index] ?? '', openMetrics)))
    }
    const family = { name: help[0], help: unescaped(help[1], openMetrics), type: type[1], samples }
    check(family, openMetrics)
    families.push({ ...family, ...(unit !== undefined && { unit }) })
  }
  if (new Set(families.map(({ name }) => name)).size < families.length) throw new Error('twice')
  return families
}

function head(line: string | undefined, word: string): readonly [string, string] {
  const [, name, rest] =
    new RegExp(`^# ${word} ([a-z_][a-z0-9_]*) (.*)$`, 's').exec(line ?? '') ?? []
  if (name === undefined || rest === undefined) throw new Error(`no ${word}: ${line}`)
  return [name, rest]
}

function sample(line: string, openMetrics: boolean): ParsedSample {
  const [, name, rest] = /^([a-z_][a-z0-9_]*)(.*)$/s.exec(line) ?? []
  if (name === undefined || rest === undefined) throw new Error(`no sample: ${line}`)
  const [labels, after] = rest.startsWith('{') ? labelSet(rest) : [{}, rest]
  const [value = '', exemplar] = after.slice(1).split(' # ')
  if (!after.startsWith(' ')) throw new Error(`no space: ${line}`)
  const found = { name, labels, value: numberOf(value) }
  if (exemplar === undefined) return found
  if (!openMetrics || !name.endsWith('_bucket')) throw new Error(`exemplar: ${line}`)
  const [exemplarLabels, numbers] = labelSet(exemplar)
  const [exemplarValue = '', timestamp = ''] = numbers.slice(1).split(' ')
  numberOf(timestamp)
  return { ...found, exemplar: { labels: exemplarLabels, value: numberOf(exemplarValue) } }
}

function labelSet(text: string): readonly [Record<string, string>, string] {
  const labels: Record<string, string> = Object.create(null)
  let rest = text.slice(1)
  while (!rest.startsWith('}')) {
    const [all, name = '', value = ''] = label.exec(rest) ?? []
    if (all === undefined || name in labels) throw new Error(`labels: ${text}`)
    labels[name] = unescaped(value, true)
    rest = rest.slice(all.length)
  }
  return [labels, rest.slice(1)]
}

function unescaped(text: string, quotes: boolean): string {
  return text.replace(quotes ? /\\([\\n"])/g : /\\([\\n])/g, (_, escaped: string) =>
    escaped === 'n' ? '\n' : escaped,
  )
}

function numberOf(text: string): number {
  if (!number.test(text)) throw new Error(`no number: ${text}`)
  return Number(text.replace('Inf', 'Infinity'))
}

function once(seen: Set<string>, found: ParsedSample): ParsedSample {
  const key = JSON.stringify([found.name, Object.entries(found.labels).sort()])
  if (seen.has(key)) throw new Error(`twice: ${key}`)
  seen.add(key)
  return found
}

function check({ name, type, samples }: ParsedFamily, openMetrics: boolean): void {
  const counter = openMetrics ? ['_total', '_created'] : ['']
  const allowed = type === 'counter' ? counter : suffixes[type]
  for (const { name: own } of samples) {
    if (!allowed?.some((suffix) => own === name + suffix)) throw new Error(`${own} in ${name}`)
  }
  if (type !== 'histogram') return
  let last = { bound: Number.NEGATIVE_INFINITY, count: 0 }
  for (const { name: own, labels, value } of samples) {
    if (own === `${name}_bucket`) {
      const bound = numberOf(labels.le ?? '')
      if (bound <= last.bound || value < last.count) throw new Error(`buckets of ${name}`)
      last = { bound, count: value }
    } else if (own === `${name}_count`) {
      const whole = last.bound === Number.POSITIVE_INFINITY && last.count === value
      if (!whole) throw new Error(`count of ${name}`)
      last = { bound: Number.NEGATIVE_INFINITY, count: 0 }
    }
  }
}
