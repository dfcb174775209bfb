import { createCaller } from './callers.ts'

/** One round: so many calls at a time, for so long. */
export interface Round {
  readonly atATime: number
  readonly ms: number
}

/** What a round gave. */
export interface RoundResult {
  readonly calls: number
  readonly elapsedMs: number
  /** The caller's own processor time. */
  readonly cpuMs: number
}

const [name = '', url = '', caFile] = process.argv.slice(2)
const call = await createCaller(name, url, caFile)

async function run({ atATime, ms }: Round): Promise<RoundResult> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  let calls = 0
  const loop = async () => {
    while (performance.now() - start < ms) {
      await call()
      calls += 1
    }
  }
  await Promise.all(Array.from({ length: atATime }, loop))
  const { user, system } = process.cpuUsage(cpu)
  return { calls, elapsedMs: performance.now() - start, cpuMs: (user + system) / 1000 }
}

process.on('message', async (round: Round) => process.send?.(await run(round)))
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
