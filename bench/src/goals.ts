import { median } from './harness/stats.ts'
import { DIRECT } from './peers/catalog.ts'
import type { Readings } from './scenarios/readings.ts'

const OURS = 'tidegate'

/** What the gateway has set itself, against others in the same rounds where it says so. */
interface Goal {
  readonly scenario: string
  readonly text: string
  readonly digits: number
  readonly value: (readings: Readings) => number
  readonly reached: (value: number) => boolean
}

const GOALS: readonly Goal[] = [
  atLeast('throughput', 'requests per second × bare', 'rps', 'bare', 0.65),
  atLeast('throughput', 'requests per second × Portkey', 'rps', 'portkey', 5.5),
  atLeast('throughput', 'requests per second × without metrics', 'rps', 'tidegate-uncounted', 0.95),
  {
    scenario: 'throughput',
    text: 'requests per second with 1 % traced × without traces and metrics: at least 0.9',
    digits: 2,
    value: (readings) => readings.ratio('rps', 'tidegate-traced', 'tidegate-uncounted'),
    reached: (value) => value >= 0.9,
  },
  {
    scenario: 'throughput',
    text: 'requests per second with limits × without, both with keys: at least 0.93',
    digits: 2,
    value: (readings) => readings.ratio('rps', 'tidegate-limits', 'tidegate-auth'),
    reached: (value) => value >= 0.93,
  },
  {
    scenario: 'throughput',
    text: 'requests per second from the cache × without one, both with keys: at least 1.5',
    digits: 2,
    value: (readings) => readings.ratio('rps', 'tidegate-cached', 'tidegate-auth'),
    reached: (value) => value >= 1.5,
  },
  atMost('sequential', 'median latency × bare', 'p50', 'bare', 1.3),
  atMost('first-token', 'median first token × bare', 'p50', 'bare', 1.3),
  atMost('first-token', '99th percentile of the first token × bare', 'p99', 'bare', 2),
  {
    scenario: 'streams',
    text: 'stalls more than going direct, worst round: 0',
    digits: 0,
    value: (readings) => readings.mostAdded('stalls', OURS, DIRECT),
    reached: (value) => value <= 0,
  },
  atMost('streams', 'memory per stream × bare', 'kbPerStream', 'bare', 1.3),
  below('ready after, in ms', 'readyMs', 1000),
  below('idle memory, in MB', 'idleMb', 120),
]

function atLeast(scenario: string, what: string, key: string, other: string, limit: number): Goal {
  return {
    ...relative(scenario, key, other),
    text: `${what}: at least ${limit}`,
    reached: (value) => value >= limit,
  }
}

function atMost(scenario: string, what: string, key: string, other: string, limit: number): Goal {
  return {
    ...relative(scenario, key, other),
    text: `${what}: at most ${limit}`,
    reached: (value) => value <= limit,
  }
}

function relative(scenario: string, key: string, other: string) {
  const value = (readings: Readings) => readings.ratio(key, OURS, other)
  return { scenario, digits: 2, value }
}

function below(what: string, key: string, limit: number): Goal {
  return {
    scenario: 'start',
    text: `${what}: below ${limit}`,
    digits: 0,
    value: (readings) => median(readings.values(OURS, key)),
    reached: (value) => value < limit,
  }
}

/** The goals of the scenarios that ran, as a Markdown table; nothing without the gateway. */
export function goalsTable(results: ReadonlyMap<string, Readings>): string {
  const rows = GOALS.flatMap((goal) => {
    const readings = results.get(goal.scenario)
    const value = readings ? goal.value(readings) : Number.NaN
    if (!Number.isFinite(value)) return []
    const reached = goal.reached(value) ? 'yes' : 'no'
    return [`| ${goal.text} | ${value.toFixed(goal.digits)} | ${reached} |`]
  })
  if (rows.length === 0) return ''
  const header = ['| goal of tidegate | measured | reached |', '| --- | ---: | --- |']
  return ['### Goals', '', ...header, ...rows].join('\n')
}
