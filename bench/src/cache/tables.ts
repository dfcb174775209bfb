import { median } from '../harness/stats.ts'
import type { ContenderName } from './contenders.ts'
import type { Reading, Readings } from './measure.ts'

type Measure = (reading: Reading) => number

const perCall =
  (of: Measure): Measure =>
  (reading) =>
    of(reading) / reading.calls
const nanoseconds = perCall(({ cpuMs }) => cpuMs * 1e6)
const commands = perCall(({ redis }) => redis?.commands ?? Number.NaN)
const redisUs = perCall(({ redis }) => redis?.cpuUs ?? Number.NaN)
const allUs: Measure = (reading) => nanoseconds(reading) / 1000 + redisUs(reading)

/** How often one gets by this what the other needs for one: medians of the rounds' ratios. */
export function memoryTable(
  tables: ReadonlyMap<string, Readings>,
  references: readonly ContenderName[],
): string {
  const ratios = references.map((name) => `× ${name}`)
  const rows = [...tables].flatMap(([label, readings]) =>
    [...readings].map(([name, rounds]) => [
      label,
      name,
      ...references.map((other) => ratio(readings.get(other), rounds, nanoseconds)),
      spread(rounds.map(nanoseconds), 0),
      whole(median(rounds.map(({ perSecond }) => perSecond))),
    ]),
  )
  return table(['what', 'who', ...ratios, 'ns of processor time', 'calls/s'], rows)
}

/** By the clock, and by the processor time of the clients and of Redis together. */
export function redisTable(
  tables: ReadonlyMap<string, Readings>,
  reference: ContenderName,
): string {
  const rows = [...tables].flatMap(([label, readings]) =>
    [...readings].map(([name, rounds]) => [
      label,
      name,
      ratio(rounds, readings.get(reference), ({ perSecond }) => perSecond),
      ratio(readings.get(reference), rounds, allUs),
      spread(
        rounds.map(({ perSecond }) => perSecond),
        0,
      ),
      median(rounds.map(commands)).toPrecision(2),
      median(rounds.map(redisUs)).toFixed(1),
      (median(rounds.map(nanoseconds)) / 1000).toFixed(1),
    ]),
  )
  const head = ['what', 'who', `× ${reference}`, '× by processor time', 'calls/s']
  return table([...head, 'commands per call', 'Redis µs', 'client µs'], rows)
}

export function stampedeTable(tables: ReadonlyMap<string, Readings>): string {
  const rows = [...tables].flatMap(([label, readings]) =>
    [...readings].map(([name, rounds]) => [
      label,
      name,
      spread(
        rounds.map(({ factories }) => factories),
        0,
      ),
      spread(
        rounds.map(({ elapsedMs }) => elapsedMs),
        0,
      ),
      spread(
        rounds.map(({ cpuMs }) => cpuMs),
        1,
      ),
    ]),
  )
  const head = ['callers', 'who', 'factory calls', 'ms until all had it', 'ms of processor time']
  return table(head, rows)
}

/** Numbers are set to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const first = rows[0] ?? head
  const rule = first.map((cell, at) => (at > 1 && /^[\d–-]/.test(cell) ? '---:' : '---'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function ratio(
  above: readonly Reading[] | undefined,
  below: readonly Reading[] | undefined,
  of: Measure,
): string {
  if (above === undefined || below === undefined) return '–'
  const ratios = above.map((reading, i) => of(reading) / of(below[i] ?? reading))
  return median(ratios.filter(Number.isFinite)).toFixed(2)
}

function spread(values: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

function whole(value: number): string {
  return String(Math.round(value))
}
