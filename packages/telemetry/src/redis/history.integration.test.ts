import { pollUntil, startRedis } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { createHistory } from '../history/create-history.ts'
import type { History } from '../history/history.ts'
import type { HistoryOptions } from '../history/options.ts'
import { type Connected, connect } from './client.fixture.ts'
import { redisHistoryStore } from './redis-history-store.ts'

/** The time of day, which can be moved ahead. */
class Clock {
  #ahead = 0
  readonly now = (): number => Date.now() + this.#ahead

  advance(ms: number): void {
    this.#ahead += ms
  }
}

function historyOn({ redis }: Connected, clock: Clock, options: HistoryOptions = {}): History {
  const store = redisHistoryStore({ redis })
  const history = createHistory({ store, now: clock.now, flushMs: 1_000_000, ...options })
  history.declare('m', { kind: 'count' })
  return history
}

/** All that was counted in an hour. */
async function total(history: History): Promise<number> {
  const [series] = await history.query({ metrics: ['m'], windowMs: 3_600_000 })
  return series?.points.reduce((sum, [, value]) => sum + (value ?? 0), 0) ?? 0
}

const told = (history: History) =>
  pollUntil(() => history.flush(), { timeoutMs: 15_000, describe: () => 'Redis is not told.' })

/** A busy Redis may answer later than a query waits. */
const counted = (history: History, expected: number) =>
  pollUntil(async () => (await total(history)) === expected, {
    timeoutMs: 15_000,
    describe: () => `There are not ${expected}.`,
  })

describe('a history in Redis', () => {
  it('outlives its process, in keys that expire by themselves', async () => {
    await using server = await startRedis({ own: true })
    await using connected = await connect(server.url)
    const clock = new Clock()
    for (let process = 0; process < 3; process += 1) {
      const history = historyOn(connected, clock)
      for (let second = 0; second < 300; second += 1) {
        history.record('m', 1)
        clock.advance(1_000)
      }
      await told(history)
      await history.close()
    }
    await counted(historyOn(connected, clock), 900)
    const keys = await connected.client.keys('*')
    expect(keys.length).toBeLessThan(20)
    for (const key of keys) {
      expect(key).toMatch(/^\{tidegate:history:1\}:/)
      const ttl = await connected.client.pttl(key)
      expect(ttl, key).toBeGreaterThan(0)
      expect(ttl, key).toBeLessThan(34 * 3_600_000)
    }
  })

  it('takes as much in Redis however many processes come and go', async () => {
    await using server = await startRedis({ own: true })
    await using connected = await connect(server.url)
    const clock = new Clock()
    const bytesAfter = async (processes: number) => {
      for (let process = 0; process < processes; process += 1) {
        const history = historyOn(connected, clock)
        history.record('m', 1)
        clock.advance(1_000)
        await told(history)
        await history.close()
      }
      let bytes = 0
      for (const key of await connected.client.keys('*:count:*')) {
        bytes += (await connected.client.strlen(key)) ?? 0
      }
      return bytes
    }
    await bytesAfter(5)
    expect(await bytesAfter(60)).toBeLessThanOrEqual(4 * 240 * 16)
    const instances = () => connected.client.hlen('{tidegate:history:1}:instances')
    await pollUntil(async () => (await instances()) === 0, { describe: () => 'Not all have left.' })
  })

  it('tells Redis many values with few commands', async () => {
    await using server = await startRedis({ own: true })
    await using connected = await connect(server.url)
    const clock = new Clock()
    const history = historyOn(connected, clock)
    const commands = async () => {
      const stats = await connected.client.info('commandstats')
      const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)]
      return calls.reduce((sum, [, count]) => sum + Number(count), 0)
    }
    for (let second = 0; second < 5; second += 1) {
      for (let metric = 0; metric < 100; metric += 1) history.record(`m${metric}`, metric)
      clock.advance(1_000)
    }
    await told(history)
    // Of 600 steps: two batches, the source of the script, and that there is no more if a second has passed.
    expect(await commands()).toBeLessThanOrEqual(4)
  })

  it('goes on while Redis hangs, and adds everything once when it is back', async () => {
    await using server = await startRedis({ own: true })
    await using connected = await connect(server.url, 500)
    const clock = new Clock()
    const errors: unknown[] = []
    const history = historyOn(connected, clock, { onError: (error) => errors.push(error) })
    const record = (count: number) => {
      for (let time = 0; time < count; time += 1) {
        history.record('m', 1)
        clock.advance(1_000)
      }
    }
    record(10)
    await told(history)
    server.pause()
    record(10)
    // What Redis gets now it will carry out when it goes on, though nobody waits for it then.
    expect(await history.flush()).toBe(false)
    expect(await total(history)).toBe(20)
    record(200)
    expect(await total(history)).toBe(220)
    expect(errors.length).toBeGreaterThan(0)
    server.resume()
    await told(history)
    await counted(historyOn(connected, clock), 220)
  })

  it('goes on while Redis is killed, and tells the next one what it knows from then on', async () => {
    await using server = await startRedis({ own: true })
    await using connected = await connect(server.url)
    const clock = new Clock()
    const history = historyOn(connected, clock)
    const other = historyOn(connected, clock)
    history.record('m', 1)
    clock.advance(61_000)
    await history.flush()
    await server.kill()
    history.record('m', 2)
    other.record('m', 3)
    clock.advance(61_000)
    expect(await history.flush()).toBe(false)
    expect(await total(history)).toBe(3)
    await server.start()
    await told(history)
    await told(other)
    await counted(history, 6)
  })
})

describe('redisHistoryStore', () => {
  it('refuses what cannot send what is needed', () => {
    const invalid = expect.objectContaining({ code: 'invalid_option' })
    const redis = { callBuffer: async () => null, evaluate: async () => null }
    expect(() => redisHistoryStore({ redis: {} as never })).toThrow(invalid)
    expect(() => redisHistoryStore({ redis, prefix: 'a{b}' })).toThrow(invalid)
    expect(() => redisHistoryStore({ redis, prefix: '' })).toThrow(invalid)
    expect(() => redisHistoryStore({ redis, keepMs: 0 })).toThrow(invalid)
  })
})
