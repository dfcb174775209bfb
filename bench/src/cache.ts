import { parseArgs } from 'node:util'
import type { ContenderName } from './cache/contenders.ts'
import { measure, type Plan, type Readings } from './cache/measure.ts'
import * as tables from './cache/tables.ts'
import { cleanUp, cleanUpOnExit } from './harness/processes.ts'
import { type BenchRedis, startRedis } from './harness/redis.ts'
import { endWorkers } from './harness/workers.ts'

const USAGE = `usage: node src/cache.ts [options]
  --rounds N      default 9
  --ms N          of one contender in one round, default 300
  --callers N     at a time, of those that ask Redis, default 64
  --only LIST     of memory, redis, stampede; default all`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    ms: { type: 'string', default: '300' },
    callers: { type: 'string', default: '64' },
    only: { type: 'string', default: 'memory,redis,stampede' },
    help: { type: 'boolean', default: false },
  },
})

type Timing = Pick<Plan, 'rounds' | 'ms' | 'callers'>

const READERS: readonly ContenderName[] = [
  'Map',
  'lru-cache',
  'lru-cache, async',
  'tidegate, peek',
  'tidegate, get',
]
const CACHES: readonly ContenderName[] = [
  'tidegate',
  'bentocache',
  'bentocache, not serialised',
  'cacheable',
  'cacheable, not cloned',
  'cache-manager',
]
const SHARED: readonly ContenderName[] = ['tidegate', 'bentocache', 'cacheable', 'cache-manager']
const FITS = 20_000
const KEYS = 10_000

async function memory(timing: Timing): Promise<string> {
  const plan = { ...timing, entries: FITS, processes: 1, callers: 1 }
  const everybody = [...READERS, ...CACHES]
  const plain: readonly ContenderName[] = ['Map', 'lru-cache']
  const results = new Map<string, Readings>()
  const add = async (
    label: string,
    part: Pick<Plan, 'task' | 'names' | 'keys'>,
  ): Promise<unknown> => results.set(label, await measure({ ...plan, ...part }))
  await add('hit, one key', { task: 'hit', names: everybody, keys: 1 })
  await add('hit, 10,000 keys', { task: 'hit', names: everybody, keys: KEYS })
  await add('100 hits at once', { task: 'many', names: [...plain, ...CACHES], keys: KEYS })
  await add('miss', { task: 'miss', names: CACHES, keys: 1 })
  return tables.memoryTable(results, [
    'bentocache, not serialised',
    'lru-cache, async',
    'lru-cache',
  ])
}

/** With room for one entry in memory, so that every read looks there first and then in Redis. */
async function inRedis(server: BenchRedis, timing: Timing): Promise<string> {
  const plan = { ...timing, entries: 1, processes: 1, names: SHARED }
  const results = new Map<string, Readings>()
  const add = async (label: string, part: Pick<Plan, 'task' | 'keys' | 'callers'>) => {
    await server.flush()
    results.set(label, await measure({ ...plan, ...part }, server))
  }
  await add('hit, one caller', { task: 'hit', keys: KEYS, callers: 1 })
  await add(`hit, ${timing.callers} callers`, { task: 'hit', keys: KEYS, callers: timing.callers })
  await add('100 hits at once', { task: 'many', keys: KEYS, callers: 1 })
  await add(`miss, ${timing.callers} callers`, { task: 'miss', keys: 1, callers: timing.callers })
  return tables.redisTable(results, 'bentocache')
}

async function stampede(server: BenchRedis, { rounds }: Timing): Promise<string> {
  const plan: Omit<Plan, 'names' | 'processes' | 'callers'> = {
    task: 'stampede',
    keys: 1,
    entries: FITS,
    ms: 0,
    rounds,
  }
  const results = new Map<string, Readings>()
  const alone = SHARED
  results.set('1,000', await measure({ ...plan, names: alone, processes: 1, callers: 1_000 }))
  const names: readonly ContenderName[] = ['tidegate, cluster', ...SHARED]
  for (const [label, processes] of [
    ['1,000, on Redis', 1],
    ['1,000 in 4 processes, on Redis', 4],
  ] as const) {
    await server.flush()
    const callers = 1_000 / processes
    results.set(label, await measure({ ...plan, names, processes, callers }, server))
  }
  return tables.stampedeTable(results)
}

async function main(only: readonly string[], timing: Timing): Promise<void> {
  console.log(`Node ${process.version}; ${timing.rounds} rounds of ${timing.ms} ms.\n`)
  if (only.includes('memory')) console.log(`${await memory(timing)}\n`)
  if (!only.includes('redis') && !only.includes('stampede')) return
  const server = await startRedis()
  console.log(`Redis ${server.version}.\n`)
  if (only.includes('redis')) console.log(`${await inRedis(server, timing)}\n`)
  if (only.includes('stampede')) console.log(await stampede(server, timing))
  await server.stop()
}

if (values.help) console.log(USAGE)
else {
  const [rounds, ms, callers] = [values.rounds, values.ms, values.callers].map(Number)
  if (![rounds, ms, callers].every((number) => Number(number) >= 1)) {
    throw new Error(`Give whole numbers from 1.\n${USAGE}`)
  }
  cleanUpOnExit()
  try {
    await main(values.only.split(','), { rounds: rounds ?? 1, ms: ms ?? 1, callers: callers ?? 1 })
  } finally {
    await endWorkers()
    cleanUp()
  }
}
