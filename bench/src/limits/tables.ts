import { median } from '../harness/stats.ts'
import { excessOf } from './excess.ts'
import type { Reading, Readings } from './measure.ts'
import type { Quota } from './workload.ts'

type Measure = (reading: Reading) => number

const perDecision =
  (of: Measure): Measure =>
  (reading) =>
    of(reading) / reading.decisions
const nanoseconds = perDecision(({ cpuMs }) => cpuMs * 1e6)
const scripts = perDecision(({ redis }) => redis?.scripts ?? Number.NaN)
const inScripts = perDecision(({ redis }) => redis?.others ?? Number.NaN)
const redisUs = perDecision(({ redis }) => redis?.cpuUs ?? Number.NaN)

export const MEMORY_HEAD = row(
  ...['keys', 'who', '× rate-limiter-flexible', 'ns of processor time', 'decisions/s'],
)

/**
 * How many decisions one gets for the processor time that the second needs for one. The first is asked
 * the same way but decides nothing: its time is taken off everybody's.
 */
export function memoryRows(label: string, readings: Readings): string[] {
  const [nothing = [], reference = []] = readings.values()
  const net = (rounds: readonly Reading[]) =>
    rounds.map((reading, i) => nanoseconds(reading) - nanoseconds(nothing[i] ?? reading))
  const referred = net(reference)
  return [...readings].slice(1).map(([name, rounds]) => {
    const times = net(rounds)
    const ratios = times.map((time, i) => (referred[i] ?? Number.NaN) / time)
    const rate = median(rounds.map(({ perSecond }) => perSecond))
    return row(label, name, median(ratios).toFixed(2), spread(times, 0), String(Math.round(rate)))
  })
}

export const REDIS_HEAD = row(
  ...['keys', 'processes', 'who', '× rate-limiter-flexible', '× by processor time'],
  ...['fewer commands', 'decisions/s'],
  ...['commands per decision', 'calls in scripts', 'Redis µs', 'client µs'],
)

/** By the clock, and by the processor time of the clients and of Redis together. */
export function redisRows(label: string, processes: number, readings: Readings): string[] {
  const [reference = []] = readings.values()
  const perSecond: Measure = (reading) => reading.perSecond
  return [...readings].map(([name, rounds]) => {
    const commands = total(rounds, ({ redis }) => redis?.scripts ?? 0)
    const fewer = ratio(reference, rounds, scripts)
    return row(
      label,
      String(processes),
      name,
      ratio(rounds, reference, perSecond).toFixed(2),
      ratio(reference, rounds, (reading) => nanoseconds(reading) / 1000 + redisUs(reading)).toFixed(
        2,
      ),
      commands === 0 ? 'none at all' : `${fewer.toFixed(fewer < 10 ? 1 : 0)} ×`,
      spread(rounds.map(perSecond), 0),
      commands === 0 ? '0' : median(rounds.map(scripts)).toPrecision(2),
      median(rounds.map(inScripts)).toPrecision(2),
      median(rounds.map(redisUs)).toFixed(2),
      (median(rounds.map(nanoseconds)) / 1000).toFixed(2),
    )
  })
}

export const PROMISE_HEAD = row(
  ...[
    'who',
    'processes',
    'asked/s',
    'admitted/s',
    '% of what the limit allows',
    'excess',
    'commands/s',
  ],
)

/** What was let through of far more than the limit allows, over all rounds. */
export function promiseRows(processes: number, quota: Quota, readings: Readings): string[] {
  const perMs = quota.limit / quota.windowMs
  return [...readings].map(([name, rounds]) => {
    const seconds = total(rounds, lastedMs) / 1000
    const admitted = total(rounds, (reading) => reading.admitted)
    const excess = rounds.map(({ results }) =>
      excessOf(
        results.flatMap(({ asked }) => asked),
        results.flatMap(({ answered }) => answered),
        quota,
      ),
    )
    return row(
      name,
      String(processes),
      String(Math.round(total(rounds, ({ decisions }) => decisions) / seconds)),
      String(Math.round(admitted / seconds)),
      ((admitted / (rounds.length * quota.limit + seconds * 1000 * perMs)) * 100).toFixed(1),
      Math.max(...excess).toFixed(0),
      String(Math.round(total(rounds, ({ redis }) => redis?.scripts ?? 0) / seconds)),
    )
  })
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** Numbers are set to the right. */
export function table(head: string, rows: readonly string[]): string {
  const cells = (rows[0] ?? head).slice(2, -2).split(' | ')
  // The first column names what was asked, even where that is a number.
  const rule = cells.map((cell, at) => (at > 0 && /^-?\d/.test(cell) ? '---:' : '---'))
  return [head, row(...rule), ...rows].join('\n')
}

/** The median of the rounds' ratios. */
function ratio(above: readonly Reading[], below: readonly Reading[], of: Measure): number {
  return median(
    above.map((reading, i) => of(reading) / of(below[i] ?? reading)).filter(Number.isFinite),
  )
}

function spread(values: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

function total(rounds: readonly Reading[], of: Measure): number {
  return rounds.reduce((sum, reading) => sum + of(reading), 0)
}

function lastedMs({ results }: Reading): number {
  return Math.max(...results.map(({ elapsedMs }) => elapsedMs))
}
