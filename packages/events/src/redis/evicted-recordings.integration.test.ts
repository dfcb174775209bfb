import { pollUntil, type RedisServer, startRedis } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bytesOf, Listener } from '../core/listener.fixture.ts'
import { type Connected, connect } from './client.fixture.ts'
import { processOn } from './recordings.fixture.ts'

const LEASE_MS = 1_500
const kept = { keepMs: 60_000, persist: true }

const until = (check: () => boolean | Promise<boolean>, what: string) =>
  pollUntil(async () => check(), { timeoutMs: 15_000, intervalMs: 10, describe: () => what })

let server: RedisServer
let there: Connected
let elsewhere: Connected

beforeAll(async () => {
  server = await startRedis({ own: true })
  there = await connect(server.url)
  elsewhere = await connect(server.url)
})

beforeEach(async () => {
  await server.command('FLUSHALL')
})

afterAll(async () => {
  for (const each of [there, elsewhere]) await each?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

const processes = (onError?: (error: unknown) => void) => [
  processOn(there, { leaseMs: LEASE_MS }),
  processOn(elsewhere, { leaseMs: LEASE_MS, ...(onError && { onError }) }),
]

async function keysOf(ending: string): Promise<readonly string[]> {
  const reply = await there.redis.callBuffer('KEYS', `*${ending}`)
  return Array.isArray(reply) ? reply.map(String) : []
}

describe('shared recordings in a Redis that evicts', () => {
  for (const part of [':r', ':l', '}']) {
    it(`begin anew when what ends with "${part}" was evicted, and others aren't touched`, async () => {
      const errors: unknown[] = []
      const [a, b] = processes((error) => errors.push(error))
      if (a === undefined || b === undefined) throw new TypeError('No processes.')
      const first = await a.begin('x', kept)
      first.head({})
      first.push(bytesOf('first'))
      first.end()
      await until(async () => (await keysOf(':l')).length === 1, 'the copy')
      for (const key of await keysOf(part)) await server.command('DEL', key)
      let claim = await b.claim('x', kept)
      if (claim.role === 'reader') {
        const lost = new Listener().follow(claim.recording)
        await until(() => lost.fault !== undefined, 'the loss')
        expect(lost.text).toBe('')
        claim = await b.claim('x', kept)
      }
      if (claim.role !== 'recorder') throw new TypeError(claim.role)
      claim.recorder.head({})
      claim.recorder.push(bytesOf('second'))
      claim.recorder.end()
      const other = await a.begin('y')
      other.head({})
      expect((await b.claim('y')).role).toBe('reader')
      expect(errors).toEqual([])
      for (const each of [a, b]) await each[Symbol.asyncDispose]()
    })
  }
})
