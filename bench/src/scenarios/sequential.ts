import type { Contender } from '../harness/contender.ts'
import { chatRequest } from '../harness/requests.ts'
import { percentile } from '../harness/stats.ts'
import { sendPlain } from '../load/plain.ts'
import { BARE_AND_PORTKEY, type Scenario } from './scenario.ts'
import { withStandingPeers } from './standing.ts'

const REQUESTS_PER_SECOND = 500

export const sequential: Scenario = {
  name: 'sequential',
  title: 'Sequential: one connection, one request after another',
  columns: [
    { key: 'p50', title: 'p50 ms', digits: 3, ratio: BARE_AND_PORTKEY, added: true },
    { key: 'p99', title: 'p99 ms', digits: 3, added: true },
    { key: 'failed', title: 'failed', digits: 0, plain: true, worst: true },
  ],
  run: (bench) => {
    const send = ({ target }: Contender, seconds: number, connections: number) =>
      sendPlain(target.port, chatRequest(target), {
        connections,
        ms: seconds * 1000,
        requests: seconds * REQUESTS_PER_SECOND * connections,
      })
    return withStandingPeers(
      bench,
      (contender) => send(contender, bench.plan.warmupSeconds, 8),
      async (contender) => {
        const { latenciesMs, failed } = await send(contender, bench.plan.seconds, 1)
        return { p50: percentile(latenciesMs, 50), p99: percentile(latenciesMs, 99), failed }
      },
    )
  },
}
