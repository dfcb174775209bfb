import { sleep } from '../harness/clock.ts'
import { exchange } from '../harness/connection.ts'
import { freePort, Running, rssOf, SERVER_CORE } from '../harness/processes.ts'
import { getRequest } from '../harness/requests.ts'
import type { Peer } from '../peers/catalog.ts'
import type { Reading } from './readings.ts'
import { BARE, type Bench, interleave, type Scenario } from './scenario.ts'

const POLL_MS = 2
const UP_WITHIN_MS = 20_000
const SETTLE_MS = 1500

export const start: Scenario = {
  name: 'start',
  title: 'Start: from the process being started to the first answer, and memory while idle',
  columns: [
    { key: 'readyMs', title: 'ready ms', digits: 0, ratio: BARE },
    { key: 'idleMb', title: 'idle RSS MB', digits: 0, ratio: BARE },
  ],
  run: (bench) => interleave(bench, bench.peers, (peer) => measure(bench, peer)),
}

async function measure(bench: Bench, peer: Peer): Promise<Reading> {
  const upstreamPort = bench.mock.target.port
  const port = await freePort()
  const command = peer.command({ port, upstreamPort, connections: 64 })
  const startedAt = performance.now()
  const server = new Running(peer.name, command, SERVER_CORE, bench.plan.log)
  try {
    await untilAnswering(peer, port, server)
    const readyMs = performance.now() - startedAt
    await sleep(SETTLE_MS)
    return { readyMs, idleMb: rssOf(server.pid) / 2 ** 20 }
  } finally {
    await server.stop()
  }
}

async function untilAnswering(peer: Peer, port: number, server: Running): Promise<void> {
  const request = getRequest(port, peer.ready)
  const deadline = performance.now() + UP_WITHIN_MS
  while (performance.now() < deadline && server.alive) {
    const answer = await exchange(port, request).catch(() => undefined)
    if (answer?.status === 200) return
    await sleep(POLL_MS)
  }
  throw new Error(`${peer.name} did not answer ${peer.ready} with 200\n${server.errors()}`)
}
