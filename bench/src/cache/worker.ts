import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type Contender, createContender } from './contenders.ts'
import { keysOf, ORDER, orderOf, recordOf, type Value } from './workload.ts'

/** What is done, over and over. */
export type Task = 'hit' | 'many' | 'miss' | 'stampede'

/** A contender's part in a scenario, as its process is told. */
export interface Part {
  readonly task: Task
  readonly keys: number
  /** How many entries fit into memory. */
  readonly entries: number
  readonly redisUrl: string
}

/** One round: so many callers at a time, for so long; or one stampede on a key. */
export interface Round {
  readonly callers: number
  readonly ms: number
  readonly key: string
}

/** What a round gave. */
export interface RoundResult {
  readonly calls: number
  readonly elapsedMs: number
  /** This process's own processor time. */
  readonly cpuMs: number
  readonly factories: number
}

/** In a server, requests come with turns of the event loop. */
const CALLS_PER_TURN = 512
const MANY = 100
const FACTORY_MS = 50

const [name = '', told = '{}'] = process.argv.slice(2)
const part = JSON.parse(told) as Part
const contender = await createContender(name, part)
const keys = keysOf(part.keys)
const order = orderOf(keys)
let factories = 0
let made = 0

/** Each call is awaited where it gives a promise; what gives none is called in a loop of its own. */
async function hits(until: number, perTurn: number, seed: number): Promise<number> {
  const { hit } = contender
  let at = seed
  let calls = 0
  const waits = hit(order[0] ?? '') instanceof Promise
  do {
    if (waits) for (let i = 0; i < perTurn; i++) await hit(order[at++ & (ORDER - 1)] ?? '')
    else for (let i = 0; i < perTurn; i++) hit(order[at++ & (ORDER - 1)] ?? '')
    calls += perTurn
    await setImmediate()
  } while (performance.now() < until)
  return calls
}

async function many(until: number, perTurn: number, seed: number): Promise<number> {
  const read = ability('many')
  let at = seed
  let calls = 0
  do {
    for (let i = 0; i < perTurn; i++) {
      const from = at++ % (keys.length - MANY + 1)
      await read(keys.slice(from, from + MANY))
    }
    calls += perTurn
    await setImmediate()
  } while (performance.now() < until)
  return calls
}

async function misses(until: number, perTurn: number): Promise<number> {
  const obtain = ability('obtain')
  let calls = 0
  do {
    for (let i = 0; i < perTurn; i++) {
      made += 1
      await obtain(`${process.pid}:${made}`, make)
    }
    calls += perTurn
    await setImmediate()
  } while (performance.now() < until)
  return calls
}

async function make(): Promise<Value> {
  return recordOf('made')
}

async function makeSlowly(): Promise<Value> {
  factories += 1
  await sleep(FACTORY_MS)
  return recordOf('made')
}

async function stampede(callers: number, key: string): Promise<number> {
  const obtain = ability('obtain')
  await Promise.all(Array.from({ length: callers }, () => obtain(key, makeSlowly)))
  return callers
}

function ability<Name extends keyof Contender>(of: Name): NonNullable<Contender[Name]> {
  const able = contender[of]
  if (able === undefined) throw new Error(`${name} can't do "${of}".`)
  return able
}

async function work({ callers, ms, key }: Round): Promise<number> {
  if (part.task === 'stampede') return await stampede(callers, key)
  const until = performance.now() + ms
  const perTurn = Math.max(1, CALLS_PER_TURN / callers / (part.task === 'many' ? MANY : 1))
  const tasks = { hit: hits, many, miss: misses }
  const task = tasks[part.task]
  const seeds = Array.from({ length: callers }, (_, i) => i * 997)
  const counts = await Promise.all(seeds.map((seed) => task(until, Math.round(perTurn), seed)))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function run(round: Round): Promise<RoundResult> {
  factories = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const calls = await work(round)
  const elapsedMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { calls, elapsedMs, cpuMs: (user + system) / 1000, factories }
}

if (part.task === 'hit' || part.task === 'many') {
  for (const key of keys) await contender.set(key, recordOf(key))
}
process.on('message', async (round: Round) => process.send?.(await run(round)))
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
