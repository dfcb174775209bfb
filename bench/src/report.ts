import { cpus, release, totalmem } from 'node:os'
import { goalsTable } from './goals.ts'
import { pinned } from './harness/processes.ts'
import { median } from './harness/stats.ts'
import { DIRECT, type Peer } from './peers/catalog.ts'
import type { Readings } from './scenarios/readings.ts'
import type { Column, Plan, Scenario } from './scenarios/scenario.ts'

/** Where and how a run was made. */
export interface Environment {
  readonly date: string
  readonly node: string
  readonly system: string
  readonly cpu: string
  readonly memoryGb: number
  readonly pinned: boolean
  readonly plan: Plan
  readonly versions: Readonly<Record<string, string>>
}

export function environment(plan: Plan, peers: readonly Peer[]): Environment {
  return {
    date: new Date().toISOString(),
    node: process.version,
    system: `${process.platform} ${release()}`,
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? '?'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    pinned,
    plan,
    versions: Object.fromEntries(peers.map((peer) => [peer.name, peer.version()])),
  }
}

/** Everything measured, round by round. */
export function json(facts: Environment, results: ReadonlyMap<string, Readings>): string {
  const scenarios = [...results].map(([name, readings]) => [
    name,
    {
      rounds: Object.fromEntries(readings.peers.map((peer) => [peer, readings.rounds(peer)])),
      failures: Object.fromEntries(readings.failures),
    },
  ])
  return JSON.stringify({ ...facts, results: Object.fromEntries(scenarios) }, null, 2)
}

/** The whole report: goals first, then a table per scenario. */
export function markdown(
  facts: Environment,
  scenarios: readonly Scenario[],
  results: ReadonlyMap<string, Readings>,
): string {
  const { date, node, system, cpu, memoryGb, plan } = facts
  const versions = Object.entries(facts.versions).map(([name, version]) => `${name} ${version}`)
  const where = `Node ${node}, ${system}, ${cpu}, ${memoryGb} GB, ${pinned ? 'pinned' : 'not pinned'}`
  const tables = scenarios.flatMap((scenario) => {
    const readings = results.get(scenario.name)
    return readings ? [table(scenario, readings)] : []
  })
  const head = `${date.slice(0, 10)}: ${where}; ${plan.rounds} rounds of ${plan.seconds} s.`
  return [head, `Versions: ${versions.join('; ')}.`, goalsTable(results), ...tables]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

/** A scenario's table in Markdown: ratios of the same round first, then medians and their span. */
function table(scenario: Scenario, readings: Readings): string {
  const derived = scenario.columns.flatMap((column) => derive(column, readings))
  const header = ['', ...derived.map(({ title }) => title), ...scenario.columns.map(titleOf)]
  const rows = readings.peers.map((peer) => [
    peer === DIRECT ? '*direct*' : peer,
    ...derived.map(({ cell }) => cell(peer)),
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

interface Derived {
  readonly title: string
  readonly cell: (peer: string) => string
}

function titleOf({ title }: Column): string {
  return title
}

/** The columns that set a peer beside others: multiples of the yardsticks, distance from direct. */
function derive(column: Column, readings: Readings): Derived[] {
  const has = (name: string) => readings.peers.includes(name)
  const ratios = (column.ratio ?? []).filter(has).map((name) => ({
    title: `${column.title} × ${name}`,
    cell: (peer: string) => number(readings.ratio(column.key, peer, name), 2),
  }))
  if (!column.added || !has(DIRECT)) return ratios
  const cell = (peer: string) => number(readings.added(column.key, peer, DIRECT), column.digits)
  return [...ratios, { title: `${column.title} − direct`, cell }]
}

function cell(readings: Readings, column: Column, peer: string): string {
  const values = readings.values(peer, column.key)
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
