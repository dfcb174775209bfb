import { type Contender, startPeer } from '../harness/contender.ts'
import { cpuMsOf } from '../harness/processes.ts'
import type { Reading, Readings } from './readings.ts'
import { type Bench, interleave } from './scenario.ts'

/** Runs a scenario over servers that stay up for all its rounds, with going direct among them. */
export async function withStandingPeers(
  bench: Bench,
  warmUp: (contender: Contender) => Promise<unknown>,
  measure: (contender: Contender) => Promise<Reading>,
): Promise<Readings> {
  const contenders = [bench.mock]
  const failures = new Map<string, string>()
  try {
    for (const peer of bench.peers) {
      try {
        const contender = await startPeer(peer, bench.mock.target.port, 64, bench.plan.log)
        contenders.push(contender)
        await warmUp(contender)
      } catch (error) {
        failures.set(peer.name, (error as Error).message)
        bench.note(`${peer.name} failed: ${(error as Error).message}`)
      }
    }
    const readings = await interleave(bench, contenders, measure)
    for (const [peer, reason] of failures) readings.fail(peer, reason)
    return readings
  } finally {
    await Promise.all(contenders.slice(1).map((contender) => contender.server.stop()))
  }
}

/** Shares of a core that the server, and the mock with the load, used while `work` ran. */
export async function withCpu<T>(
  bench: Bench,
  contender: Contender,
  work: () => Promise<T>,
): Promise<{ result: T; server: number; load: number }> {
  const own = process.cpuUsage()
  const serverMs = () => (contender === bench.mock ? Number.NaN : cpuMsOf(contender.server.pid))
  const [server, mock] = [serverMs(), cpuMsOf(bench.mock.server.pid)]
  const start = performance.now()
  const result = await work()
  const elapsed = performance.now() - start
  const { user, system } = process.cpuUsage(own)
  const mockMs = cpuMsOf(bench.mock.server.pid) - mock
  return {
    result,
    server: (100 * (serverMs() - server)) / elapsed,
    load: (100 * ((user + system) / 1000 + mockMs)) / elapsed,
  }
}
