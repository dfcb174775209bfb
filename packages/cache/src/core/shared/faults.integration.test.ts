import { randomUUID } from 'node:crypto'
import { pollUntil, type RedisServer, startRedis } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fleet, type Member, type Order, type Read } from './fleet.fixture.ts'

const KEYS = Array.from({ length: 10 }, (_, at) => `item:${at}`)
const TAGS = ['items']
/** So many changes are made before a fault, and while everybody knows of it: of keys, and of more than those. */
const ROUND = 4
/** Reads of every process between two changes: each key is found again by all before the next one. */
const READS = 4 * KEYS.length
/** Far more than a message takes, and than it takes to notice that no more come. */
const BOUND_MS = 1_500

interface Invalidation {
  readonly keys: readonly string[]
  readonly versions: readonly number[]
  readonly by: Member
  readonly completedAt: number
}

let server: RedisServer

beforeAll(async () => {
  server = await startRedis({ own: true })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

/** Changes values and says so, in turn by all that can be said. */
async function invalidate(
  fleet: Fleet,
  done: Invalidation[],
  isOver: () => boolean,
): Promise<void> {
  for (let turn = 0; !isOver(); turn += 1) {
    const by = fleet.members[turn % fleet.members.length]
    const key = KEYS[(turn * 7) % KEYS.length] ?? ''
    const one: Order = { do: 'invalidate', target: { key } }
    const others: readonly Order[] = [
      { do: 'invalidate', target: { tag: 'items' } },
      { do: 'invalidate', target: { prefix: 'item:' } },
      { do: 'clear' },
    ]
    const order = (turn % 4 === 3 ? others[Math.floor(turn / 4) % 3] : one) ?? one
    const keys = order === one ? [key] : KEYS
    fleet.change(...keys)
    const versions = keys.map((changed) => fleet.versions.get(changed) ?? 0)
    await by?.do(order)
    if (by !== undefined) done.push({ keys, versions, by, completedAt: Date.now() })
    await fleet.everybody({ do: 'read', times: READS })
  }
}

const until = (check: () => boolean, what: string) =>
  pollUntil(async () => check(), { timeoutMs: 40_000, describe: () => what })

/** The first moment from `at` on at which the second tier isn't away; what is about to be noticed counts. */
function after({ away }: Member, at: number): number {
  return away.reduce(
    (time, { from, until }) => (from - BOUND_MS <= time && time < until ? until : time),
    at,
  )
}

/** From when on nobody may read what was before an invalidation. */
function heldAt({ by, completedAt }: Invalidation, reader: Member): number {
  return after(reader, after(by, completedAt) + BOUND_MS) + BOUND_MS
}

function staleReads(
  reads: readonly Read[],
  reader: Member,
  invalidations: readonly Invalidation[],
): readonly string[] {
  return invalidations.flatMap((invalidation) => {
    const { keys, versions, by, completedAt } = invalidation
    const from = by === reader ? completedAt : heldAt(invalidation, reader)
    return keys.flatMap((key, at) =>
      reads
        .filter(([read, version, begunAt]) => {
          return read === key && begunAt > from && version < (versions[at] ?? 0)
        })
        .map(
          ([, version, begunAt]) =>
            `${key} ${version} < ${versions[at]}, ${begunAt - from} ms late`,
        ),
    )
  })
}

/** What a fault may wait for. */
interface Load {
  /** Until every process has noticed that Redis is away, and a round of changes was made meanwhile. */
  noticed(): Promise<void>
}

async function underLoad(fault: (load: Load) => Promise<void>) {
  await using fleet = await Fleet.start([server.port], 3, randomUUID())
  const { members } = fleet
  const invalidations: Invalidation[] = []
  let over = false
  const loads = fleet.everybody<{ reads: Read[]; failed: string[] }>({
    do: 'load',
    keys: KEYS,
    options: { tags: TAGS },
  })
  const changes = invalidate(fleet, invalidations, () => over)
  const round = async () => {
    const goal = invalidations.length + ROUND
    await until(() => invalidations.length >= goal, 'a round of changes')
  }
  await round()
  await fault({
    async noticed() {
      await until(() => members.every(({ away }) => away.length > 0), 'nobody has noticed')
      await round()
    },
  })
  const isBack = ({ away }: Member) => away.every(({ until: end }) => end < Date.now())
  await until(() => members.every(isBack), 'a process is not back')
  const backAt = Date.now()
  // What was changed from now on has to be held as well, and to be asked for after that.
  await until(() => {
    const first = invalidations.find(({ completedAt }) => completedAt > backAt)
    if (first === undefined) return false
    return members.every((reader) => heldAt(first, reader) + BOUND_MS < Date.now())
  }, 'what was changed in the end is not held')
  over = true
  await changes
  await fleet.everybody({ do: 'rest' })
  const results = await loads
  const stale = results.flatMap(({ reads }, at) => {
    const member = members[at]
    return member === undefined ? [] : staleReads(reads, member, invalidations)
  })
  return {
    reads: results.reduce((sum, { reads }) => sum + reads.length, 0),
    failed: results.flatMap(({ failed }) => failed),
    stale: stale.slice(0, 5),
    made: [...fleet.made.values()].reduce((sum, times) => sum + times, 0),
    away: members.map(({ away }) => away.length),
  }
}

describe('three processes under load', () => {
  const faults: [string, (load: Load) => Promise<void>, boolean][] = [
    ['loses everything', async () => void (await server.command('FLUSHALL')), false],
    [
      'hangs',
      async ({ noticed }) => {
        server.pause()
        await noticed()
        server.resume()
      },
      true,
    ],
    [
      'is killed and started anew',
      async ({ noticed }) => {
        await server.kill()
        await noticed()
        await server.start()
      },
      true,
    ],
    [
      'loses all connections',
      async () => {
        await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
      },
      false,
    ],
  ]

  it.each(faults)(
    'fail no call and give nothing that was invalidated when Redis %s',
    async (_, fault, away) => {
      const outcome = await underLoad(fault)
      expect(outcome.failed).toEqual([])
      expect(outcome.stale).toEqual([])
      if (away) expect(Math.min(...outcome.away)).toBeGreaterThan(0)
      // Nothing is proved by caches that never believe anything.
      expect(outcome.reads).toBeGreaterThan(outcome.made)
    },
    90_000,
  )
})
