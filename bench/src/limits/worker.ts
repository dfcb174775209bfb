import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { monotonicMicros } from '../harness/clock.ts'
import { createContender } from './contenders.ts'
import { drawFrom, keysOf, quotas, type Workload } from './workload.ts'

/** One round: so many callers at a time, for so long. */
export interface Round {
  readonly callers: number
  readonly ms: number
}

/** What a round gave. */
export interface RoundResult {
  readonly decisions: number
  readonly admitted: number
  readonly elapsedMs: number
  /** This process's own processor time. */
  readonly cpuMs: number
  /**
   * When those that were admitted had been asked, and answered: how many in each millisecond of the
   * machine's monotonic clock. Only of a `saturated` round.
   */
  readonly asked: readonly (readonly [ms: number, count: number])[]
  readonly answered: readonly (readonly [ms: number, count: number])[]
}

/** In a server, requests come with turns of the event loop; and leases need one to be renewed. */
const DECISIONS_PER_TURN = 512

const [name = '', workload = 'hot', redisUrl = ''] = process.argv.slice(2)
const kind = workload as Workload
const contender = await createContender(name, { quota: quotas[kind], redisUrl })
const keys = keysOf(kind)

async function run({ callers, ms }: Round): Promise<RoundResult> {
  const meanwhile = kind === 'saturated' ? { ...record(), pauseMs: 1 } : undefined
  const counts = { decisions: 0, admitted: 0 }
  const cpu = process.cpuUsage()
  const start = performance.now()
  const caller = (_: unknown, seed: number) =>
    meanwhile === undefined
      ? spin(drawFrom(keys, seed), start + ms, DECISIONS_PER_TURN / callers, counts)
      : knock(start + ms, counts, meanwhile)
  await Promise.all(Array.from({ length: callers }, caller))
  const elapsedMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const [asked, answered] = [[...(meanwhile?.asked ?? [])], [...(meanwhile?.answered ?? [])]]
  return { ...counts, elapsedMs, cpuMs: (user + system) / 1000, asked, answered }
}

type Counts = Record<'decisions' | 'admitted', number>

/** One call after another. */
async function spin(draw: () => string, until: number, perTurn: number, counts: Counts) {
  do {
    for (let i = 0; i < perTurn; i++) {
      counts.decisions += 1
      try {
        const answer = contender.ask(draw())
        if (contender.admits(answer instanceof Promise ? await answer : answer))
          counts.admitted += 1
      } catch (thrown) {
        if (thrown instanceof Error) throw thrown
      }
    }
    await setImmediate()
  } while (performance.now() < until)
}

function record() {
  return { asked: new Map<number, number>(), answered: new Map<number, number>() }
}

type Meanwhile = ReturnType<typeof record> & { readonly pauseMs: number }

/** One call after another; who is denied comes again a little later. */
async function knock(until: number, counts: Counts, { asked, answered, pauseMs }: Meanwhile) {
  const [key = ''] = keys
  while (performance.now() < until) {
    const askedAt = monotonicMs()
    const answer = await contender.ask(key)
    counts.decisions += 1
    if (!contender.admits(answer)) {
      await sleep(pauseMs)
      continue
    }
    counts.admitted += 1
    const answeredAt = monotonicMs()
    asked.set(askedAt, (asked.get(askedAt) ?? 0) + 1)
    answered.set(answeredAt, (answered.get(answeredAt) ?? 0) + 1)
    if (counts.admitted % 64 === 0) await setImmediate()
  }
}

function monotonicMs(): number {
  return Math.floor(monotonicMicros() / 1000)
}

process.on('message', async (round: Round) => process.send?.(await run(round)))
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
