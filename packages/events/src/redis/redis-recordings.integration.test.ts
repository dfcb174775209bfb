import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pollUntil, type RedisServer, startRedis, startRedisCluster } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesOf, Listener } from '../core/listener.fixture.ts'
import { recordingsConformance } from '../testing/recordings-conformance.ts'
import { type Connected, connect } from './client.fixture.ts'
import { nameKey } from './recording-keys.ts'
import { type Options, processOn } from './recordings.fixture.ts'
import { redisRecordings } from './redis-recordings.ts'

let server: RedisServer
let connected: Connected

beforeAll(async () => {
  server = await startRedis({ own: true })
  connected = await connect(server.url)
})

afterAll(async () => {
  await connected?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

const until = (check: () => boolean | Promise<boolean>, what: string) =>
  pollUntil(async () => check(), { timeoutMs: 30_000, intervalMs: 5, describe: () => what })

const over = (...readers: readonly Listener[]) =>
  until(() => readers.every((reader) => reader.over), 'the end of all readers')

describe.concurrent('redisRecordings conforms', () => {
  for (const { name, run } of recordingsConformance) {
    const open = (options: Options) => () => processOn(connected, options).recordings
    it(name, () => run({ open: open({ maxBytes: 10_000 }) }))
    it(`without a subscriber: ${name}`, () =>
      run({ open: open({ maxBytes: 10_000, subscriber: undefined }) }))
  }
})

describe.concurrent('redisRecordings conforms on a Cluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>
  let there: Connected

  beforeAll(async () => {
    cluster = await startRedisCluster()
    there = await connect(cluster.addresses)
  })

  afterAll(async () => {
    await there?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  for (const { name, run } of recordingsConformance) {
    it(name, () => run({ open: () => processOn(there, { maxBytes: 10_000 }).recordings }))
  }
})

describe('shared recordings', () => {
  it('carry a cause that has no JSON as null', async () => {
    await using a = processOn(connected)
    await using b = processOn(connected)
    const name = randomUUID()
    const recorder = await a.begin(name)
    const reader = new Listener().follow(await b.join(name))
    recorder.fail({ big: 1n })
    await over(reader)
    expect(reader.fault).toEqual({ code: 'failed', cause: null })
  })

  it('are dropped when they grow too large, and go on here', async () => {
    await using a = processOn(connected, { maxBytes: 10_000 })
    await using b = processOn(connected)
    for (const how of [{}, { keepMs: 60_000 }]) {
      const name = randomUUID()
      const recorder = await a.begin(name, how)
      const here = new Listener().follow(recorder.recording)
      const elsewhere = new Listener().follow(await b.join(name, how))
      recorder.head({})
      for (let at = 0; at < 20; at += 1) recorder.push(new Uint8Array(1_000))
      await over(elsewhere)
      expect(elsewhere.fault?.code).toBe('too_large')
      const role = how.keepMs === undefined ? 'recorder' : 'too_large'
      expect((await b.claim(name, how)).role).toBe(role)
      recorder.end()
      expect(here.ended).toBe(true)
      await until(async () => (await b.claim(name, how)).role !== 'recorder', 'what was claimed')
    }
  })

  it('are forgotten elsewhere while they are made, also where they are made', async () => {
    await using a = processOn(connected)
    await using b = processOn(connected)
    const name = randomUUID()
    const recorder = await a.begin(name, { keepMs: 60_000 })
    recorder.head({})
    await b.recordings.forget(name)
    recorder.end()
    await until(async () => (await a.claim(name)).role === 'recorder', 'a new beginning')
  })

  it('are still known where they were made when Redis has lost them', async () => {
    await using server = await startRedis({ own: true })
    await using there = await connect(server.url)
    await using a = processOn(there)
    await using b = processOn(there)
    const recorder = await a.begin('x', { keepMs: 60_000, fingerprint: 'f' })
    recorder.head({})
    recorder.push(bytesOf('x'))
    recorder.end()
    await until(async () => (await b.join('x', { fingerprint: 'f' })).joinable, 'it elsewhere')
    await there.client.flushall()
    expect((await a.join('x', { fingerprint: 'f' })).whole()).toHaveLength(1)
    expect((await a.claim('x', { fingerprint: 'other' })).role).toBe('mismatch')
  })

  it('keep their bytes to themselves until somebody elsewhere wants them', async () => {
    await using a = processOn(connected)
    await using b = processOn(connected)
    const added = async () => {
      const stats = await connected.client.info('commandstats')
      return /cmdstat_xadd:calls=(\d+)/.exec(stats)?.[1]
    }
    // The first ones are copied, until this process is known to hear of followers.
    await until(async () => {
      const before = await added()
      const name = randomUUID()
      const recorder = await a.begin(name)
      recorder.head({})
      recorder.push(bytesOf('x'))
      recorder.end()
      await until(async () => (await b.claim(name)).role === 'recorder', 'a new beginning')
      return (await added()) === before
    }, 'a recording that is not copied')
    const name = randomUUID()
    const recorder = await a.begin(name)
    const here = new Listener().follow(recorder.recording)
    recorder.head({})
    for (let at = 0; at < 50; at += 1) recorder.push(bytesOf(`${at};`))
    const far = new Listener().follow(await b.join(name))
    await until(() => far.text === here.text, 'what was recorded before')
  })

  it('are read to their end by who begins to follow in their last moment', async () => {
    await using a = processOn(connected)
    await using b = processOn(connected)
    for (let at = 0; at < 20; at += 1) {
      const name = randomUUID()
      const recorder = await a.begin(name)
      recorder.head({})
      recorder.push(bytesOf('x'))
      const joining = b.claim(name)
      if (at % 2 === 0) await sleep(1)
      recorder.end()
      const claim = await joining
      if (claim.role !== 'reader') continue
      const reader = new Listener().follow(claim.recording)
      await over(reader)
      expect(reader).toMatchObject({ text: 'x', ended: true })
    }
  })

  it('outlive their lease while they are made and followed', async () => {
    await using a = processOn(connected, { leaseMs: 1_000 })
    await using b = processOn(connected, { leaseMs: 1_000 })
    const name = randomUUID()
    const recorder = await a.begin(name)
    const reader = new Listener().follow(await b.join(name))
    recorder.head({})
    let beats = 0
    const begun = performance.now()
    await until(() => performance.now() - begun > 2_500 || reader.over, 'three leases')
    const beat = setInterval(() => {
      beats += 1
      recorder.push(bytesOf('.'))
    }, 20)
    await until(() => beats >= 60 || reader.over, 'a busy while')
    clearInterval(beat)
    recorder.end()
    await over(reader)
    expect(reader).toMatchObject({ ended: true, text: '.'.repeat(beats) })
  })

  it('leave nothing behind in Redis', async () => {
    const prefix = `left:${randomUUID()}`
    const a = processOn(connected, { prefix, leaseMs: 1_000 })
    const b = processOn(connected, { prefix, leaseMs: 1_000 })
    for (const ending of ['end', 'fail', 'abandon'] as const) {
      const recorder = await a.begin(ending)
      const reader = new Listener().follow(await b.join(ending))
      recorder.head({})
      recorder.push(bytesOf('x'))
      if (ending === 'end') recorder.end()
      if (ending === 'fail') recorder.fail('x')
      if (ending !== 'abandon') await over(reader)
    }
    await b[Symbol.asyncDispose]()
    await a[Symbol.asyncDispose]()
    const ttls = await Promise.all(
      (await connected.client.keys(`${prefix}*`)).map((key) => connected.client.pttl(key)),
    )
    for (const ttl of ttls) expect(ttl).toBeLessThanOrEqual(10_000)
    expect(ttls.every((ttl) => ttl !== -1)).toBe(true)
  })

  it('take a recording whose log was evicted for lost, and begin anew', async () => {
    await using a = processOn(connected)
    await using b = processOn(connected)
    const name = randomUUID()
    const recorder = await a.begin(name, { keepMs: 60_000 })
    recorder.head({})
    recorder.push(bytesOf('x'))
    recorder.end()
    const logs = () => connected.client.keys(`*${nameOf(name)}*:l`)
    const kept = async () => (await connected.client.pttl((await logs())[0] ?? '')) > 60_000
    await until(kept, 'the kept one')
    const [log = ''] = await logs()
    await connected.client.del(log)
    const reader = new Listener().follow(await b.join(name))
    await over(reader)
    expect(reader.fault?.code).toBe('lost')
    await until(async () => (await b.claim(name)).role === 'recorder', 'a new beginning')
  })

  it('begin anew when Redis has evicted what their name stands for', async () => {
    const errors: unknown[] = []
    await using a = processOn(connected)
    await using b = processOn(connected, { onError: (error) => errors.push(error) })
    const name = randomUUID()
    await a.begin(name)
    const evicted = await connected.client.keys(`*${nameOf(name)}*:r`)
    expect(await connected.client.del(evicted)).toBe(1)
    expect((await b.claim(name)).role).toBe('recorder')
    expect(errors).toEqual([])
  })

  it('are not shared by a Redis that is full, and are found in it all the same', async () => {
    await using server = await startRedis({ own: true })
    await using there = await connect(server.url)
    await using a = processOn(there)
    await using b = processOn(there)
    const recorder = await a.begin('before')
    await there.client.config('SET', 'maxmemory', '1')
    const reader = new Listener().follow(await b.join('before'))
    recorder.head({})
    recorder.push(bytesOf('x'))
    expect((await a.claim('while')).role).toBe('recorder')
    expect((await b.claim('while')).role).toBe('recorder')
    await there.client.config('SET', 'maxmemory', '0')
    recorder.end()
    await over(reader)
    expect(reader).toMatchObject({ text: 'x', ended: true })
  })

  it('refuse a prefix that a Cluster would read', () => {
    const invalid = expect.objectContaining({ code: 'invalid_option' })
    expect(() => redisRecordings({ ...connected, prefix: 'a{b}' })).toThrow(invalid)
    expect(() => redisRecordings({ ...connected, leaseMs: 1 })).toThrow(invalid)
    expect(() => redisRecordings({ redis: connected.client as never })).toThrow(invalid)
  })
})

const nameOf = (name: string) => nameKey('', name).slice(1).replace(/[{}]/g, '?')
