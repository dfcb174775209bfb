import { type ChildProcess, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cleanUp, cleanUpOnExit, scratch } from './harness/processes.ts'
import { median } from './harness/stats.ts'
import { ask, endWorkers, startWorker } from './harness/workers.ts'
import type { CallerName } from './http/callers.ts'
import type { Round, RoundResult } from './http/worker.ts'

const USAGE = `usage: node src/http.ts [options]
  --rounds N   default 9
  --ms N       of one caller in one round, default 700`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    ms: { type: 'string', default: '700' },
    help: { type: 'boolean', default: false },
  },
})

type Rows = ReadonlyMap<CallerName, readonly RoundResult[]>

interface Plan {
  readonly names: readonly CallerName[]
  readonly atATime: number
  readonly certificate?: { readonly cert: string; readonly key: string }
}

/** Every caller's rounds, each of which begins with another one; and its connections per call. */
async function measure({ names, atATime, certificate }: Plan, rounds: number, ms: number) {
  const files = certificate === undefined ? [] : [certificate.cert, certificate.key]
  const [upstream, told] = await startWorker(new URL('./http/upstream.ts', import.meta.url), files)
  const scheme = certificate === undefined ? 'http' : 'https'
  const url = `${scheme}://127.0.0.1:${(told as { port: number }).port}`
  const workers = new Map<CallerName, ChildProcess>()
  for (const name of names) {
    const trust = certificate === undefined ? [] : [certificate.cert]
    const file = new URL('./http/worker.ts', import.meta.url)
    workers.set(name, (await startWorker(file, [name, url, ...trust]))[0])
  }
  const round: Round = { atATime, ms }
  const rows = new Map(names.map((name) => [name, [] as RoundResult[]]))
  const opened = new Map<CallerName, number>()
  const connections = async () => (await ask<{ connections: number }>(upstream, {})).connections
  for (let index = -1; index < rounds; index++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + index + 1) % names.length]
      const worker = name === undefined ? undefined : workers.get(name)
      if (name === undefined || worker === undefined) continue
      const before = await connections()
      const result = await ask<RoundResult>(worker, round)
      // The first round warms up.
      if (index < 0) continue
      rows.get(name)?.push(result)
      opened.set(name, (opened.get(name) ?? 0) + (await connections()) - before)
    }
  }
  return { rows, opened }
}

const perCall = ({ calls, cpuMs }: RoundResult) => (cpuMs * 1000) / calls
const elapsedPerCall = ({ calls, elapsedMs }: RoundResult) => (elapsedMs * 1000) / calls
const us = (values: readonly number[]) =>
  `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)})`

/** Medians; the ratio is the median of the rounds' ratios to the first caller, more is better. */
function throughputTable(rows: Rows): string {
  const [reference = []] = rows.values()
  const ratioOf = (results: readonly RoundResult[], of: (result: RoundResult) => number) =>
    median(results.map((result, i) => of(reference[i] ?? result) / of(result))).toFixed(2)
  const lines = [...rows].map(([name, results]) => {
    const cpu = results.map(perCall)
    const rate = Math.round(
      median(results.map(({ calls, elapsedMs }) => (calls / elapsedMs) * 1e3)),
    )
    return `| ${name} | ${ratioOf(results, perCall)} | ${us(cpu)} | ${ratioOf(results, elapsedPerCall)} | ${rate} |`
  })
  return [
    '| caller | × request, by processor time | µs of it per call | × request, by the clock | calls/s |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')
}

function poolingTable(rows: Rows, opened: ReadonlyMap<CallerName, number>): string {
  const lines = [...rows].map(([name, results]) => {
    const calls = results.reduce((sum, result) => sum + result.calls, 0)
    return `| ${name} | ${calls} | ${opened.get(name) ?? 0} | ${us(results.map(elapsedPerCall))} | ${us(results.map(perCall))} |`
  })
  return [
    '| caller | calls | connections | µs per call | µs of processor time per call |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')
}

function makeCertificate(): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(scratch(), 'cert.pem'), join(scratch(), 'key.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  return { cert, key }
}

async function main(rounds: number, ms: number): Promise<void> {
  const plain: Plan = { names: ['undici request', 'tidegate', 'fetch', 'got'], atATime: 50 }
  const throughput = await measure(plain, rounds, ms)
  console.log(`Node ${process.version}; ${rounds} rounds of ${ms} ms.\n`)
  console.log(`${throughputTable(throughput.rows)}\n`)
  const names: CallerName[] = ['tidegate, not pooled', 'tidegate']
  const tls = await measure({ names, atATime: 1, certificate: makeCertificate() }, rounds, ms)
  console.log(poolingTable(tls.rows, tls.opened))
}

if (values.help) console.log(USAGE)
else {
  const [rounds, ms] = [Number(values.rounds), Number(values.ms)]
  if (!(rounds >= 1 && ms >= 1)) throw new Error(`Give whole numbers from 1.\n${USAGE}`)
  cleanUpOnExit()
  try {
    await main(rounds, ms)
  } finally {
    await endWorkers()
    cleanUp()
  }
}
