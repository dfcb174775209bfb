import type { Interval } from '@tidegate/rate-limit/testing'
import { type RedisServer, startRedis, startRedisSentinels } from '@tidegate/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Chronicle, runChaos, type Trouble } from './chaos.ts'
import {
  failOver,
  flush,
  forgetScripts,
  hang,
  killReplica,
  pauseReplica,
  restart,
} from './troubles.ts'
import { judge, type Verdict } from './verdict.ts'

const short = { seconds: 8, replicas: 3, callers: 16, everyMs: 700 } as const

/** Well above what takes a write from a primary to its replica on one machine. */
const LAG_MS = 1_000

const broken = (verdicts: readonly Verdict[]) => verdicts.filter(({ kept }) => !kept)

describe('a limit on several replicas', { timeout: 90_000 }, () => {
  let server: RedisServer

  beforeEach(async () => {
    server = await startRedis({ own: true })
  })

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  const play = (seed: number, troubles: readonly Trouble[]): Promise<Chronicle> =>
    runChaos({ ...short, redis: { url: server.url }, seed, troubles })

  it('holds while replicas are killed and paused, and scripts forgotten', async () => {
    const chronicle = await play(1, [killReplica, pauseReplica, forgetScripts(server)])
    const verdicts = judge(chronicle)
    expect(broken(verdicts)).toEqual([])
    const shared = verdicts.filter(({ by }) => by === 'Redis')
    expect(shared.map(({ limit }) => limit)).toEqual(['exact', 'leased', 'loose'])
    // A limit that nobody came near would hold by itself, and so would leases that nobody used.
    const [{ admitted, allowed }] = shared.map(({ tightest }) => tightest) as [Interval]
    expect(admitted / allowed).toBeGreaterThan(0.7)
    const sources = new Set(chronicle.replicas.flat().map(({ source }) => source))
    expect([...sources]).toEqual(expect.arrayContaining(['redis', 'lease']))
  })

  it('holds while Redis hangs, and each replica keeps to its share meanwhile', async () => {
    const verdicts = judge(await play(2, [hang(server), pauseReplica]))
    expect(broken(verdicts)).toEqual([])
    expect(verdicts.some(({ by }) => by !== 'Redis')).toBe(true)
  })

  it('admits one burst more for each loss of state, and no more', async () => {
    const chronicle = await play(3, [flush(server), restart(server), killReplica])
    expect(chronicle.losses.length).toBeGreaterThan(0)
    expect(broken(judge(chronicle))).toEqual([])
  })
})

describe('a limit whose primary fails', { timeout: 120_000 }, () => {
  it('admits one burst more, and what came back while the replica lagged', async () => {
    await using sentinels = await startRedisSentinels()
    const sentinel = { name: sentinels.name, nodes: sentinels.addresses }
    const troubles = [failOver(sentinels, LAG_MS)]
    const chronicle = await runChaos({ ...short, redis: { sentinel }, seed: 4, troubles })
    expect(chronicle.losses).toHaveLength(1)
    const verdicts = judge(chronicle)
    expect(broken(verdicts)).toEqual([])
    const [{ to = 0 } = {}] = chronicle.losses
    const after = chronicle.replicas.flat().filter(({ askedAt }) => askedAt > to)
    expect(after.some(({ source }) => source === 'redis')).toBe(true)
  })
})
