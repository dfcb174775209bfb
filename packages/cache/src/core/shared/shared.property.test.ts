import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { InvalidateTarget } from '../cache.ts'
import { type Link, type Process, sleep, World } from './world.fixture.ts'

const KEYS = ['a:1', 'a:2', 'b:1', 'b:2'] as const
const TAGS = ['odd', 'even'] as const
const RUN_MS = 20_000
/** Messages, factories and calls under way, and until a loss is noticed: all of the model are shorter. */
const BOUND_MS = 400

interface Invalidation {
  readonly key: string
  readonly version: number
  readonly by: Process
  readonly begunAt: number
  readonly completedAt: number
}

interface Away {
  from: number
  until: number
}

/**
 * The truth beside the caches: a database of versions, and which of them nobody may be given any more.
 */
class Judge {
  readonly world: World
  readonly versions = new Map<string, number>()
  readonly invalidations: Invalidation[] = []
  readonly away = new Map<Process, Away[]>()
  readonly faults: string[] = []
  /** When each value that was set outright was: what is set during an invalidation may come after it. */
  readonly setUntil = new Map<string, number>()
  reads = 0
  hits = 0
  factories = 0

  constructor(world: World) {
    this.world = world
  }

  begin(): void {
    for (const process of this.world.processes) {
      this.away.set(process, [])
      process.events.length = 0
      const { push } = process.events
      process.events.push = (...events) => {
        for (const event of events) this.#note(process, event.type)
        return push.apply(process.events, events)
      }
    }
  }

  async read(process: Process, key: string): Promise<void> {
    const begunAt = Date.now()
    let made = false
    const { version } = await process.cache.getOrSet<{ version: number }>(
      key,
      async ({ tag }) => {
        made = true
        this.factories += 1
        const read = this.versions.get(key) ?? 0
        await sleep(this.world.delay() * 3)
        tag(tagOf(key))
        return { version: read }
      },
      this.world.random() < 0.5 ? { tags: [tagOf(key)] } : {},
    )
    this.reads += 1
    if (!made) this.hits += 1
    this.#judge(process, key, version, begunAt)
  }

  async set(process: Process, key: string): Promise<void> {
    const begunAt = Date.now()
    const version = (this.versions.get(key) ?? 0) + 1
    this.versions.set(key, version)
    await process.cache.invalidate({ key })
    const value = { version: this.versions.get(key) ?? 0 }
    this.setUntil.set(`${key} ${value.version}`, Number.POSITIVE_INFINITY)
    await process.cache.set(key, value, { tags: [tagOf(key)] })
    this.setUntil.set(`${key} ${value.version}`, Date.now())
    this.#completed([[key, version]], process, begunAt)
  }

  async invalidate(process: Process): Promise<void> {
    const key = this.world.pick(KEYS)
    const [prefix] = key.split(':')
    const sweep = this.world.random() < 0.5
    const [meant, target] = this.world.pick<[readonly string[], InvalidateTarget | 'all']>([
      [[key], { key }],
      [KEYS.filter((one) => tagOf(one) === tagOf(key)), { tag: tagOf(key) }],
      [KEYS.filter((one) => one.startsWith(`${prefix}:`)), { prefix: `${prefix}:` }],
      [KEYS.filter((one) => one.endsWith(key.slice(1))), { pattern: `*${key.slice(1)}` }],
      [KEYS, 'all'],
    ])
    const begunAt = Date.now()
    const changed = meant.map((one) => {
      const version = (this.versions.get(one) ?? 0) + 1
      this.versions.set(one, version)
      return [one, version] as const
    })
    if (target === 'all') await process.cache.clear()
    else await process.cache.invalidate(target, { sweep })
    this.#completed(changed, process, begunAt)
  }

