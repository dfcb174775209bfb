import { sleep } from '../harness/clock.ts'
import { type Contender, startPeer } from '../harness/contender.ts'
import { rssOf } from '../harness/processes.ts'
import { percentile } from '../harness/stats.ts'
import { playStreams, type StreamsResult } from '../load/streams.ts'
import { DIRECT, type Peer } from '../peers/catalog.ts'
import type { Reading } from './readings.ts'
import { BARE, type Bench, interleave, type Scenario } from './scenario.ts'
import { withCpu } from './standing.ts'

const INTERVAL_MS = 100
const RAMP_MS = 1000
const REST_MS = 3000
const UPSTREAM_CONNECTIONS = 1024

export const streams: Scenario = {
  name: 'streams',
  title: 'Streams: many at once, 10 events/s each, two waves on a fresh server',
  columns: [
    { key: 'kbPerStream', title: 'KB/stream', digits: 1, ratio: BARE },
    { key: 'kbFromStart', title: 'KB/stream since start', digits: 1, ratio: BARE, plain: true },
    { key: 'peakMb', title: 'peak RSS MB', digits: 0, plain: true },
    { key: 'stalls', title: 'stalls', digits: 0, plain: true, worst: true },
    { key: 'eventP50', title: 'event delay p50 ms', digits: 2, plain: true },
    { key: 'eventP99', title: 'event delay p99 ms', digits: 2, plain: true },
    { key: 'cpu', title: 'server core %', digits: 0, plain: true },
    { key: 'failed', title: 'failed', digits: 0, plain: true, worst: true },
  ],
  run: (bench) =>
    interleave(bench, [{ name: DIRECT }, ...bench.peers], async (entry) => {
      if (!isPeer(entry)) return measure(bench, bench.mock)
      const port = bench.mock.target.port
      const contender = await startPeer(entry, port, UPSTREAM_CONNECTIONS, bench.plan.log)
      try {
        return await measure(bench, contender)
      } finally {
        await contender.server.stop()
      }
    }),
}

function isPeer(entry: { readonly name: string }): entry is Peer {
  return entry.name !== DIRECT
}

/** The first wave lets the server grow to its working size; the second shows what streams cost. */
async function measure(bench: Bench, contender: Contender): Promise<Reading> {
  const { pid } = contender.server
  const fresh = rssOf(pid)
  const first = await playWave(bench, contender)
  await sleep(REST_MS)
  const idle = rssOf(pid)
  const run = () => withPeakRss(pid, () => playWave(bench, contender))
  const { result, server } = await withCpu(bench, contender, run)
  const waves = [first, result.wave]
  const delays = waves.flatMap((wave) => wave.delaysMs)
  const memory =
    contender.name === DIRECT
      ? {}
      : {
          kbPerStream: (result.peak - idle) / 1024 / bench.plan.streams,
          kbFromStart: (result.peak - fresh) / 1024 / bench.plan.streams,
          peakMb: result.peak / 2 ** 20,
        }
  return {
    ...memory,
    stalls: first.stalls + result.wave.stalls,
    eventP50: percentile(delays, 50),
    eventP99: percentile(delays, 99),
    cpu: server,
    failed: first.failed + result.wave.failed,
  }
}

function playWave(bench: Bench, { target }: Contender): Promise<StreamsResult> {
  const events = Math.round((bench.plan.streamSeconds * 1000) / INTERVAL_MS)
  return playStreams(target, {
    slots: bench.plan.streams,
    rampMs: RAMP_MS,
    pace: { events, intervalMs: INTERVAL_MS },
  })
}

async function withPeakRss(
  pid: number,
  work: () => Promise<StreamsResult>,
): Promise<{ wave: StreamsResult; peak: number }> {
  let peak = rssOf(pid)
  const timer = setInterval(() => {
    peak = Math.max(peak, rssOf(pid))
  }, 100)
  try {
    const wave = await work()
    return { wave, peak }
  } finally {
    clearInterval(timer)
  }
}
