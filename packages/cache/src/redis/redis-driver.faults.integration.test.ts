import { hash } from 'node:crypto'
import { once } from 'node:events'
import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CacheDriver } from '../core/driver.ts'
import { frank, redisOf } from './redis.fixture.ts'
import type { RedisClient } from './redis-client.ts'
import { redisDriver } from './redis-driver.ts'

const MINUTE = 60_000
const bytes = Buffer.from('value')

let server: RedisServer
let client: Redis
let driver: CacheDriver

beforeEach(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url, frank)
  client.on('error', () => undefined)
  await once(client, 'ready')
  driver = redisDriver({ redis: redisOf(client), prefix: 'c' })
})

afterEach(async () => {
  client.disconnect()
  await server[Symbol.asyncDispose]()
})

const write = (key: string, stamp: string) => ({ key, bytes, stamp, ttlMs: MINUTE })

/** Everything that can be asked of a driver, by name. */
function calls(): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    readOne: () => driver.read(['a']),
    readMany: () => driver.read(['a', 'b']),
    set: () => driver.write([write('a', 'new')]),
    replace: () => driver.write([{ ...write('a', 'new'), ifStamp: { stamp: 'old' } }]),
    remove: () => driver.remove(['a', 'b'], MINUTE),
    sweep: () => driver.remove(['a', 'b'], 0),
    keys: () => driver.keys({ prefix: '' })[Symbol.asyncIterator]().next(),
    now: () => driver.now(),
    epochs: () => driver.epochs(['tag']),
    know: () => driver.know(['other'], MINUTE, 1),
    invalidate: () => driver.invalidate('tag', MINUTE),
    lock: () => driver.lock('a', 'token', MINUTE),
    unlock: () => driver.unlock('a', 'token'),
  }
}

/** The first word of what each call rejects with, or nothing. */
async function outcomes(): Promise<Readonly<Record<string, string>>> {
  const told = Object.entries(calls()).map(async ([name, call]) => {
    const failure = await call().then(
      () => 'done',
      (error: unknown) =>
        String(error)
          .replace(/^\w*Error: /, '')
          .split(' ')[0] ?? '',
    )
    return [name, failure] as const
  })
  return Object.fromEntries(await Promise.all(told))
}

const everyCall = (outcome: string) =>
  Object.fromEntries(Object.keys(calls()).map((name) => [name, outcome]))

