import type { ChildProcess } from 'node:child_process'
import type { BenchRedis } from '../harness/redis.ts'
import { ask, endWorkers, startWorker } from '../harness/workers.ts'
import type { ContenderName } from './contenders.ts'
import type { Part, RoundResult, Task } from './worker.ts'

const WORKER = new URL('./worker.ts', import.meta.url)

/** Who is measured on what, by how many processes each. */
export interface Plan {
  readonly names: readonly ContenderName[]
  readonly task: Task
  readonly keys: number
  /** How many entries fit into memory. */
  readonly entries: number
  readonly processes: number
  readonly callers: number
  readonly ms: number
  readonly rounds: number
}

/** What one contender's processes did in one round, and what Redis did for it. */
export interface Reading {
  readonly calls: number
  readonly perSecond: number
  readonly cpuMs: number
  readonly elapsedMs: number
  readonly factories: number
  readonly redis: { readonly commands: number; readonly cpuUs: number } | undefined
}

export type Readings = ReadonlyMap<ContenderName, readonly Reading[]>

/** So many rounds, in which the compiler gets to know the code. */
const TO_WARM_UP = 3

/** Everybody's rounds after some to warm up; each begins with another one. */
export async function measure(plan: Plan, redis?: BenchRedis): Promise<Readings> {
  const { names, rounds } = plan
  const workers = new Map<ContenderName, readonly ChildProcess[]>()
  const readings = new Map(names.map((name) => [name, [] as Reading[]]))
  for (const name of names) workers.set(name, await start(name, plan, redis))
  for (let round = -TO_WARM_UP; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + TO_WARM_UP) % names.length]
      if (name === undefined) continue
      const reading = await read(workers.get(name) ?? [], plan, `stampede:${round}`, redis)
      if (round >= 0) readings.get(name)?.push(reading)
    }
  }
  await endWorkers([...workers.values()].flat())
  return readings
}

/** A contender's processes share one Redis; contenders name their keys differently. */
async function start(name: ContenderName, plan: Plan, redis?: BenchRedis) {
  const { task, keys, entries, processes } = plan
  const part: Part = { task, keys, entries, redisUrl: redis?.url ?? '' }
  const args = [name, JSON.stringify(part)]
  const starting = Array.from({ length: processes }, () => startWorker(WORKER, args))
  return (await Promise.all(starting)).map(([child]) => child)
}

async function read(
  workers: readonly ChildProcess[],
  { callers, ms }: Plan,
  key: string,
  redis: BenchRedis | undefined,
): Promise<Reading> {
  const before = await redis?.work()
  const round = { callers, ms, key }
  const results = await Promise.all(workers.map((worker) => ask<RoundResult>(worker, round)))
  const after = await redis?.work()
  const sum = (of: (result: RoundResult) => number) =>
    results.reduce((total, result) => total + of(result), 0)
  return {
    calls: sum(({ calls }) => calls),
    perSecond: sum(({ calls, elapsedMs }) => (calls / elapsedMs) * 1000),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    elapsedMs: Math.max(...results.map(({ elapsedMs }) => elapsedMs)),
    factories: sum(({ factories }) => factories),
    redis: before && after && workBetween(before, after),
  }
}

type Work = Awaited<ReturnType<BenchRedis['work']>>

function workBetween(before: Work, after: Work): Reading['redis'] {
  const commands = after.scripts + after.others - before.scripts - before.others
  return { commands, cpuUs: after.cpuUs - before.cpuUs }
}
