import { amount, percent, perSecond } from '../format/number.ts'
import { duration, windowName } from '../format/time.ts'
import { type Frame, latest } from './frame.ts'

export interface Line {
  readonly metric: string
  readonly name: string
  /** One of the palette's colours. */
  readonly tone: 'first' | 'second' | 'third' | 'bad'
}

export interface Chart {
  readonly id: string
  readonly title: string
  readonly unit: (value: number | null) => string
  readonly lines: readonly Line[]
}

export const charts: readonly Chart[] = [
  {
    id: 'traffic',
    title: 'Traffic',
    unit: perSecond,
    lines: [
      { metric: 'requests.rate', name: 'requests', tone: 'first' },
      { metric: 'errors.rate', name: 'errors', tone: 'bad' },
    ],
  },
  {
    id: 'errors',
    title: 'Failed and refused',
    unit: percent,
    lines: [
      { metric: 'errors.ratio', name: 'errors', tone: 'bad' },
      { metric: 'limits.violation_ratio', name: 'over a limit', tone: 'third' },
    ],
  },
  {
    id: 'latency',
    title: 'Latency',
    unit: duration,
    lines: [
      { metric: 'latency.p50', name: 'p50', tone: 'first' },
      { metric: 'latency.p95', name: 'p95', tone: 'second' },
      { metric: 'latency.p99', name: 'p99', tone: 'third' },
    ],
  },
  {
    id: 'overhead',
    title: 'Gateway overhead',
    unit: duration,
    lines: [
      { metric: 'overhead.p95', name: 'p95', tone: 'first' },
      { metric: 'eventloop.delay', name: 'event-loop delay', tone: 'second' },
    ],
  },
  {
    id: 'flight',
    title: 'In flight',
    unit: amount,
    lines: [
      { metric: 'requests.active', name: 'requests', tone: 'first' },
      { metric: 'streams.active', name: 'streams', tone: 'second' },
    ],
  },
  {
    id: 'tokens',
    title: 'Tokens',
    unit: perSecond,
    lines: [
      { metric: 'tokens.input', name: 'input', tone: 'first' },
      { metric: 'tokens.output', name: 'output', tone: 'second' },
    ],
  },
]

/** A chart in words, for those who can't see it. */
export function describeChart(
  { title, lines, unit }: Chart,
  frame: Frame,
  windowMs: number,
): string {
  const told = lines.map(({ metric, name }) => {
    const column = (frame.columns.get(metric) ?? []).filter((value) => value !== null)
    if (column.length === 0) return `${name}: no figures`
    const least = column.reduce((one, other) => Math.min(one, other))
    const most = column.reduce((one, other) => Math.max(one, other))
    return `${name}: now ${unit(latest(frame, metric))}, between ${unit(least)} and ${unit(most)}`
  })
  return `${title}, last ${windowName(windowMs)}. ${told.join('; ')}.`
}

/** At most so many of a frame's instants, evenly spread, the newest first: a chart as a table. */
export function tableIndexes({ times }: Frame, most: number): readonly number[] {
  const step = Math.max(1, Math.ceil(times.length / most))
  const indexes: number[] = []
  for (let index = times.length - 1; index >= 0; index -= step) indexes.push(index)
  return indexes
}

/**
 * Where a key leads from an instant: left and right through time, Home and End to its ends, Escape back to
 * now. Other keys lead nowhere.
 */
export function instantByKey(
  key: string,
  from: number | null,
  times: readonly number[],
): number | null | undefined {
  if (key === 'Escape') return from === null ? undefined : null
  const last = times.length - 1
  const found = from === null ? times.length : times.findIndex((t) => t >= from)
  const index = found === -1 ? times.length : found
  const steps: ReadonlyMap<string, number> = new Map([
    ['ArrowLeft', index - 1],
    ['ArrowRight', index + 1],
    ['PageDown', index - 10],
    ['PageUp', index + 10],
    ['Home', 0],
    ['End', last],
  ])
  const wanted = steps.get(key)
  return wanted === undefined ? undefined : times[Math.min(last, Math.max(0, wanted))]
}
