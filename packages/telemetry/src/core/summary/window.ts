import { Distribution } from '../metrics/distribution.ts'
import { invalidOption } from '../option-checks.ts'

/** What a window looks at: totals of counters, or distributions of histograms, by key. */
export type Totals<Value extends number | Distribution> = ReadonlyMap<string, Value>

/** How `createWindow` looks back. */
export interface WindowOptions<Value extends number | Distribution> {
  /** The totals since the beginning, by any key: `() => histogram.distributions(([route]) => route)`. */
  readonly read: () => Totals<Value>
  /** How far it looks back. Default: 60,000. */
  readonly windowMs?: number
  /** How often it keeps a reading: the window is exact to this. Default: a twelfth of `windowMs`. */
  readonly stepMs?: number
  /** Milliseconds, from any beginning. Default: `performance.now`. */
  readonly now?: () => number
}

/** What the last minute brought. */
export interface RollingWindow<Value extends number | Distribution> {
  /** Keeps a reading when it is time: call it at least every `stepMs`, from a timer or before a scrape. */
  tick(): void
  /** What was added within the window, by key. */
  recent(): WindowReading<Value>
}

/** What was added within a window. */
export interface WindowReading<Value extends number | Distribution> {
  /** How much time it is about: less than the window for a young process, a step more at most while ticked. */
  readonly elapsedMs: number
  readonly values: ReadonlyMap<string, Value>
  /** So many of this key in a minute; a young process isn't extrapolated. 0 for a key that isn't there. */
  perMinute(key: string): number
}

interface Kept<Value extends number | Distribution> {
  readonly at: number
  readonly reading: Totals<Value>
}

/**
 * Tells what totals that only grow have gained lately. It costs nothing where values are recorded: it keeps
 * a dozen readings and subtracts. A clock that goes back begins the window anew.
 */
export function createWindow<Value extends number | Distribution>(
  options: WindowOptions<Value>,
): RollingWindow<Value> {
  const { read, windowMs = 60_000, now = () => performance.now() } = options
  const stepMs = options.stepMs ?? windowMs / 12
  if (!(windowMs > 0 && stepMs > 0 && stepMs <= windowMs)) {
    throw invalidOption(
      `A window needs windowMs above 0 and stepMs up to it, not ${windowMs} and ${stepMs}.`,
    )
  }
  let kept: readonly Kept<Value>[] = [{ at: now(), reading: read() }]

  const tick = (): void => {
    const at = now()
    const last = kept.at(-1)
    if (last !== undefined && at < last.at) kept = []
    else if (last !== undefined && at - last.at < stepMs) return
    kept = [...kept, { at, reading: read() }]
    const covering = kept.findLastIndex((one) => one.at <= at - windowMs)
    if (covering > 0) kept = kept.slice(covering)
  }

  const recent = (): WindowReading<Value> => {
    tick()
    const at = now()
    const base = kept.findLast((one) => one.at <= at - windowMs) ?? kept[0]
    const elapsedMs = at - (base?.at ?? at)
    const values = new Map<string, Value>()
    for (const [key, value] of read()) values.set(key, gained(value, base?.reading.get(key)))
    const perMinute = (key: string): number => {
      const value = values.get(key) ?? 0
      const count = typeof value === 'number' ? value : value.count
      return (count * 60_000) / Math.max(windowMs, elapsedMs)
    }
    return { elapsedMs, values, perMinute }
  }

  return { tick, recent }
}

function gained<Value extends number | Distribution>(value: Value, before: Value | undefined): Value
function gained(
  value: number | Distribution,
  before: number | Distribution | undefined,
): number | Distribution {
  if (typeof value === 'number') {
    return typeof before === 'number' ? Math.max(0, value - before) : value
  }
  return before instanceof Distribution ? value.minus(before) : value
}
