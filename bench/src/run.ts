import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startMock } from './harness/contender.ts'
import { cleanUpOnExit, pinSelf } from './harness/processes.ts'
import { PEERS, type Peer } from './peers/catalog.ts'
import { environment, json, markdown } from './report.ts'
import { firstToken } from './scenarios/first-token.ts'
import type { Readings } from './scenarios/readings.ts'
import type { Plan, Scenario } from './scenarios/scenario.ts'
import { sequential } from './scenarios/sequential.ts'
import { start } from './scenarios/start.ts'
import { streams } from './scenarios/streams.ts'
import { throughput } from './scenarios/throughput.ts'

const SCENARIOS: readonly Scenario[] = [throughput, sequential, firstToken, streams, start]
const RESULTS = new URL('../results/', import.meta.url)
const README = new URL('../README.md', import.meta.url)
const MARKS = ['<!-- results -->', '<!-- end of results -->'] as const

const USAGE = `usage: node src/run.ts [options]
  --only LIST       scenarios: ${SCENARIOS.map(({ name }) => name).join(',')}
  --peers LIST      ${PEERS.map(({ name }) => name).join(',')}
  --rounds N        default 5
  --seconds N       of one timed round, default 4
  --log FILE        the servers' standard output; default: discarded
  --publish         also puts the tables into the README
  --quick           one short round of everything: to see that it works, not to quote`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    log: { type: 'string' },
    publish: { type: 'boolean', default: false },
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
  const results = new Map<string, Readings>()
  mkdirSync(RESULTS, { recursive: true })
  for (const scenario of scenarios) {
    console.error(`\n${scenario.title}`)
    const note = (line: string) => console.error(`  ${line}`)
    results.set(scenario.name, await scenario.run({ plan, mock, peers, note }))
    // After every scenario, so that an interrupted run keeps what it has.
    writeFileSync(new URL('latest.json', RESULTS), json(facts, results))
    writeFileSync(new URL('latest.md', RESULTS), markdown(facts, scenarios, results))
  }
  const report = markdown(facts, scenarios, results)
  if (values.publish) publish(report)
  console.log(report)
}

/** Puts the report into the README, between the two marks that hold its place. */
function publish(report: string): void {
  const readme = readFileSync(README, 'utf8')
  const [before] = readme.split(MARKS[0])
  const [, after] = readme.split(MARKS[1])
  if (before === undefined || after === undefined) throw new Error('the README has lost its marks')
  writeFileSync(README, `${before}${MARKS[0]}\n\n${report}\n${MARKS[1]}${after}`)
}

await main().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message)
    process.exit(1)
  },
)
