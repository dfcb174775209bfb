import { fields, list, number, text } from './wire.ts'

type Values = readonly (number | null)[]

/** Several metrics over the same instants, the oldest first: what charts are drawn from. */
export interface Frame {
  /** Milliseconds since 1970 by the gateway's clock. */
  readonly times: readonly number[]
  readonly columns: ReadonlyMap<string, Values>
}

/** The metrics of one instant. */
export interface Sample {
  readonly t: number
  readonly values: Readonly<Record<string, number | null>>
}

export const noFrame: Frame = { times: [], columns: new Map() }

/** More than a day of minutes, and no more than a browser draws with ease. */
const MOST_POINTS = 3_000

/** The body of `GET /metrics/history`: its series needn't have the same instants. */
export function readFrame(body: unknown): Frame {
  const series = list(fields(body).series).map((each) => {
    const { metric, points } = fields(each)
    return { metric: text(metric) ?? '', points: readPoints(points) }
  })
  const times = [...new Set(series.flatMap(({ points }) => points.map(([t]) => t)))]
  times.sort((one, other) => one - other)
  const kept = times.slice(-MOST_POINTS)
  const columns = new Map(
    series.map(({ metric, points }) => {
      const at = new Map(points)
      return [metric, kept.map((t) => at.get(t) ?? null)] as const
    }),
  )
  return { times: kept, columns }
}

function readPoints(value: unknown): readonly (readonly [number, number | null])[] {
  return list(value).flatMap((point) => {
    const [at, reading] = list(point)
    const t = number(at)
    return t === null ? [] : [[t, number(reading)] as const]
  })
}

/** The `data` of an `event: sample`; nothing when it isn't one. */
export function readSample(data: string): Sample | undefined {
  try {
    const { t, values } = fields(JSON.parse(data))
    const at = number(t)
    if (at === null) return undefined
    const read = Object.entries(fields(values)).map(([name, value]) => [name, number(value)])
    return { t: at, values: Object.fromEntries(read) }
  } catch {
    return undefined
  }
}

/** A frame's instants as samples, after one of them. */
export function samplesAfter({ times, columns }: Frame, t: number): readonly Sample[] {
  return times.flatMap((at, index) => {
    if (at <= t) return []
    const values = [...columns].map(([name, column]) => [name, column[index] ?? null])
    return [{ t: at, values: Object.fromEntries(values) }]
  })
}

/**
 * Adds a sample and lets go of what is older than the window. Samples may be told again or late; where
 * several are missing the line is broken, as nobody knows what it was.
 *
 * @param stepMs how far samples are apart when none is missing
 */
export function addSample(frame: Frame, sample: Sample, windowMs: number, stepMs: number): Frame {
  const { times } = frame
  const last = times.at(-1)
  if (last !== undefined && sample.t <= last) return mergeSample(frame, sample)
  const broken = last !== undefined && sample.t - last > 3 * stepMs
  const begin = sample.t - windowMs
  const first = times.findIndex((t) => t >= begin)
  const from = first === -1 ? times.length : first
  const gap = broken && last >= begin ? [last + stepMs] : []
  const names = new Set([...frame.columns.keys(), ...Object.keys(sample.values)])
  const columns = new Map<string, Values>()
  for (const name of names) {
    const kept = frame.columns.get(name)?.slice(from) ?? times.slice(from).map(() => null)
    columns.set(name, [...kept, ...gap.map(() => null), sample.values[name] ?? null])
  }
  return { times: [...times.slice(from), ...gap, sample.t], columns }
}

/** A sample for an instant that the frame has already; one between its instants says nothing new. */
function mergeSample(frame: Frame, { t, values }: Sample): Frame {
  const index = frame.times.indexOf(t)
  if (index === -1) return frame
  const columns = new Map(frame.columns)
  for (const [name, value] of Object.entries(values)) {
    const column = columns.get(name)
    if (column !== undefined && value !== null) columns.set(name, column.with(index, value))
  }
  return { times: frame.times, columns }
}

/** A metric's last value, if it is among the last few instants. */
export function latest({ times, columns }: Frame, metric: string): number | null {
  const column = columns.get(metric) ?? []
  for (let index = times.length - 1; index >= 0 && index >= times.length - 3; index -= 1) {
    const value = column[index] ?? null
    if (value !== null) return value
  }
  return null
}

/** A metric's value at one of the frame's instants. */
export function valueAt({ times, columns }: Frame, metric: string, t: number): number | null {
  return columns.get(metric)?.[times.indexOf(t)] ?? null
}

/** A metric's values since an instant, without those that are unknown. */
export function valuesSince({ times, columns }: Frame, metric: string, begin: number): number[] {
  const column = columns.get(metric) ?? []
  return times.flatMap((t, index) => {
    const value = t >= begin ? (column[index] ?? null) : null
    return value === null ? [] : [value]
  })
}

/**
 * When a condition began that holds still; nothing when it doesn't. It is asked of the mean over `smoothMs`,
 * so that a moment begins nothing and ends nothing.
 */
export function heldSince(
  { times, columns }: Frame,
  metric: string,
  holds: (value: number) => boolean,
  smoothMs: number,
): number | null {
  const column = columns.get(metric) ?? []
  let begin: number | null = null
  let [sum, count, first] = [0, 0, times.length]
  // From the newest back: `first` is the oldest instant that belongs to the mean.
  for (let index = times.length - 1; index >= 0; index -= 1) {
    const t = times[index] ?? 0
    while (first > 0 && t - (times[first - 1] ?? 0) < smoothMs) {
      first -= 1
      const value = column[first] ?? null
      if (value !== null) [sum, count] = [sum + value, count + 1]
    }
    if (count > 0 && !holds(sum / count)) break
    const value = column[index] ?? null
    if (value === null) continue
    begin = t
    ;[sum, count] = [sum - value, count - 1]
  }
  return begin
}
