import { median } from './harness/stats.ts'
import { DIRECT } from './peers/catalog.ts'
import type { Column, Readings, Scenario } from './scenarios/scenario.ts'

const YARDSTICKS = ['bare', 'portkey']

/** A scenario's table in Markdown: ratios of the same round first, then medians and their span. */
export function table(scenario: Scenario, readings: Readings): string {
  const ratios = scenario.columns.filter((column) => column.ratio)
  const yardsticks = YARDSTICKS.filter((name) => readings.peers.includes(name))
  const header = [
    '',
    ...ratios.flatMap((column) => yardsticks.map((name) => `${column.title} × ${name}`)),
    ...scenario.columns.map((column) => column.title),
  ]
  const rows = readings.peers.map((peer) => [
    peer === DIRECT ? '*direct*' : peer,
    ...ratios.flatMap((column) => yardsticks.map((name) => ratio(readings, column, peer, name))),
    ...scenario.columns.map((column) => cell(readings, column, peer)),
  ])
  const lines = [header, header.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
  const failures = [...readings.failures].map(
    ([peer, reason]) => `${peer} dropped out: ${reason.split('\n')[0]}`,
  )
  return [
    `### ${scenario.title}`,
    lines.map((line) => `| ${line.join(' | ')} |`).join('\n'),
    ...failures,
  ].join('\n\n')
}

function ratio(readings: Readings, column: Column, peer: string, yardstick: string): string {
  const yard = readings.rounds(yardstick)
  const ratios = readings.rounds(peer).flatMap((reading, round) => {
    const [mine, theirs] = [reading?.[column.key], yard[round]?.[column.key]]
    return mine === undefined || theirs === undefined ? [] : [mine / theirs]
  })
  return number(median(ratios), 2)
}

function cell(readings: Readings, column: Column, peer: string): string {
  const values = readings
    .rounds(peer)
    .flatMap((reading) => reading?.[column.key] ?? [])
    .filter((value) => !Number.isNaN(value))
  if (values.length === 0) return '–'
  const { digits } = column
  if (column.worst) return number(Math.max(...values), digits)
  const middle = number(median(values), digits)
  if (column.plain) return middle
  return `${middle} (${number(Math.min(...values), digits)}–${number(Math.max(...values), digits)})`
}

function number(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}
