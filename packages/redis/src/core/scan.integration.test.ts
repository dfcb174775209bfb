import { pollUntil, startRedis, startRedisCluster } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import type { RedisCommands } from './commands.ts'
import { connectRedis } from './connect.ts'

const names = (count: number, stem = 'kéy') =>
  Array.from({ length: count }, (_, at) => `${stem}:${at}`)

async function fill(commands: RedisCommands, keys: readonly string[]): Promise<void> {
  const outcomes = await commands.batch(keys.map((key) => ['SET', key, 1] as const))
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
}

async function found(batches: AsyncIterable<readonly string[]>): Promise<readonly string[]> {
  const keys = new Set<string>()
  for await (const batch of batches) for (const key of batch) keys.add(key)
  return [...keys].sort()
}

describe('scan of one server', () => {
  it('walks all the keys that match, batch by batch', async () => {
    await using server = await startRedis({ own: true })
    await using redis = connectRedis({ url: server.url })
    const { commands } = redis
    expect(await found(commands.scan('*'))).toEqual([])
    await fill(commands, [...names(1_000), ...names(50, 'other'), 'k*y:[1]\n'])
    expect(await found(commands.scan('kéy:*'))).toEqual(names(1_000).sort())
    let replies = 0
    for await (const batch of commands.scan('kéy:999', { count: 50 }))
      replies += batch.length < 2 ? 1 : 0
    expect(replies).toBeGreaterThan(10)
    expect(await found(commands.scan('k\\*y:\\[1\\]\n', { count: 10_000 }))).toEqual(['k*y:[1]\n'])
  })

  it('rejects when it would go on at another server, or at one that was started anew', async () => {
    await using server = await startRedis({ own: true })
    await using redis = connectRedis({ url: server.url, reconnectMaxMs: 20 })
    await fill(redis.commands, names(1_000))
    const walk = redis.commands.scan('*', { count: 10 })[Symbol.asyncIterator]()
    expect((await walk.next()).done).toBe(false)
    await server.kill()
    await server.start()
    await pollUntil(async () => redis.state === 'ready', { describe: () => 'not back' })
    const failure = await walk.next().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'interrupted' })
    expect(String(failure)).toContain(`127.0.0.1:${server.port} was lost meanwhile. Begin it anew.`)
    expect(await found(redis.commands.scan('*'))).toEqual([])
  })

  it('rejects when there is no connection, or no answer in time', async () => {
    await using server = await startRedis({ own: true })
    const options = { commandTimeoutMs: 200, connectTimeoutMs: 200, reconnectMaxMs: 20 }
    await using redis = connectRedis({ url: server.url, ...options })
    await redis.ready()
    server.pause()
    await expect(found(redis.commands.scan('*'))).rejects.toMatchObject({ code: 'timeout' })
    server.resume()
    await server.kill()
    await pollUntil(async () => redis.state !== 'ready', { describe: () => 'not lost' })
    await expect(found(redis.commands.scan('*'))).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('scan of a Cluster', () => {
  it('walks every master, and rejects with the one that does not answer', async () => {
    await using cluster = await startRedisCluster()
    const options = { commandTimeoutMs: 500, reconnectMaxMs: 20 }
    await using redis = connectRedis({ cluster: cluster.addresses.slice(0, 1), ...options })
    const { commands } = redis
    await fill(commands, names(600))
    expect(await found(commands.scan('kéy:*', { count: 50 }))).toEqual(names(600).sort())
    const hanging = await cluster.ownerOf('a')
    const seen: string[] = []
    const walk = async () => {
      for await (const batch of commands.scan('*')) {
        if (seen.push(...batch) === batch.length) hanging.pause()
      }
    }
    const failure = await walk().catch((error: unknown) => error)
    hanging.resume()
    expect(failure).toMatchObject({ mayHaveRun: true })
    expect(seen.length).toBeGreaterThan(0)
    const complete = async () =>
      await found(commands.scan('kéy:*')).then(
        (keys) => keys.length === 600,
        () => false,
      )
    await pollUntil(complete, { timeoutMs: 15_000, describe: () => 'the node is still shunned' })
  })

  it('rejects when a slot has moved meanwhile', async () => {
    await using cluster = await startRedisCluster()
    await using redis = connectRedis({ cluster: cluster.addresses })
    const { commands } = redis
    await fill(commands, names(300))
    const walk = commands.scan('*', { count: 10 })[Symbol.asyncIterator]()
    expect((await walk.next()).done).toBe(false)
    await cluster.moveSlotOf('a')
    const rest = async () => {
      while (!(await walk.next()).done);
    }
    const failure = await rest().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'interrupted' })
    expect(String(failure)).toContain('slots of the Cluster')
    expect(await found(commands.scan('*'))).toEqual(names(300).sort())
  })
})
