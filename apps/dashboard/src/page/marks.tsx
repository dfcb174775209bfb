import { shortName, visible } from '../format/text.ts'

export type Tone = 'good' | 'note' | 'warning' | 'critical' | 'unknown'

const shapes: Readonly<Record<Tone, string>> = {
  good: 'M3.5 8.5l3 3 6-7',
  note: 'M8 7.5v4M8 4.2v.6',
  warning: 'M8 4v5M8 11.4v.6',
  critical: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  unknown: 'M4 8h8',
}

/** A state's sign: a shape as well as a colour. What it means is said beside it. */
export function Mark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <circle cx="8" cy="8" r="8" />
      <path d={shapes[tone]} />
    </svg>
  )
}

/** A name that comes from somewhere: long ones are shortened, and none turns the text around it. */
export function Name({ of: name, longest }: { readonly of: string; readonly longest?: number }) {
  const short = shortName(name, longest)
  const full = visible(name)
  return short === full ? <bdi>{short}</bdi> : <bdi title={full.slice(0, 1_000)}>{short}</bdi>
}
