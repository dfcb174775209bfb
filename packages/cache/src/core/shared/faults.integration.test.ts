import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, startRedis } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fleet, type Member, type Order, type Read } from './fleet.fixture.ts'

const KEYS = Array.from({ length: 10 }, (_, at) => `item:${at}`)
const TAGS = ['items']
const LOAD_MS = 7_000
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
async function invalidate(fleet: Fleet, untilAt: number): Promise<readonly Invalidation[]> {
  const all: Invalidation[] = []
  for (let turn = 0; Date.now() < untilAt; turn += 1) {
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
    if (by !== undefined) all.push({ keys, versions, by, completedAt: Date.now() })
    await sleep(150)
  }
  return all
}

/** The first moment from `at` on at which the second tier isn't away; what is about to be noticed counts. */
function after({ away }: Member, at: number): number {
  return away.reduce(
    (time, { from, until }) => (from - BOUND_MS <= time && time < until ? until : time),
    at,
  )
}

function staleReads(
  reads: readonly Read[],
  reader: Member,
  invalidations: readonly Invalidation[],
): readonly string[] {
  return invalidations.flatMap(({ keys, versions, by, completedAt }) => {
    const heldAt = after(reader, after(by, completedAt) + BOUND_MS) + BOUND_MS
    const from = by === reader ? completedAt : heldAt
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

async function underLoad(fault: () => Promise<void>) {
  await using fleet = await Fleet.start([server.port], 3, randomUUID())
  const untilAt = Date.now() + LOAD_MS
  const load: Order = { do: 'load', keys: KEYS, options: { tags: TAGS }, untilAt }
  const loads = fleet.everybody<{ reads: Read[]; failed: string[] }>(load)
  const changes = invalidate(fleet, untilAt)
  await sleep(1_000)
  await fault()
  const [results, invalidations] = await Promise.all([loads, changes])
  const stale = results.flatMap(({ reads }, at) => {
    const member = fleet.members[at]
    return member === undefined ? [] : staleReads(reads, member, invalidations)
  })
  return {
    reads: results.reduce((sum, { reads }) => sum + reads.length, 0),
    failed: results.flatMap(({ failed }) => failed),
    stale: stale.slice(0, 5),
    made: [...fleet.made.values()].reduce((sum, times) => sum + times, 0),
    away: fleet.members.map(({ away }) => away.length),
    back: fleet.members.every(({ away }) => away.every(({ until }) => until < untilAt)),
  }
}

describe('three processes under load', () => {
  const faults: [string, () => Promise<void>, boolean][] = [
    ['loses everything', async () => void (await server.command('FLUSHALL')), false],
    [
      'hangs',
      async () => {
        server.pause()
        await sleep(1_500)
        server.resume()
      },
      true,
    ],
    [
      'is killed and started anew',
      async () => {
        await server.kill()
        await sleep(1_000)
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
      expect(outcome.back).toBe(true)
      if (away) expect(Math.min(...outcome.away)).toBeGreaterThan(0)
      // Nothing is proved by caches that never believe anything.
      expect(outcome.reads).toBeGreaterThan(outcome.made)
    },
    60_000,
  )
})
