import { inspect } from 'node:util'
import { pollUntil, startRedisCluster, startRedisSentinels } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import { connectRedis } from './connect.ts'
import { createScript } from './script.ts'

const increment = createScript("return redis.call('INCR', KEYS[1])")

describe('connectRedis to a Cluster', () => {
  it('sends each command where its key lives, also after the slot has moved', async () => {
    await using cluster = await startRedisCluster()
    await using redis = connectRedis({ cluster: cluster.addresses.slice(0, 1) })
    const { commands } = redis
    await redis.ready()
    expect(await redis.health()).toMatchObject({ status: 'up' })
    const keys = ['{a}:n', '{b}:n', '{c}:n', '{d}:n']
    for (const key of keys) expect(await commands.evaluate(increment, [key], [])).toBe(1)
    const owner = await cluster.ownerOf('{a}:n')
    const other = await cluster.moveSlotOf('{a}:n')
    expect(other.port).not.toBe(owner.port)
    // MOVED, and NOSCRIPT at the new owner: both are refusals, so it still runs once.
    expect(await commands.evaluate(increment, ['{a}:n'], [])).toBe(2)
    expect(await commands.read('GET', '{a}:n')).toBe('2')
    const outcomes = await commands.batch(keys.map((key) => ['GET', key] as const))
    expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual([
      '2',
      '1',
      '1',
      '1',
    ])
    await expect(commands.evaluate(increment, ['{a}:n', '{b}:n'], [])).rejects.toMatchObject({
      reply: 'CROSSSLOT',
    })
  })

  it('takes many commands at once, also those that are the first for their node', async () => {
    await using cluster = await startRedisCluster()
    await using redis = connectRedis({ cluster: cluster.addresses.slice(0, 1) })
    const keys = Array.from({ length: 200 }, (_, at) => `key:${at}`)
    const outcomes = await redis.commands.batch(keys.map((key) => ['SET', key, 1] as const))
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
  })

  it('tells a wrong password at once, and closes whatever state it is in', async () => {
    await using cluster = await startRedisCluster()
    for (const node of cluster.nodes) await node.command('CONFIG', 'SET', 'requirepass', 's3cret')
    const options = { cluster: cluster.addresses, reconnectMaxMs: 50 }
    await using right = connectRedis({ ...options, password: 's3cret' })
    expect(await right.commands.call('SET', 'a', 1)).toBe('OK')
    const wrong = connectRedis({ ...options, password: 'wr0ng' })
    const failure = await wrong.ready().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'auth_failed' })
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('wr0ng')
    await wrong.close()
    expect(wrong.state).toBe('closed')
  })

  it('never sends a script again when its node dies, and recovers with the node', async () => {
    await using cluster = await startRedisCluster()
    const options = { commandTimeoutMs: 2_000, reconnectMaxMs: 50 }
    await using redis = connectRedis({ cluster: cluster.addresses, ...options })
    const { commands } = redis
    expect(await commands.evaluate(increment, ['n'], [])).toBe(1)
    const owner = await cluster.ownerOf('n')
    owner.pause()
    const underWay = commands.evaluate(increment, ['n'], [])
    const interrupted = expect(underWay).rejects.toMatchObject({
      code: 'interrupted',
      mayHaveRun: true,
    })
    await owner.kill()
    await interrupted
    await owner.start()
    const recovered = async () =>
      await commands.call('GET', 'n').then(
        () => true,
        () => false,
      )
    await pollUntil(recovered, { timeoutMs: 15_000, describe: () => 'the node is still shunned' })
    // Its memory went with it: whatever is there now ran after that.
    expect(await commands.call('GET', 'n')).toBeNull()
    expect(await commands.evaluate(increment, ['n'], [])).toBe(1)
  })

  it('gives up a node that hangs, while the others go on', async () => {
    await using cluster = await startRedisCluster()
    const options = { commandTimeoutMs: 300, reconnectMaxMs: 50 }
    await using redis = connectRedis({ cluster: cluster.addresses, ...options })
    const { commands } = redis
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const key of keys) await commands.call('SET', key, 0)
    const hanging = await cluster.ownerOf('a')
    const owners = await Promise.all(keys.map((key) => cluster.ownerOf(key)))
    const elsewhere = keys[owners.findIndex((owner) => owner !== hanging)] ?? ''
    hanging.pause()
    await expect(commands.evaluate(increment, ['a'], [])).rejects.toMatchObject({ code: 'timeout' })
    expect(await commands.call('GET', elsewhere)).toBe('0')
    hanging.resume()
    const recovered = async () =>
      await commands.call('GET', 'a').then(
        () => true,
        () => false,
      )
    await pollUntil(recovered, { timeoutMs: 15_000, describe: () => 'the node is still shunned' })
    expect(Number(await commands.call('GET', 'a'))).toBeLessThanOrEqual(1)
  })

  it('leaves a node that nothing is heard at any more for another one', async () => {
    await using cluster = await startRedisCluster()
    await using redis = connectRedis({ cluster: cluster.addresses, reconnectMaxMs: 20 })
    const seen: string[] = []
    const resets: string[] = []
    const subscriber = redis.subscriber()
    subscriber.reconnect()
    subscriber.onReset((state) => resets.push(state))
    await subscriber.subscribe('tide', (message) => seen.push(message))
    const [left, ...others] = cluster.nodes
    for (const other of others) {
      const id = String(await left?.command('CLUSTER', 'MYID'))
      await other.command('CLUSTER', 'FORGET', id)
    }
    subscriber.reconnect()
    await pollUntil(async () => resets.at(-1) === 'back', { describe: () => 'not back' })
    expect(resets).toEqual(['lost', 'back'])
    await others.at(-1)?.command('PUBLISH', 'tide', 'flow')
    await pollUntil(async () => seen.length === 1, { describe: () => 'no message' })
  })

  it('hears messages of the whole Cluster, also when the node it listens at dies', async () => {
    await using cluster = await startRedisCluster()
    await using redis = connectRedis({ cluster: cluster.addresses, reconnectMaxMs: 20 })
    const seen: string[] = []
    const subscriber = redis.subscriber()
    await subscriber.subscribe('tide', (message) => seen.push(message))
    const [first, second] = cluster.nodes
    await second?.command('PUBLISH', 'tide', 'one')
    await pollUntil(async () => seen.length === 1, { describe: () => 'no message' })
    await first?.kill()
    const back = async () => subscriber.state === 'ready'
    await pollUntil(async () => !(await back()), { describe: () => 'the loss went unnoticed' })
    await pollUntil(back, { describe: () => 'the subscriber did not come back' })
    await second?.command('PUBLISH', 'tide', 'two')
    await pollUntil(async () => seen.length === 2, { describe: () => 'no message after the loss' })
  })
})

