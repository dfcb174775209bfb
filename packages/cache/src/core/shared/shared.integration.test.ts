import { randomUUID } from 'node:crypto'
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InvalidateTarget } from '../cache.ts'
import { Fleet, type Order } from './fleet.fixture.ts'

let server: RedisServer
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis({ own: true }), startRedisCluster()])
})

afterAll(async () => {
  await Promise.all([server?.[Symbol.asyncDispose](), cluster?.[Symbol.asyncDispose]()])
})

/** Far more than a message takes; a busy machine is no fault of a test. */
const SOON = { timeout: 5_000, interval: 1 }

const places = {
  'one Redis': () => [server.port],
  'a Cluster': () => cluster.nodes.map(({ port }) => port),
}

describe.each(Object.entries(places))('processes on %s', (_, ports) => {
  it.each([2, 4])(
    'make a value once for all callers of %i processes, where the cluster is locked',
    async (count) => {
      await using fleet = await Fleet.start(ports(), count, randomUUID())
      fleet.makingMs = 200
      const gets = { do: 'gets', key: 'hot', times: 100, options: { lock: 'cluster' } } as const
      const values = await fleet.everybody<number[]>(gets)
      expect(values.flat()).toEqual(Array.from({ length: count * 100 }, () => 0))
      expect(fleet.made.get('hot')).toBe(1)
    },
  )

  it.each([2, 4])('make a value once per process at most, of %i, without that', async (count) => {
    await using fleet = await Fleet.start(ports(), count, randomUUID())
    fleet.makingMs = 100
    await fleet.everybody({ do: 'gets', key: 'hot', times: 100, options: {} })
    expect(fleet.made.get('hot')).toBeLessThanOrEqual(count)
    expect(fleet.made.get('hot')).toBeGreaterThan(0)
  })

  const targets: [string, (key: string) => InvalidateTarget | 'all'][] = [
    ['its key', (key) => ({ key })],
    ['a tag', () => ({ tag: 'items' })],
    ['its prefix', () => ({ prefix: 'item:' })],
    ['a pattern', () => ({ pattern: 'i*:?' })],
    ['its user', () => ({ user: 'ann' })],
    ['everything', () => 'all'],
  ]
  const invalidation = (at: number): Order => {
    const target = targets[at]?.[1](`item:${at}`) ?? 'all'
    return target === 'all' ? { do: 'clear' } : { do: 'invalidate', target }
  }
  const reading = (at: number) => {
    return { do: 'get', key: `item:${at}`, options: { tags: ['items'], user: 'ann' } } as const
  }

  it.each(targets.map(([what], at) => [what, at] as const))(
    'see everywhere that %s was invalidated by one of them',
    async (_what, at) => {
      await using fleet = await Fleet.start(ports(), 4, randomUUID())
      const get = reading(at)
      const makeNone = async () => {
        fleet.made.clear()
        await fleet.everybody(get)
        return fleet.made.size === 0
      }
      await expect.poll(makeNone, SOON).toBe(true)
      fleet.change(get.key)
      await fleet.members[0]?.do(invalidation(at))
      const wanted = fleet.members.map(() => 1)
      await expect.poll(() => fleet.everybody(get), SOON).toEqual(wanted)
    },
  )

  it('never keep what was being made while it was invalidated, by whatever', async () => {
    await using fleet = await Fleet.start(ports(), 2, randomUUID())
    const [slow, other] = fleet.members
    for (const at of targets.keys()) {
      const get = reading(at)
      const { promise, resolve } = Promise.withResolvers<void>()
      fleet.gate = promise
      const late = slow?.do<number>(get)
      await expect.poll(() => fleet.made.get(get.key), SOON).toBe(1)
      fleet.gate = undefined
      fleet.change(get.key)
      await other?.do(invalidation(at))
      resolve()
      await late
      await expect.poll(() => fleet.everybody(get), SOON).toEqual([1, 1])
      expect(await other?.do(get)).toBe(1)
    }
  })

  it('sweep all that is meant, on every master, and count it', async () => {
    await using fleet = await Fleet.start(ports(), 2, randomUUID())
    const [one, other] = fleet.members
    const items = Array.from({ length: 300 }, (_, at) => ({
      key: `${at % 2 === 0 ? 'even' : 'odd'}:${at}`,
      value: at,
      tags: [at % 3 === 0 ? 'third' : 'rest'],
    }))
    await one?.do({ do: 'set', items })
    expect(await other?.do({ do: 'invalidate', target: { prefix: 'even:' } })).toBe(150)
    expect(await other?.do({ do: 'invalidate', target: { tag: 'third' } })).toBe(50)
    expect(await other?.do({ do: 'invalidate', target: { pattern: 'odd:*1' } })).toBeGreaterThan(0)
    const rest = await one?.do<number>({ do: 'clear' })
    expect(rest).toBeGreaterThan(50)
    expect(await one?.do({ do: 'clear' })).toBe(0)
  })
})
