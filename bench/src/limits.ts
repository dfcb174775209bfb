import { parseArgs } from 'node:util'
import { cleanUp, cleanUpOnExit } from './harness/processes.ts'
import { type BenchRedis, startRedis } from './harness/redis.ts'
import { endWorkers } from './harness/workers.ts'
import type { ContenderName } from './limits/contenders.ts'
import { measure } from './limits/measure.ts'
import * as tables from './limits/tables.ts'
import { quotas, type Workload } from './limits/workload.ts'

const USAGE = `usage: node src/limits.ts [options]
  --rounds N      default 7
  --ms N          of one contender in one round, default 500
  --callers N     at a time in each process that asks Redis, default 128
  --processes L   that ask Redis, default 1,2,4
  --only LIST     of memory, redis, promise; default all
  --keys LIST     of hot, many, denied; default all`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '500' },
    callers: { type: 'string', default: '128' },
    processes: { type: 'string', default: '1,2,4' },
    only: { type: 'string', default: 'memory,redis,promise' },
    keys: { type: 'string', default: 'hot,many,denied' },
    help: { type: 'boolean', default: false },
  },
})

interface Options {
  readonly rounds: number
  readonly ms: number
  readonly callers: number
  readonly processes: readonly number[]
}

const LABELS: readonly (readonly [Workload, string])[] = [
  ['hot', 'one'],
  ['many', '10,000'],
  ['denied', 'one, used up'],
]
const chosen = values.keys.split(',')
const WORKLOADS = LABELS.filter(([workload]) => chosen.includes(workload))

const IN_MEMORY: readonly ContenderName[] = [
  'nobody',
  'rate-limiter-flexible',
  "hono-rate-limiter's store",
  'tidegate',
  'tidegate, checkSync',
  'tidegate, fixed window, checkSync',
]

const IN_REDIS: readonly ContenderName[] = [
  'rate-limiter-flexible, Redis',
  'the same, auto-pipelined',
  'the same, blocked in memory',
  "hono-rate-limiter's store, Redis",
  'tidegate, Redis, exact',
  'tidegate, Redis, exact, as on a Cluster',
  'tidegate, Redis, leased',
]

/** Some differ from the one before them only in what one kind of workload brings out. */
const ONLY_FOR: Readonly<Partial<Record<ContenderName, Workload>>> = {
  'the same, blocked in memory': 'denied',
  'tidegate, Redis, exact, as on a Cluster': 'many',
}

const inRedis = (workload: Workload) =>
  IN_REDIS.filter((name) => (ONLY_FOR[name] ?? workload) === workload)

async function memory({ rounds, ms }: Options): Promise<string> {
  const rows: string[] = []
  for (const [workload, label] of WORKLOADS) {
    const round = { callers: 1, ms }
    const plan = { names: IN_MEMORY, workload, processes: 1, round, rounds }
    rows.push(...tables.memoryRows(label, await measure(plan)))
  }
  return tables.table(tables.MEMORY_HEAD, rows)
}

async function redis(server: BenchRedis, options: Options): Promise<string> {
  const { rounds, ms, callers } = options
  const rows: string[] = []
  for (const [workload, label] of WORKLOADS) {
    for (const processes of options.processes) {
      await server.flush()
      const names = inRedis(workload)
      const plan = { names, workload, processes, round: { callers, ms }, rounds }
      rows.push(...tables.redisRows(label, processes, await measure(plan, server)))
    }
  }
  return tables.table(tables.REDIS_HEAD, rows)
}

async function promise(server: BenchRedis, { rounds, callers, ms }: Options): Promise<string> {
  await server.flush()
  const names: readonly ContenderName[] = ['tidegate, Redis, exact', 'tidegate, Redis, leased']
  const round = { callers, ms: ms * 6 }
  const processes = 4
  const readings = await measure({ names, workload: 'saturated', processes, round, rounds }, server)
  return tables.table(
    tables.PROMISE_HEAD,
    tables.promiseRows(processes, quotas.saturated, readings),
  )
}

async function main(only: readonly string[], options: Options): Promise<void> {
  const { rounds, ms, callers } = options
  console.log(`Node ${process.version}; ${rounds} rounds of ${ms} ms.\n`)
  if (only.includes('memory')) console.log(`${await memory(options)}\n`)
  if (!only.includes('redis') && !only.includes('promise')) return
  const server = await startRedis()
  console.log(`Redis ${server.version}; ${callers} callers in each process.\n`)
  if (only.includes('redis')) console.log(`${await redis(server, options)}\n`)
  if (only.includes('promise')) console.log(await promise(server, options))
  await server.stop()
}

if (values.help) console.log(USAGE)
else {
  const [rounds, ms, callers] = [values.rounds, values.ms, values.callers].map(Number)
  const processes = values.processes.split(',').map(Number)
  const all = [rounds, ms, callers, ...processes]
  if (!rounds || !ms || !callers || !all.every((number) => Number(number) >= 1)) {
    throw new Error(`Give whole numbers from 1.\n${USAGE}`)
  }
  cleanUpOnExit()
  try {
    await main(values.only.split(','), { rounds, ms, callers, processes })
  } finally {
    await endWorkers()
    cleanUp()
  }
}
