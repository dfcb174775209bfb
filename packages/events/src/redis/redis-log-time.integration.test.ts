import { randomUUID } from 'node:crypto'
import { pollUntil, type RedisServer, startRedis } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEventStream } from '../core/event-stream.ts'
import { SseReader } from '../core/sse-reader.fixture.ts'
import { type Connected, connect } from './client.fixture.ts'
import type { EventsRedis } from './port.ts'
import { type RedisLogOptions, redisLog } from './redis-log.ts'

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

function open(options: Partial<RedisLogOptions> = {}) {
  const key = `log:${randomUUID()}`
  return { key, log: redisLog({ ...connected, key, ...options }) }
}

/** Adds an entry as if it had been appended so long ago. */
async function aged(key: string, ageMs: number, before: string, number: number): Promise<string> {
  const id = `${Date.now() - ageMs}-0`
  const fields = ['d', `${ageMs}`, 'p', before, 'n', `${number}`]
  return String(await connected.client.call('xadd', key, id, ...fields))
}

describe('the time of redisLog', () => {
  it('takes what is too old out of Redis when something is appended', async () => {
    const { key, log } = open({ maxAgeMs: 60_000 })
    const old = await aged(key, 200_000, '', 1)
    const older = await aged(key, 100_000, old, 2)
    const young = await aged(key, 30_000, older, 3)
    const page = await log.read({ after: old })
    expect(page.entries.map(({ id }) => id)).toEqual([young])
    expect(page.gap).toBe(true)
    expect((await log.read({ after: older })).gap).toBe(false)
    expect(await connected.client.xlen(key)).toBe(3)
    await log.append('new')
    expect(await connected.client.xlen(key)).toBe(2)
    expect(await log.count()).toBe(2)
    expect(await log.count({ lastMs: 10_000 })).toBe(1)
    expect(await log.count({ lastMs: 90_000 })).toBe(2)
  })

  it('knows what came before when all that was there is too old', async () => {
    const { key, log } = open({ maxAgeMs: 60_000 })
    const old = await aged(key, 200_000, '', 1)
    expect(await log.read()).toEqual({ entries: [], gap: false })
    expect(await log.count()).toBe(0)
    const id = await log.append('new')
    expect(await connected.client.xlen(key)).toBe(1)
    const page = await log.read({ after: old })
    expect([page.entries.map((entry) => entry.id), page.gap]).toEqual([[id], false])
  })

  it('has one clock for all: that of Redis, unless an entry is ahead of it', async () => {
    const { key, log } = open({ maxAgeMs: 60_000 })
    const first = await aged(key, 30_000, '', 1)
    const ahead = await aged(key, -50_000, first, 2)
    expect((await log.read()).entries.map(({ id }) => id)).toEqual([ahead])
    expect(await log.count({ lastMs: 10_000 })).toBe(1)
  })

  it('reads and counts a window without the rest of the log', async () => {
    const { key, log } = open({ maxEntries: 5_000 })
    const sent = connected.client.pipeline()
    const now = Date.now()
    for (let at = 0; at < 5_000; at += 1) {
      const id = `${now - 500_000 + at * 100}-0`
      const before = at === 0 ? '' : `${now - 500_000 + (at - 1) * 100}-0`
      sent.call('xadd', key, id, 'd', `${at}`, 'p', before, 'n', `${at + 1}`)
    }
    await sent.exec()
    const asked: (readonly unknown[])[] = []
    const redis: EventsRedis = {
      callBuffer: async (...command) => {
        const reply = await connected.redis.callBuffer(...command)
        asked.push(Array.isArray(reply) ? reply : [reply])
        return reply
      },
      evaluate: (...call) => connected.redis.evaluate(...call),
    }
    const counting = redisLog({ redis, key })
    const window = { from: now - 300_000, to: now - 290_000 }
    expect(await counting.count(window)).toBe(100)
    expect(asked).toEqual([])
    expect((await counting.read(window)).entries).toHaveLength(100)
    expect(asked.map(({ length }) => length)).toEqual([100])
    expect(await log.count()).toBe(5_000)
  })

  it('does not guess a count of entries that something else has added', async () => {
    const { key, log } = open()
    await connected.client.call('xadd', key, '*', 'd', 'stranger')
    await expect(log.count()).rejects.toThrow('it was not made by append')
  })

  it('refuses an age that is none', () => {
    const invalid = expect.objectContaining({ code: 'invalid_option' })
    for (const maxAgeMs of [0, -1, 1.5]) expect(() => open({ maxAgeMs })).toThrow(invalid)
  })
})

describe('events of a redisLog', () => {
  it('go on, with heartbeats meanwhile, while Redis hangs, is killed, and is back', async () => {
    await using own = await startRedis({ own: true })
    await using there = await connect(own.url)
    const errors: unknown[] = []
    const log = redisLog({ ...there, key: 'log', onError: (error) => errors.push(error) })
    const over = new AbortController()
    const stream = openEventStream(log, undefined, {
      after: 'start',
      heartbeatMs: 25,
      signal: over.signal,
      onError: (error) => errors.push(error),
    })
    const reader = new SseReader(stream)
    const reading = (async () => {
      while (await reader.readSome());
    })()
    const until = (check: () => boolean | Promise<boolean>, what: string) =>
      pollUntil(async () => check(), { timeoutMs: 20_000, describe: () => what })
    const appended = (text: string) =>
      until(async () => {
        const id = await log.append(text).catch(() => undefined)
        return id !== undefined
      }, text)
    const heartbeats = () => reader.text.split(':\n\n').length
    const moreHeartbeats = async () => {
      const before = heartbeats()
      await until(() => heartbeats() > before + 2, 'heartbeats')
    }
    try {
      await appended('before')
      await until(() => reader.text.includes('data: before'), 'the first')
      own.pause()
      await until(() => errors.length > 0, 'an error')
      await moreHeartbeats()
      own.resume()
      await appended('after')
      await until(() => reader.text.includes('data: after'), 'after it hung')
      expect(reader.text).not.toContain('gap')
      await own.kill()
      await moreHeartbeats()
      await own.start()
      await appended('anew')
      await until(() => reader.text.includes('data: anew'), 'after it was killed')
      expect(reader.text.match(/event: gap/g)).toHaveLength(1)
      expect(reader.text).not.toMatch(/ECONN|Command timed out|Connection/)
    } finally {
      over.abort()
      await reading
      await log.close()
    }
  })
})
