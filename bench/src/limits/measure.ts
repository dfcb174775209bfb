import type { ChildProcess } from 'node:child_process'
import type { BenchRedis } from '../harness/redis.ts'
import { ask, endWorkers, startWorker } from '../harness/workers.ts'
import type { Round, RoundResult } from './worker.ts'
import type { Workload } from './workload.ts'

const WORKER = new URL('./worker.ts', import.meta.url)

/** Who is measured on what, by how many processes each. */
export interface Plan {
  readonly names: readonly string[]
  readonly workload: Workload
  readonly processes: number
  readonly round: Round
  readonly rounds: number
}

/** What one contender's processes did in one round, and what Redis did for it. */
export interface Reading {
  readonly decisions: number
  readonly admitted: number
  readonly perSecond: number
  readonly cpuMs: number
  readonly results: readonly RoundResult[]
  readonly redis?: { readonly scripts: number; readonly others: number; readonly cpuUs: number }
}

export type Readings = ReadonlyMap<string, readonly Reading[]>

/** Everybody's rounds after one to warm up; each begins with another one. */
export async function measure(plan: Plan, redis?: BenchRedis): Promise<Readings> {
  const { names, rounds } = plan
  const workers = new Map<string, readonly ChildProcess[]>()
  const readings = new Map(names.map((name) => [name, [] as Reading[]]))
  for (const name of names) workers.set(name, await start(name, plan, redis))
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + 1) % names.length] ?? ''
      const reading = await read(workers.get(name) ?? [], plan.round, redis)
      if (round >= 0) readings.get(name)?.push(reading)
    }
  }
  await endWorkers([...workers.values()].flat())
  return readings
}

/** A contender's processes share one Redis; contenders name their keys differently. */
async function start(name: string, { workload, processes }: Plan, redis?: BenchRedis) {
  const args = [name, workload, redis?.url ?? '']
  const starting = Array.from({ length: processes }, () => startWorker(WORKER, args))
  return (await Promise.all(starting)).map(([child]) => child)
}

async function read(
  workers: readonly ChildProcess[],
  round: Round,
  redis: BenchRedis | undefined,
): Promise<Reading> {
  const before = await redis?.work()
  const results = await Promise.all(workers.map((worker) => ask<RoundResult>(worker, round)))
  const after = await redis?.work()
  const sum = (of: (result: RoundResult) => number) =>
    results.reduce((total, result) => total + of(result), 0)
  return {
    decisions: sum(({ decisions }) => decisions),
    admitted: sum(({ admitted }) => admitted),
    perSecond: sum(({ decisions, elapsedMs }) => (decisions / elapsedMs) * 1000),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    results,
    ...(before && after
      ? {
          redis: {
            scripts: after.scripts - before.scripts,
            others: after.others - before.others,
            cpuUs: after.cpuUs - before.cpuUs,
          },
        }
      : {}),
  }
}