describe('connectRedis through Sentinels', () => {
  it('follows the primary over a failover, and sends nothing twice', async () => {
    await using sentinels = await startRedisSentinels()
    const { name, addresses, primary, replica } = sentinels
    const options = { reconnectMaxMs: 100, commandTimeoutMs: 2_000 }
    await using redis = connectRedis({ sentinel: { name, nodes: addresses }, ...options })
    const { commands } = redis
    expect(await commands.evaluate(increment, ['n'], [])).toBe(1)
    const seen: string[] = []
    await redis.subscriber().subscribe('tide', (message) => seen.push(message))
    const synced = async () => (await replica.command('GET', 'n')) === '1'
    await pollUntil(synced, { describe: () => 'the replica lags' })
    primary.pause()
    const underWay = commands.evaluate(increment, ['n'], [])
    const interrupted = expect(underWay).rejects.toMatchObject({ mayHaveRun: true })
    await primary.kill()
    await interrupted
    const promoted = async () => (await sentinels.primaryPort()) === replica.port
    await pollUntil(promoted, { timeoutMs: 20_000, describe: () => 'no failover' })
    await redis.ready({ timeoutMs: 10_000 })
    expect(await commands.evaluate(increment, ['n'], [])).toBe(2)
    const listening = async () => redis.subscriber().state === 'ready'
    await pollUntil(listening, { timeoutMs: 10_000, describe: () => 'the subscriber is lost' })
    await commands.call('PUBLISH', 'tide', 'ebb')
    await pollUntil(async () => seen.length === 1, { describe: () => 'no message' })
  })

  it('says which Sentinels it asked when none answers', async () => {
    const sentinel = { name: 'tide', nodes: [{ host: '127.0.0.1', port: 1 }] }
    await using redis = connectRedis({ sentinel, connectTimeoutMs: 200 })
    const failure = await redis.commands.call('PING').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'connection_failed' })
    expect(String(failure)).toContain('"tide" (Sentinels 127.0.0.1:1)')
  })
})
