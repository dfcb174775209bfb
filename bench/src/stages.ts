import { parseArgs } from 'node:util'
import { type Contender, startMock, startPeer } from './harness/contender.ts'
import { cleanUpOnExit, cpuMsOf, pinSelf } from './harness/processes.ts'
import { chatRequest } from './harness/requests.ts'
import { median } from './harness/stats.ts'
import { sendPlain } from './load/plain.ts'
import { PEERS, type Peer } from './peers/catalog.ts'

const CONNECTIONS = 32
const WARM_TURNS = 10
const WARM_MS = 500

/** A gateway with a stage, beside the same one without it. */
interface Stage {
  readonly name: string
  readonly peer: string
  readonly beside: string
  /** Requests per second with it × without it. */
  readonly goal: number
}

const STAGES: readonly Stage[] = [
  { name: 'metrics', peer: 'tidegate', beside: 'tidegate-uncounted', goal: 0.95 },
  { name: 'traces', peer: 'tidegate-traced', beside: 'tidegate-uncounted', goal: 0.9 },
  { name: 'limits', peer: 'tidegate-limits', beside: 'tidegate-auth', goal: 0.93 },
  { name: 'cache', peer: 'tidegate-cached', beside: 'tidegate-auth', goal: 1.5 },
]

const USAGE = `usage: node src/stages.ts [options]
  --only LIST   of: ${STAGES.map(({ name }) => name).join(',')}
  --starts N    pairs of fresh processes, default 7
  --turns N     turns of each of a pair, default 25
  --ms N        of a turn, default 200`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    starts: { type: 'string', default: '7' },
    turns: { type: 'string', default: '25' },
    ms: { type: 'string', default: '200' },
    help: { type: 'boolean', default: false },
  },
})

interface Turn {
  readonly rps: number
  readonly micros: number
}

async function turn({ target, server }: Contender, ms: number): Promise<Turn> {
  const before = cpuMsOf(server.pid)
  const load = { connections: CONNECTIONS, ms }
  const { completed, elapsedMs } = await sendPlain(target.port, chatRequest(target), load)
  const used = cpuMsOf(server.pid) - before
  return { rps: (1000 * completed) / elapsedMs, micros: (1000 * used) / completed }
}

function named(name: string): Peer {
  const peer = PEERS.find((each) => each.name === name)
  if (peer === undefined) throw new Error(`there is no peer ${name}`)
  return peer
}

/** The medians of turn by turn, of two processes that have just been started. */
async function pair(stage: Stage, mock: Contender, turns: number, ms: number): Promise<number[]> {
  const start = (name: string) => startPeer(named(name), mock.target.port, 2 * CONNECTIONS)
  const [a, b] = [await start(stage.peer), await start(stage.beside)]
  for (let i = 0; i < WARM_TURNS; i++) for (const each of [a, b]) await turn(each, WARM_MS)
  const [rps, micros]: [number[], number[]] = [[], []]
  for (let i = 0; i < turns; i++) {
    const isFirst = i % 2 === 0
    const first = await turn(isFirst ? a : b, ms)
    const second = await turn(isFirst ? b : a, ms)
    const [mine, other] = isFirst ? [first, second] : [second, first]
    rps.push(mine.rps / other.rps)
    micros.push(mine.micros / other.micros)
  }
  await Promise.all([a.server.stop(20_000), b.server.stop(20_000)])
  return [median(rps), median(micros)]
}

function whole(text: string): number {
  const value = Number(text)
  if (!(Number.isInteger(value) && value >= 1))
    throw new Error(`not a number from 1: ${text}\n${USAGE}`)
  return value
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE)
  const [starts, turns, ms] = [whole(values.starts), whole(values.turns), whole(values.ms)]
  const wanted = values.only?.split(',') ?? STAGES.map(({ name }) => name)
  cleanUpOnExit()
  pinSelf()
  const mock = await startMock()
  console.log(`Node ${process.version}; ${starts} starts, ${turns} turns of ${ms} ms each.\n`)
  console.log('| stage | req/s × without it | of the starts | server µs/req × | goal | reached |')
  console.log('| --- | ---: | --- | ---: | ---: | --- |')
  for (const stage of STAGES.filter(({ name }) => wanted.includes(name))) {
    const found: number[][] = []
    for (let i = 0; i < starts; i++) found.push(await pair(stage, mock, turns, ms))
    const rps = found.map(([ratio = Number.NaN]) => ratio)
    const all = rps.map((ratio) => ratio.toFixed(2)).join(' ')
    const middle = median(rps)
    const cells = [
      ...[stage.name, middle.toFixed(3), all],
      median(found.map(([, ratio = Number.NaN]) => ratio)).toFixed(2),
      ...[`≥ ${stage.goal}`, middle >= stage.goal ? 'yes' : 'no'],
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

await main().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message)
    process.exit(1)
  },
)
