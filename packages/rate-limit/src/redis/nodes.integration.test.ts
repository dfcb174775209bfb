import { type RedisServer, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Nodes } from './nodes.ts'
import { beatScript } from './script/nodes-script.ts'
import { clocked, evaluatorOf } from './scripted-redis.fixture.ts'

let server: RedisServer
let client: Redis

beforeAll(async () => {
  server = await startRedis({ own: true })
  client = new Redis(server.url)
})

afterAll(async () => {
  client?.disconnect()
  await server?.[Symbol.asyncDispose]()
})

describe('Nodes', () => {
  it('count each other, and those who left no longer', async () => {
    const redis = evaluatorOf(client)
    const [one, other] = [new Nodes({ redis, key: 'n' }), new Nodes({ redis, key: 'n' })]
    await expect.poll(() => client.zcard('n')).toBe(2)
    const third = new Nodes({ redis, key: 'n', nodeId: 'third' })
    await expect.poll(() => third.count).toBe(3)
    await other.close()
    await third.close()
    expect(await client.zcard('n')).toBe(1)
    expect(await client.pttl('n')).toBeGreaterThan(15_000)
    await one.close()
    expect(await client.exists('n')).toBe(0)
  })

  it('are gone 15 seconds after their last beat, also when the clock steps back or forward', async () => {
    let clock = 1_800_000_000_000
    const redis = clocked(evaluatorOf(client), () => clock)
    const beat = (node: string) => redis.evaluate(beatScript, ['clocked'], [node, 15_000])
    expect(await beat('a')).toBe(1)
    clock += 14_999
    expect(await beat('b')).toBe(2)
    clock += 1
    expect(await beat('b')).toBe(1)
    clock -= 3_600_000
    expect(await beat('a')).toBe(2)
    clock += 14_999
    expect(await beat('a')).toBe(2)
    clock += 1
    expect(await beat('a')).toBe(1)
    clock += 3_600_000
    expect(await beat('b')).toBe(1)
  })
})
