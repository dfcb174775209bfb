import { pollUntil, type RedisServer, startRedis } from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connected, connect } from './client.fixture.ts'
import { processOn } from './recordings.fixture.ts'

/** Longer than any test here waits: what waits for a lease fails. */
const LEASE_MS = 60_000

let server: RedisServer
let there: Connected
let elsewhere: Connected

beforeAll(async () => {
  server = await startRedis({ own: true })
  there = await connect(server.url)
  elsewhere = await connect(server.url)
})

afterAll(async () => {
  for (const each of [there, elsewhere]) await each?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

describe('a claim whose connection breaks', () => {
  it('finds what others have claimed, and has one recorder', async () => {
    await using a = processOn(there, { leaseMs: LEASE_MS, claimTimeoutMs: 5_000 })
    await using b = processOn(elsewhere, { leaseMs: LEASE_MS, claimTimeoutMs: 5_000 })
    for (let at = 0; at < 10; at += 1) {
      const killing = server.command('CLIENT', 'KILL', 'TYPE', 'normal')
      const claims = [a, b, a, b].map((each) => each.claim(`broken ${at}`))
      const roles = (await Promise.all(claims)).map(({ role }) => role)
      await killing.catch(() => undefined)
      expect(roles.filter((role) => role === 'recorder')).toHaveLength(1)
      expect(roles.filter((role) => role === 'reader')).toHaveLength(3)
    }
  })

  it('leaves nobody waiting for a recorder that never knew of it', async () => {
    await using a = processOn(there, { leaseMs: LEASE_MS, claimTimeoutMs: 200 })
    await using b = processOn(elsewhere, { leaseMs: LEASE_MS, claimTimeoutMs: 5_000 })
    await a.claim('before')
    server.pause()
    const claims = await Promise.all(['x', 'y'].map((name) => a.claim(name)))
    expect(claims.map(({ role }) => role)).toEqual(['recorder', 'recorder'])
    // The client gives them up; Redis still has them before it.
    await expect(there.client.ping()).rejects.toThrow('timed out')
    server.resume()
    let turn = 0
    await pollUntil(
      async () => {
        turn += 1
        await a.claim(`after ${turn}`)
        const role = (await b.claim(`after ${turn}`)).role
        return role === 'reader'
      },
      { timeoutMs: 15_000, describe: () => 'claims are never shared again' },
    )
    await pollUntil(async () => (await b.claim('x')).role === 'recorder', {
      timeoutMs: 5_000,
      describe: () => 'the name stands for a recorder that is none',
    })
  })
})
