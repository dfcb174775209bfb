import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { startMock } from './harness/contender.ts'
import { cleanUpOnExit, pinned, pinSelf } from './harness/processes.ts'
import { PEERS, type Peer } from './peers/catalog.ts'
import { table } from './report.ts'
import type { Plan, Readings, Scenario } from './scenarios/scenario.ts'
import { throughput } from './scenarios/throughput.ts'

const SCENARIOS: readonly Scenario[] = [throughput]
const RESULTS = new URL('../results/', import.meta.url)

const USAGE = `usage: node src/run.ts [options]
  --only LIST       scenarios: ${SCENARIOS.map(({ name }) => name).join(',')}
  --peers LIST      ${PEERS.map(({ name }) => name).join(',')}
  --rounds N        default 5
  --seconds N       of one timed round, default 4
  --log FILE        the servers' standard output; default: discarded
  --quick           one short round of everything: to see that it works, not to quote`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    log: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

function choose<T extends { readonly name: string }>(all: readonly T[], list?: string): T[] {
  if (list === undefined) return [...all]
  return list.split(',').map((name) => {
    const found = all.find((one) => one.name === name)
    if (!found) throw new Error(`unknown name "${name}"\n${USAGE}`)
    return found
  })
}

function positive(text: string | undefined, fallback: number): number {
  const value = Number(text ?? fallback)
  if (!(value > 0)) throw new Error(`not a positive number: ${text}\n${USAGE}`)
  return value
}

function available(peers: readonly Peer[]): Peer[] {
  return peers.filter((peer) => {
    const reason = peer.missing()
    if (reason) console.error(`leaving out ${peer.name}: ${reason}`)
    return !reason
  })
}

function environment(plan: Plan, peers: readonly Peer[]): Record<string, unknown> {
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

function markdown(facts: Record<string, unknown>, tables: readonly string[]): string {
  const { date, node, system, cpu, plan, versions } = facts as {
    [key: string]: string
  } & { plan: Plan; versions: Record<string, string> }
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${date} · Node ${node} · ${system} · ${cpu} · ${pinned ? 'pinned' : 'not pinned'} · ${plan.rounds} rounds of ${plan.seconds} s`,
    `Versions: ${peers.join('; ')}.`,
    ...tables,
    '',
  ].join('\n\n')
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE)
  const { quick } = values
  const plan: Plan = {
    rounds: positive(values.rounds, quick ? 1 : 5),
    seconds: positive(values.seconds, quick ? 1 : 4),
    warmupSeconds: quick ? 1 : 3,
    streams: quick ? 100 : 500,
    streamSeconds: quick ? 3 : 10,
    log: values.log,
  }
  const scenarios = choose(SCENARIOS, values.only)
  const peers = available(choose(PEERS, values.peers))
  cleanUpOnExit()
  pinSelf()
  const mock = await startMock()
  const facts = environment(plan, peers)
  const results: Record<string, unknown> = {}
  const tables: string[] = []
  mkdirSync(RESULTS, { recursive: true })
  for (const scenario of scenarios) {
    console.error(`\n${scenario.title}`)
    const note = (line: string) => console.error(`  ${line}`)
    const readings: Readings = await scenario.run({ plan, mock, peers, note })
    const rounds = readings.peers.map((peer) => [peer, readings.rounds(peer)])
    results[scenario.name] = {
      rounds: Object.fromEntries(rounds),
      failures: Object.fromEntries(readings.failures),
    }
    tables.push(table(scenario, readings))
    // After every scenario, so that an interrupted run keeps what it has.
    writeFileSync(new URL('latest.json', RESULTS), JSON.stringify({ ...facts, results }, null, 2))
    writeFileSync(new URL('latest.md', RESULTS), markdown(facts, tables))
  }
  console.log(markdown(facts, tables))
}

await main().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message)
    process.exit(1)
  },
)
