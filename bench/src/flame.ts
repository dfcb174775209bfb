import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { monotonicMicros } from './harness/clock.ts'
import { type Contender, startMock, startPeer } from './harness/contender.ts'
import { cleanUpOnExit, pinSelf, scratch } from './harness/processes.ts'
import { chatRequest } from './harness/requests.ts'
import { sendPlain } from './load/plain.ts'
import { PEERS, type Peer } from './peers/catalog.ts'
import { type Own, ownTimes } from './profile.ts'

const USAGE = `usage: node src/flame.ts [options]
  --peers LIST   Node servers to profile one after another, default bare,tidegate
  --seconds N    of load under the profiler, default 5
  --top N        functions to list, default 30
  --keep DIR     keeps the .cpuprofile files: open them in a browser's developer tools`

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: 'bare,tidegate' },
    seconds: { type: 'string', default: '5' },
    top: { type: 'string', default: '30' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

interface Profile {
  readonly name: string
  readonly requests: number
  readonly functions: readonly Own[]
}

/** The same server under Node's sampling profiler. */
function profiled(peer: Peer, folder: string): Peer {
  return {
    ...peer,
    command: (setting) => {
      const command = peer.command(setting)
      if (command.file !== process.execPath) throw new Error(`${peer.name} does not run on Node`)
      const flags = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', folder]
      return { ...command, args: [...flags, ...command.args] }
    },
  }
}

async function measure(peer: Peer, mock: Contender, folder: string): Promise<Profile> {
  const seconds = Number(values.seconds)
  mkdirSync(folder, { recursive: true })
  const { target, server } = await startPeer(profiled(peer, folder), mock.target.port, 64)
  const send = (ms: number) => sendPlain(target.port, chatRequest(target), { connections: 32, ms })
  await send(3000)
  const from = monotonicMicros()
  const { completed } = await send(seconds * 1000)
  const to = monotonicMicros()
  await server.stop(20_000)
  return { name: peer.name, requests: completed, functions: ownTimes(folder, from, to) }
}

function groups(profile: Profile): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { group, micros } of profile.functions)
    sums.set(group, (sums.get(group) ?? 0) + micros / profile.requests)
  return sums
}

/** Microseconds per request by group, the profiles side by side, the largest group first. */
function groupTable(profiles: readonly Profile[]): string {
  const sums = profiles.map(groups)
  const names = [...new Set(sums.flatMap((sum) => [...sum.keys()]))]
  const largest = (name: string) => Math.max(...sums.map((sum) => sum.get(name) ?? 0))
  const row = (name: string, value: (sum: Map<string, number>) => number) =>
    `| ${name} | ${sums.map((sum) => value(sum).toFixed(2)).join(' | ')} |`
  return [
    `| µs per request | ${profiles.map(({ name }) => name).join(' | ')} |`,
    `| --- |${' ---: |'.repeat(profiles.length)}`,
    row('**all**', (sum) => [...sum.values()].reduce((a, b) => a + b, 0)),
    ...names
      .filter((name) => largest(name) >= 0.05)
      .sort((a, b) => largest(b) - largest(a))
      .map((name) => row(name, (sum) => sum.get(name) ?? 0)),
  ].join('\n')
}

function functionTable({ name, requests, functions }: Profile): string {
  const total = functions.reduce((sum, { micros }) => sum + micros, 0)
  const rows = functions.slice(0, Number(values.top)).map((own) => {
    const share = ((100 * own.micros) / total).toFixed(1)
    const each = (own.micros / requests).toFixed(2)
    return `| ${each} | ${share} | ${own.name} | ${own.group} | ${own.place} |`
  })
  return [
    `### ${name}: ${requests} requests under the profiler`,
    '',
    '| µs/request | % | function | group | where |',
    '| ---: | ---: | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

async function main(): Promise<void> {
  if (values.help) return console.log(USAGE)
  cleanUpOnExit()
  pinSelf()
  const mock = await startMock()
  const profiles: Profile[] = []
  for (const name of values.peers.split(',')) {
    const peer = PEERS.find((one) => one.name === name)
    if (!peer) throw new Error(`unknown peer "${name}"\n${USAGE}`)
    const missing = peer.missing()
    if (missing) throw new Error(`${name}: ${missing}`)
    profiles.push(await measure(peer, mock, join(values.keep ?? scratch(), `profile-${name}`)))
  }
  console.log([groupTable(profiles), ...profiles.map(functionTable)].join('\n\n'))
}

await main().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message)
    process.exit(1)
  },
)
