import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { sendAtRate, type Tally } from './drill/load.ts'
import { DrillUpstream } from './drill/upstream.ts'
import {
  cleanUpOnExit,
  freePort,
  pinSelf,
  Running,
  SERVER_CORE,
  scratch,
} from './harness/processes.ts'
import { percentile } from './harness/stats.ts'

/**
 * An outage drill: a gateway with three endpoints under a steady load, one of which dies (it refuses,
 * then it hangs) and comes back; then all of them fail now and then. What a client sees is counted.
 */
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
})

const USAGE = `node src/drill.ts [--rate REQUESTS_PER_SECOND] [--seconds PER_PHASE]`
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const rate = Number(values.rate)
const phaseMs = Number(values.seconds) * 1000
if (!(rate > 0 && phaseMs >= 1000)) {
  console.error(`rate must be above 0 and seconds at least 1.\n${USAGE}`)
  process.exit(2)
}

/** By then the breaker has opened; what comes after is what an outage costs for as long as it lasts. */
const SETTLED_MS = Math.min(3000, phaseMs / 2)
/** How long an endpoint that is back is given until its breaker has probed it. */
const RECOVERY_MS = 6000

function config(port: number, upstreams: readonly DrillUpstream[]): string {
  const path = join(scratch(), 'drill.yaml')
  const endpoints = upstreams.map((each) => `      - { url: "http://127.0.0.1:${each.port}/v1" }`)
  writeFileSync(
    path,
    `version: 1
server: { port: ${port} }
upstreams:
  three:
    protocol: openai
    endpoints:
${endpoints.join('\n')}
    timeouts: { connect: 500ms, firstByte: 500ms }
    retry: { retries: 2, budgetFloor: 10 }
    breaker: { failures: 5, openFor: 5s }
routes:
  - { match: /v1/**, upstreams: [three], auth: none }
`,
  )
  return path
}

interface Row {
  readonly phase: string
  readonly tally: Tally
  readonly settledP99: number
}

async function phase(name: string, port: number): Promise<Row> {
  const tally = await sendAtRate(port, rate, phaseMs)
  const settled = tally.readings.filter(({ at }) => at >= SETTLED_MS).map(({ ms }) => ms)
  const row = { phase: name, tally, settledP99: percentile(settled, 99) }
  console.error(
    `  ${name}: ${tally.sent} sent, ${tally.failed} failed ${[...tally.failures].join(' ')}`,
  )
  return row
}

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms))

async function untilReady(server: Running, at: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (!server.alive) throw new Error(`The gateway did not start: ${server.errors()}`)
    const ready = await fetch(`http://127.0.0.1:${at}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) return
    await wait(100)
  }
  throw new Error('The gateway did not become ready.')
}

cleanUpOnExit()
pinSelf()
const upstreams = [5, 5, 5].map((ms) => new DrillUpstream(ms))
for (const each of upstreams) await each.open()
const [victim] = upstreams
if (victim === undefined) throw new Error('no upstream')
const port = await freePort()
const cli = resolve(import.meta.dirname, '../../apps/gateway/dist/cli.js')
const gateway = new Running(
  'drill',
  { file: process.execPath, args: [cli, 'start', '--config', config(port, upstreams)] },
  SERVER_CORE,
)
const rows: Row[] = []
try {
  await untilReady(gateway, port)
  await sendAtRate(port, rate, 3000)
  rows.push(await phase('calm', port))
  setTimeout(() => void victim.become('refuse'), 500)
  rows.push(await phase('one of three refuses', port))
  await victim.become('good')
  await wait(RECOVERY_MS)
  setTimeout(() => void victim.become('hang'), 500)
  rows.push(await phase('one of three hangs', port))
  await victim.become('good')
  await wait(RECOVERY_MS)
  const before = victim.hits
  rows.push(await phase('all back', port))
  console.error(`  the endpoint that was away got ${victim.hits - before} of them`)
  for (const each of upstreams) {
    each.faultRate = 0.02
    await each.become('flaky')
  }
  rows.push(await phase('2 % random 503s', port))
} finally {
  await gateway.stop()
  await Promise.all(upstreams.map((each) => each.close()))
}

const calm = rows[0]?.settledP99 ?? Number.NaN
console.log(`${rate} requests per second, ${phaseMs / 1000} s per phase\n`)
console.log('| phase | sent | failed | success % | p50 ms | p99 ms | p99 ms settled | × calm |')
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
for (const { phase: name, tally, settledP99 } of rows) {
  const all = tally.readings.map(({ ms }) => ms)
  const success = (100 * (1 - tally.failed / tally.sent)).toFixed(3)
  const [p50, p99] = [percentile(all, 50).toFixed(1), percentile(all, 99).toFixed(1)]
  const cells = [name, tally.sent, tally.failed, success, p50, p99]
  console.log(
    `| ${[...cells, settledP99.toFixed(1), (settledP99 / calm).toFixed(2)].join(' | ')} |`,
  )
}
process.exit(0)
