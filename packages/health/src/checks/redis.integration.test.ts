import { pollUntil, startDeafListener, startRedis } from '@tidegate/testkit'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { look } from './looking.fixture.ts'
import { redisCheck } from './redis.ts'

function connect(url: string) {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 })
  client.on('error', () => undefined)
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() })
}

describe('redisCheck with a real Redis', () => {
  it('tells what it knows, and that it is away', async () => {
    await using server = await startRedis({ own: true })
    using client = connect(server.url)
    const check = redisCheck({ client })
    const up = await look(check)
    expect(up).toMatchObject({ status: 'healthy', details: { role: 'primary' } })
    expect(up.details?.connected_clients).toBeGreaterThanOrEqual(1)
    expect(up.details?.memory_used_bytes).toBeGreaterThan(100_000)
    await server.kill()
    await pollUntil(async () => (await look(check)).status === 'unhealthy', {
      describe: () => 'the check did not notice that Redis is away',
    })
    await server.start()
    await pollUntil(async () => (await look(check)).status === 'healthy', {
      describe: () => 'the check did not notice that Redis is back',
    })
  })

  it('gives up a Redis that hangs, and asks it one question at a time', async () => {
    await using server = await startRedis({ own: true })
    using client = connect(server.url)
    let asked = 0
    const call = (name: string) => {
      asked += 1
      return client.call(name)
    }
    const check = redisCheck({ client: { call } })
    expect((await look(check)).status).toBe('healthy')
    asked = 0
    await server.pause()
    for (let n = 0; n < 3; n += 1) {
      expect((await look(check, { timeout: 50 })).error?.code).toBe('timeout')
    }
    expect(asked).toBe(1)
    await server.resume()
    await pollUntil(async () => (await look(check)).status === 'healthy', {
      describe: () => 'the check did not notice that Redis answers again',
    })
  })

  it('notices a replica whose primary is away, and the memory of one that is full', async () => {
    await using server = await startRedis({ own: true })
    using client = connect(server.url)
    await client.call('CONFIG', 'SET', 'maxmemory', '1000000')
    const full = await look(redisCheck({ client, maxMemoryRatio: 0.5 }))
    expect(full.error?.code).toBe('memory')
    await client.call('CONFIG', 'SET', 'maxmemory', '0')
    await client.call('REPLICAOF', '127.0.0.1', '1')
    const lost = await look(redisCheck({ client }))
    expect(lost).toMatchObject({ status: 'degraded', error: { code: 'primary_link_down' } })
  })

  it('gives up a server to which no connection can be made', async () => {
    await using deaf = await startDeafListener()
    using client = connect(`redis://127.0.0.1:${deaf.port}`)
    const { status, error } = await look(redisCheck({ client }), { timeout: 100 })
    expect([status, error?.code]).toEqual(['unhealthy', 'timeout'])
  })
})