describe('redisDriver with a Redis that', () => {
  it('hangs: rejects by the client’s time limit', async () => {
    server.pause()
    expect(await outcomes()).toEqual(everyCall('Command'))
    server.resume()
  })

  it('was killed: rejects at once, and goes on with the next one in the same order', async () => {
    const before = await driver.invalidate('tag', MINUTE)
    await driver.write([write('a', 'old')])
    await server.kill()
    await expect.poll(() => client.status).not.toBe('ready')
    for (const outcome of Object.values(await outcomes()))
      expect(outcome).toMatch(/^(Stream|connect|Connection)/)
    await server.start()
    await expect.poll(() => client.status).toBe('ready')
    expect(await driver.read(['a'])).toEqual([{ stamp: undefined, bytes: undefined }])
    expect(await driver.epochs(['tag'])).toEqual([undefined])
    await driver.know(['tag'], MINUTE, before)
    const [epoch] = await driver.epochs(['tag'])
    expect(epoch).toBeGreaterThan(before)
    expect(await driver.now()).toBeGreaterThan(epoch ?? 0)
  })

  it('is a replica: reads, and rejects what it would have to write, with nothing changed', async () => {
    await driver.write([write('a', 'old'), write('b', 'old')])
    const epoch = await driver.invalidate('tag', MINUTE)
    await server.command('REPLICAOF', '127.0.0.1', '1')
    expect(await outcomes()).toEqual({
      ...everyCall('READONLY'),
      ...{ readOne: 'done', readMany: 'done', keys: 'done', epochs: 'done', unlock: 'done' },
    })
    await server.command('REPLICAOF', 'NO', 'ONE')
    const found = await driver.read(['a', 'b'])
    expect(found).toEqual([
      { stamp: 'old', bytes },
      { stamp: 'old', bytes },
    ])
    expect(await driver.epochs(['tag', 'other'])).toEqual([epoch, undefined])
  })

  it('is out of memory: writes nothing by half, but removes what can’t be marked', async () => {
    await driver.write([write('a', 'old'), write('b', 'old'), write('c', 'old')])
    const epoch = await driver.invalidate('tag', MINUTE)
    await driver.invalidate('stays', MINUTE)
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    const replace = [{ ...write('a', 'new'), ifStamp: { stamp: 'old' } }]
    await expect(driver.write(replace)).rejects.toThrow('OOM')
    await expect(driver.write([write('a', 'new')])).rejects.toThrow('OOM')
    await expect(driver.know(['other', 'tag'], 2 * MINUTE, epoch)).rejects.toThrow('OOM')
    await expect(driver.now()).rejects.toThrow('OOM')
    await expect(driver.lock('a', 'token', MINUTE)).rejects.toThrow('OOM')
    expect(await driver.read(['a'])).toEqual([{ stamp: 'old', bytes }])
    expect(await driver.remove(['c'], 0)).toBe(1)
    await expect(driver.remove(['a', 'b'], MINUTE)).rejects.toThrow('OOM')
    const nothing = { stamp: undefined, bytes: undefined }
    expect(await driver.read(['a', 'b'])).toEqual([nothing, nothing])
    await expect(driver.invalidate('tag', MINUTE)).rejects.toThrow('OOM')
    // Not known any more: nothing that bears it is believed.
    expect(await driver.epochs(['tag', 'other'])).toEqual([undefined, undefined])
    expect(await driver.epochs(['stays'])).not.toEqual([undefined])
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    expect(await driver.invalidate('tag', MINUTE)).toBeGreaterThan(epoch)
  })

  it('has lost its scripts: runs them all the same', async () => {
    await driver.write([write('a', 'old')])
    for (const call of Object.values(calls())) {
      await server.command('SCRIPT', 'FLUSH')
      await call()
    }
  })

  it('holds somebody else’s data under its names: takes them for nothing, and replaces them', async () => {
    const foreign = async () => {
      await server.command('DEL', 'c:v:list', 'c:v:text', 'c:v:empty')
      await server.command('RPUSH', 'c:v:list', 'item')
      await server.command('SET', 'c:v:text', 'somebody’s')
      await server.command('SET', 'c:v:empty', '')
    }
    const names = ['list', 'text', 'empty']
    const nothing = names.map(() => ({ stamp: undefined, bytes: undefined }))
    await foreign()
    expect(await driver.read(names)).toEqual(nothing)
    for (const name of names) expect(await driver.read([name])).toEqual(nothing.slice(0, 1))
    expect(await driver.remove(names, 0)).toBe(0)
    for (const ifStamp of [{ stamp: 'x' }, { stamp: undefined }, undefined]) {
      await foreign()
      const writes = names.map((name) => ({ ...write(name, 'new'), ifStamp }))
      const stored = ifStamp?.stamp === undefined
      expect(await driver.write(writes)).toEqual(names.map(() => stored))
      const there = await driver.read(names)
      expect(there.map(({ stamp }) => stamp)).toEqual(names.map(() => (stored ? 'new' : undefined)))
    }
    await foreign()
    expect(await driver.remove(names, MINUTE)).toBe(0)
    const marks = await driver.read(names)
    expect(marks.map(({ stamp, bytes: none }) => [typeof stamp, none])).toEqual(
      names.map(() => ['string', undefined]),
    )
  })

  it('steps back in time: goes on in its order', async () => {
    let clock = 1_900_000_000_123_456
    const redis: RedisClient = {
      ...redisOf(client),
      evaluate({ source }, keys, args) {
        const altered = source.replace("redis.call('TIME')", '{ ARGV[#ARGV - 1], ARGV[#ARGV] }')
        const time = [Math.floor(clock / 1e6), clock % 1e6]
        const script = { source: altered, sha1: hash('sha1', altered) }
        return redisOf(client).evaluate(script, keys, [...args, ...time])
      },
    }
    const timed = redisDriver({ redis, prefix: 'timed' })
    expect(await timed.now()).toBe(clock)
    clock += 5
    expect(await timed.now()).toBe(clock)
    expect(await timed.now()).toBe(clock + 1)
    expect(await timed.invalidate('tag', MINUTE)).toBe(clock + 2)
    clock -= 3_600_000_000
    expect(await timed.invalidate('tag', MINUTE)).toBe(clock + 3_600_000_003)
    expect(await timed.now()).toBe(clock + 3_600_000_004)
    expect(await timed.epochs(['tag'])).toEqual([clock + 3_600_000_003])
  })
})

describe('redisDriver', () => {
  it('lets everything but the order of invalidations expire', async () => {
    await driver.write([write('a', 'old'), { ...write('b', 'x'), ttlMs: Number.POSITIVE_INFINITY }])
    await driver.remove(['marked'], MINUTE)
    await driver.know(['known'], MINUTE, 1)
    await driver.invalidate('tag', MINUTE)
    await driver.lock('leased', 'token', MINUTE)
    const names = await client.keys('*')
    const lasting: string[] = []
    for (const name of names) if ((await client.pttl(name)) < 0) lasting.push(name)
    expect(names).toHaveLength(7)
    expect(lasting).toEqual([expect.stringMatching(/^c:\{[\w-]{6}\}:clock$/)])
  })
})