  #completed(changed: readonly (readonly [string, number])[], by: Process, begunAt: number): void {
    const completedAt = Date.now()
    for (const [key, version] of changed) {
      this.invalidations.push({ key, version, by, begunAt, completedAt })
    }
  }

  #note(process: Process, type: string): void {
    const away = this.away.get(process) ?? []
    if (type === 'l2_away') away.push({ from: Date.now(), until: Number.POSITIVE_INFINITY })
    if (type === 'recovered') for (const one of away) one.until = Math.min(one.until, Date.now())
  }

  #judge(process: Process, key: string, version: number, begunAt: number): void {
    for (const invalidation of this.invalidations) {
      if (invalidation.key !== key || version >= invalidation.version) continue
      if ((this.setUntil.get(`${key} ${version}`) ?? 0) >= invalidation.begunAt) continue
      const effectiveAt = this.#effectiveAt(invalidation, process)
      if (begunAt <= effectiveAt) continue
      this.faults.push(
        `at ${begunAt} process ${this.world.processes.indexOf(process)} was given ${key} of version ${version}; ${invalidation.version} holds since ${invalidation.completedAt} (${effectiveAt}), by ${this.world.processes.indexOf(invalidation.by)}`,
      )
    }
  }

  /** Own ones hold at once; others' when both have the second tier, and messages or a look have come. */
  #effectiveAt({ by, completedAt }: Invalidation, reader: Process): number {
    if (by === reader) return completedAt
    const told = after(this.away.get(by) ?? [], completedAt)
    return after(this.away.get(reader) ?? [], told + BOUND_MS) + BOUND_MS
  }
}

/** The first moment from `at` on at which it is not away; an outage that is about to be noticed counts. */
function after(away: readonly Away[], at: number): number {
  return away.reduce(
    (time, { from, until }) => (from - BOUND_MS <= time && time < until ? until : time),
    at,
  )
}

function tagOf(key: string): string {
  return key.endsWith('1') ? TAGS[0] : TAGS[1]
}

interface Plan {
  readonly seed: number
  readonly processes: number
  readonly bus: boolean
  readonly faults: boolean
}

async function run({ seed, processes, bus, faults }: Plan): Promise<Judge> {
  const world = new World(seed)
  for (let at = 0; at < processes; at += 1) {
    world.start(bus ? {} : { l1: { ttl: 0 } }, bus)
  }
  const judge = new Judge(world)
  judge.begin()
  const end = Date.now() + RUN_MS
  const someone = () => world.processes[Math.floor(world.random() * processes)] as Process
  const forever = async (pauseMs: number, act: () => Promise<void>) => {
    while (Date.now() < end) {
      await act().catch((error: unknown) => {
        judge.faults.push(String(error))
      })
      await sleep(Math.round(world.random() * pauseMs))
    }
  }
  const link = (): Link => world.pick(['refused', 'silent', 'answers lost'] as const)
  const all = Promise.all([
    ...world.processes.flatMap((process) => [
      forever(20, () => judge.read(process, world.pick(KEYS))),
      forever(20, () => judge.read(process, world.pick(KEYS))),
    ]),
    forever(400, () => judge.invalidate(someone())),
    forever(600, () => judge.set(someone(), world.pick(KEYS))),
    ...(faults
      ? [
          forever(3_000, () => someone().loseBus(world.delay() * 4, world.delay() * 30)),
          forever(6_000, () => someone().cut(link(), world.delay() * 150)),
          forever(8_000, async () => world.driver.forget()),
        ]
      : []),
  ])
  await vi.advanceTimersByTimeAsync(RUN_MS + 30_000)
  await all
  return judge
}

describe('several processes over one second tier', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'Date', 'performance'],
    })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const check = async (plan: Omit<Plan, 'seed' | 'processes'>, numRuns: number) => {
    let [reads, hits] = [0, 0]
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 2, max: 4 }), async (seed, processes) => {
        const judge = await run({ seed, processes, ...plan })
        expect(judge.faults.slice(0, 3)).toEqual([])
        reads += judge.reads
        hits += judge.hits
      }),
      { numRuns },
    )
    // Nothing is proved by caches that never believe anything.
    expect(hits / reads).toBeGreaterThan(0.3)
  }

  it('never give what was invalidated before, as messages are delayed', async () => {
    await check({ bus: true, faults: false }, 10)
  }, 120_000)

  it('never give what was invalidated before the promised bound, as messages, answers, connections and all data are lost', async () => {
    await check({ bus: true, faults: true }, 15)
  }, 120_000)

  it('never give what was invalidated before where there is no bus and the second tier is always asked', async () => {
    await check({ bus: false, faults: true }, 6)
  }, 120_000)
})
