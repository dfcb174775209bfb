import type { Contender } from '../harness/contender.ts'
import { percentile } from '../harness/stats.ts'
import { playStreams } from '../load/streams.ts'
import { BARE_AND_PORTKEY, type Scenario } from './scenario.ts'
import { withCpu, withStandingPeers } from './standing.ts'

const SLOTS = 64
const PACE = { events: 25, intervalMs: 20 }

export const firstToken: Scenario = {
  name: 'first-token',
  title: `First token: ${SLOTS} streams at a time, ${PACE.events} events ${PACE.intervalMs} ms apart, then the next stream`,
  columns: [
    { key: 'p50', title: 'first p50 ms', digits: 2, ratio: BARE_AND_PORTKEY, added: true },
    { key: 'p99', title: 'first p99 ms', digits: 2, ratio: BARE_AND_PORTKEY, added: true },
    { key: 'eventP50', title: 'event delay p50 ms', digits: 2, plain: true },
    { key: 'eventP99', title: 'event delay p99 ms', digits: 2, plain: true },
    { key: 'cpu', title: 'server core %', digits: 0, plain: true },
    { key: 'failed', title: 'failed', digits: 0, plain: true, worst: true },
  ],
  run: (bench) => {
    const play = ({ target }: Contender, seconds: number) =>
      playStreams(target, {
        slots: SLOTS,
        rampMs: PACE.events * PACE.intervalMs,
        pace: PACE,
        ms: seconds * 1000,
      })
    return withStandingPeers(
      bench,
      (contender) => play(contender, bench.plan.warmupSeconds),
      async (contender) => {
        const run = () => play(contender, bench.plan.seconds)
        const { result, server } = await withCpu(bench, contender, run)
        return {
          p50: percentile(result.firstMs, 50),
          p99: percentile(result.firstMs, 99),
          eventP50: percentile(result.delaysMs, 50),
          eventP99: percentile(result.delaysMs, 99),
          cpu: server,
          failed: result.failed,
        }
      },
    )
  },
}
