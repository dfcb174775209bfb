import type { Contender } from '../harness/contender.ts'
import { rssOf } from '../harness/processes.ts'
import { chatRequest } from '../harness/requests.ts'
import { sendPlain } from '../load/plain.ts'
import { BARE, BARE_AND_PORTKEY, type Scenario } from './scenario.ts'
import { withCpu, withStandingPeers } from './standing.ts'

const CONNECTIONS = 32

export const throughput: Scenario = {
  name: 'throughput',
  title: `Throughput: ${CONNECTIONS} keep-alive connections, chat completion with a 416-byte reply`,
  columns: [
    { key: 'rps', title: 'req/s', digits: 0, ratio: BARE_AND_PORTKEY },
    { key: 'micros', title: 'server µs/req', digits: 0, ratio: BARE, plain: true },
    { key: 'cpu', title: 'server core %', digits: 0, plain: true },
    { key: 'loadCpu', title: 'load core %', digits: 0, plain: true },
    { key: 'rss', title: 'RSS MB', digits: 0, plain: true },
    { key: 'failed', title: 'failed', digits: 0, plain: true, worst: true },
  ],
  run: (bench) => {
    const send = ({ target }: Contender, seconds: number) =>
      sendPlain(target.port, chatRequest(target), { connections: CONNECTIONS, ms: seconds * 1000 })
    return withStandingPeers(
      bench,
      (contender) => send(contender, bench.plan.warmupSeconds),
      async (contender) => {
        const run = () => send(contender, bench.plan.seconds)
        const { result, server, load } = await withCpu(bench, contender, run)
        return {
          rps: (1000 * result.completed) / result.elapsedMs,
          micros: (server * 10 * result.elapsedMs) / result.completed,
          cpu: server,
          loadCpu: load,
          rss: rssOf(contender.server.pid) / 2 ** 20,
          failed: result.failed,
        }
      },
    )
  },
}
