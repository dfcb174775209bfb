import { inspect } from 'node:util'
import { makeCertificates, pollUntil, startDeafListener, startRedis } from '@tidegate/testkit'
import { describe, expect, it, vi } from 'vitest'
import { connectRedis } from './connect.ts'
import type { RedisStateChange } from './options.ts'
import { createScript } from './script.ts'
import { redisSettingsFromEnv } from './settings-from-env.ts'

const increment = createScript("return redis.call('INCR', KEYS[1])")
const until = (check: () => boolean, what: string) =>
  pollUntil(async () => check(), { timeoutMs: 10_000, describe: () => what })

describe('connectRedis to one server', () => {
  it.each([2, 3] as const)('sends commands over RESP%i', async (protocol) => {
    await using server = await startRedis({ own: true })
    await using redis = connectRedis({ url: server.url, protocol })
    expect(redis.state).toBe('idle')
    expect(await redis.commands.call('SET', 'a', Buffer.from([0xff]))).toBe('OK')
    expect(redis.state).toBe('ready')
    expect(await redis.commands.callBuffer('GET', 'a')).toEqual(Buffer.from([0xff]))
    const bytes = Uint8Array.of(1, 0, 0xfe, 2).subarray(1, 3)
    expect(await redis.commands.call('SET', 'a', bytes)).toBe('OK')
    expect(await redis.commands.callBuffer('GET', 'a')).toEqual(Buffer.from([0, 0xfe]))
    expect(await redis.commands.call('HSET', 'h', 'x', 1, 'y', 2)).toBe(2)
    expect(await redis.commands.read('HGETALL', 'h')).toEqual({ x: '1', y: '2' })
    const outcomes = await redis.commands.batch([
      ['SET', 'n', 1],
      ['LPUSH', 'n', 1],
      ['GET', 'n'],
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'reply_error', reply: 'WRONGTYPE' } })
    expect(await redis.health()).toMatchObject({ status: 'up', latencyMs: expect.any(Number) })
  })

  it('runs a script once, also after the script cache was flushed', async () => {
    await using server = await startRedis({ own: true })
    await using redis = connectRedis({ url: server.url })
    expect(await redis.commands.evaluate(increment, ['n'], [])).toBe(1)
    expect(await redis.commands.evaluate(increment, ['n'], [])).toBe(2)
    await server.command('SCRIPT', 'FLUSH')
    expect(await redis.commands.evaluate(increment, ['n'], [])).toBe(3)
    const broken = createScript("return redis.call('INCR', 'a', 'b')")
    await expect(redis.commands.evaluate(broken, [], [])).rejects.toMatchObject({
      code: 'reply_error',
    })
  })

  it('interrupts what was under way when the server dies, and recovers with it', async () => {
    await using server = await startRedis({ own: true })
    const changes: RedisStateChange[] = []
    const onStateChange = (change: RedisStateChange) => changes.push(change)
    await using redis = connectRedis({ url: server.url, reconnectMaxMs: 50, onStateChange })
    await redis.ready()
    server.pause()
    const underWay = redis.commands.evaluate(increment, ['n'], [])
    const interrupted = expect(underWay).rejects.toMatchObject({
      code: 'interrupted',
      mayHaveRun: true,
    })
    await server.kill()
    await interrupted
    await expect(redis.commands.call('GET', 'n')).rejects.toMatchObject({
      code: 'unavailable',
      mayHaveRun: false,
    })
    expect(await redis.health()).toMatchObject({ status: 'down', error: { code: 'unavailable' } })
    const waiting = redis.commands.read('GET', 'n')
    await server.start()
    expect(await waiting).toBeNull()
    await redis.ready()
    expect(await redis.commands.evaluate(increment, ['n'], [])).toBe(1)
    expect(changes.map(({ to }) => to)).toEqual(['connecting', 'ready', 'reconnecting', 'ready'])
  })

  it('gives up a server that hangs after the time limit, and recovers when it wakes', async () => {
    await using server = await startRedis({ own: true })
    const options = { commandTimeoutMs: 200, reconnectMaxMs: 50 }
    await using redis = connectRedis({ url: server.url, ...options })
    await redis.commands.call('SET', 'n', 0)
    server.pause()
    await expect(redis.commands.evaluate(increment, ['n'], [])).rejects.toMatchObject({
      code: 'timeout',
      limitMs: 200,
      mayHaveRun: true,
    })
    await until(() => redis.state === 'reconnecting', 'the silence went unnoticed')
    await expect(redis.commands.call('GET', 'n')).rejects.toMatchObject({ code: 'unavailable' })
    server.resume()
    await redis.ready()
    // It was sent once, and the server had it in its buffer: once is what it may have run.
    expect(Number(await redis.commands.call('GET', 'n'))).toBeLessThanOrEqual(1)
  })

  it('fails within the time limit where nobody answers', async () => {
    await using deaf = await startDeafListener()
    const url = `redis://user:s3cret@127.0.0.1:${deaf.port}`
    await using redis = connectRedis({ url, connectTimeoutMs: 100, reconnectMaxMs: 20 })
    const failure = await redis.ready({ timeoutMs: 300 }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'connection_failed' })
    expect(String(failure)).toContain(`127.0.0.1:${deaf.port}`)
    expect(String(failure)).not.toContain('s3cret')
  })

  it('tells a wrong password at once, and never repeats it', async () => {
    await using server = await startRedis({ password: 'right' })
    const url = `redis://:wr0ng-secret@127.0.0.1:${server.port}`
    for (const protocol of [2, 3] as const) {
      await using redis = connectRedis({ url, protocol })
      const failure = await redis.commands.call('PING').catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'auth_failed' })
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('wr0ng-secret')
      await expect(redis.ready()).rejects.toMatchObject({ code: 'auth_failed' })
    }
    await using none = connectRedis({ url: `redis://127.0.0.1:${server.port}` })
    await expect(none.ready()).rejects.toMatchObject({ code: 'auth_failed' })
    const password = { reveal: () => 'right' }
    await using redis = connectRedis({ url: `redis://127.0.0.1:${server.port}`, password })
    expect(await redis.commands.call('PING')).toBe('PONG')
  })

  it('lets an ACL user in, and says what that one may not do', async () => {
    await using server = await startRedis({ own: true })
    await server.command('ACL', 'SETUSER', 'ann', 'on', '>p@ss', '~mine:*', '+@all', '-flushall')
    const url = `redis://ann:p%40ss@127.0.0.1:${server.port}`
    await using redis = connectRedis({ url })
    expect(await redis.commands.call('ACL', 'WHOAMI')).toBe('ann')
    await expect(redis.commands.call('FLUSHALL')).rejects.toMatchObject({ reply: 'NOPERM' })
  })

  it('delivers messages, also after the connection was lost', async () => {
    await using server = await startRedis({ own: true })
    await using redis = connectRedis({ url: server.url, reconnectMaxMs: 20 })
    const seen: string[] = []
    const subscriber = redis.subscriber()
    const resets: string[] = []
    const deaf = subscriber.onReset(() => resets.push('deaf'))
    subscriber.onReset((state) => resets.push(state))
    const end = await subscriber.subscribe('tide', (message) => seen.push(message))
    expect(await redis.commands.call('PUBLISH', 'tide', 'one')).toBe(1)
    await until(() => seen.length === 1, 'no message')
    expect(resets).toEqual([])
    deaf()
    await server.kill()
    await until(() => resets.length === 1, 'the loss went unnoticed')
    await server.start()
    await until(() => resets.length === 2, 'the subscriber did not come back')
    expect(resets).toEqual(['lost', 'back'])
    await redis.ready()
    expect(await redis.commands.call('PUBLISH', 'tide', 'two')).toBe(1)
    await until(() => seen.length === 2, 'no message after the loss')
    await end()
    expect(await redis.commands.call('PUBLISH', 'tide', 'three')).toBe(0)
    expect(seen).toEqual(['one', 'two'])
    await redis.close()
    expect(resets).toEqual(['lost', 'back', 'lost'])
  })

  it('notices that the server it listens to hangs', async () => {
    await using server = await startRedis({ own: true })
    const options = { commandTimeoutMs: 150, connectTimeoutMs: 150, reconnectMaxMs: 20 }
    await using redis = connectRedis({ url: server.url, ...options })
    const subscriber = redis.subscriber()
    await subscriber.subscribe('tide', () => undefined)
    server.pause()
    await until(() => subscriber.state === 'reconnecting', 'the silence went unnoticed')
    server.resume()
    await until(() => subscriber.state === 'ready', 'the subscriber did not come back')
    expect(await server.command('PUBLISH', 'tide', 'flow')).toBeGreaterThan(0)
  })

  it('takes a server for dead that lets a read wait for longer than it may', async () => {
    await using server = await startRedis({ own: true })
    await using redis = connectRedis({ url: server.url, commandTimeoutMs: 100 })
    const blocking = redis.blocking({ maxBlockMs: 100 })
    await blocking.call('PING')
    server.pause()
    await expect(blocking.call('BLPOP', 'queue', 0.1)).rejects.toMatchObject({
      code: 'interrupted',
    })
    server.resume()
    expect(await blocking.call('PING')).toBe('PONG')
  })

  it('reads that wait hold up no command, and close at once', async () => {
    await using server = await startRedis({ own: true })
    await using redis = connectRedis({ url: server.url, maxConnections: 2 })
    const blocking = redis.blocking()
    const popped = blocking.call('BLPOP', 'queue', 5)
    await redis.commands.call('RPUSH', 'queue', 'x')
    expect(await popped).toEqual(['queue', 'x'])
    expect(() => redis.subscriber()).toThrow('maxConnections is 2')
    const abandoned = blocking.call('BLPOP', 'queue', 5)
    const interrupted = expect(abandoned).rejects.toMatchObject({ code: 'interrupted' })
    await until(() => blocking.state === 'ready', 'not ready')
    await blocking.close()
    await interrupted
    expect(redis.subscriber().state).toBe('idle')
  })

  it('answers what is under way before it closes, and refuses what comes later', async () => {
    await using server = await startRedis({ own: true })
    const redis = connectRedis({ url: server.url })
    await redis.ready()
    const last = redis.commands.call('SET', 'last', 'word')
    await redis.close()
    expect(await last).toBe('OK')
    await expect(redis.commands.call('PING')).rejects.toThrow('is closed')
    expect(() => redis.blocking()).toThrow('closed')
    const clients = String(await server.command('CLIENT', 'LIST'))
    expect(clients).not.toContain('tidegate')
    await redis.close()
  })
})

describe('connectRedis over TLS', () => {
  it('trusts the authority it is given, and no other', async () => {
    await using server = await startRedis({ tls: true, password: 's3cret' })
    const ca = server.certificates?.ca ?? ''
    await using redis = connectRedis({ url: server.url, tls: { ca } })
    expect(await redis.commands.call('PING')).toBe('PONG')
    await using other = await makeCertificates()
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    try {
      for (const tls of [{ ca: other.ca }, true, { ca, servername: 'redis.example' }] as const) {
        await using wary = connectRedis({ url: server.url, tls })
        await expect(wary.ready()).rejects.toMatchObject({ code: 'tls_failed' })
      }
    } finally {
      vi.unstubAllEnvs()
    }
    const plain = server.url.replace('rediss', 'redis')
    await using deaf = connectRedis({ url: plain, connectTimeoutMs: 300 })
    await expect(deaf.ready()).rejects.toMatchObject({ code: 'connection_failed' })
  })

  it('shows its own certificate to a server that asks for one', async () => {
    await using server = await startRedis({ tls: true })
    await server.command('CONFIG', 'SET', 'tls-auth-clients', 'yes')
    const { ca = '', cert = '', key = '' } = server.certificates ?? {}
    await using redis = connectRedis({
      url: server.url,
      tls: { ca, cert, key: { reveal: () => key } },
    })
    expect(await redis.commands.call('PING')).toBe('PONG')
    await using stranger = connectRedis({ url: server.url, tls: { ca }, connectTimeoutMs: 500 })
    // TLS 1.3 tells a client after it has finished, and the reset of the connection may overtake that.
    const code = expect.stringMatching(/^(tls|connection)_failed$/)
    await expect(stranger.ready()).rejects.toMatchObject({ code })
  })
})

describe('redisSettingsFromEnv', () => {
  it('makes options that connect', async () => {
    await using server = await startRedis({ tls: true, password: 's3cret' })
    const settings = redisSettingsFromEnv({
      REDIS_URL: `redis://127.0.0.1:${server.port}/2`,
      REDIS_PASSWORD: 's3cret',
      REDIS_USE_SSL: 'true',
      REDIS_CA_CERT_PATH: server.certificates?.caFile,
      REDIS_TIMEOUT: '1.5',
    })
    expect(settings).toMatchObject({ commandTimeoutMs: 1_500 })
    await using redis = connectRedis(settings ?? {})
    expect(await redis.commands.call('CLIENT', 'INFO')).toContain('db=2')
  })

  it('takes the server that REDIS_URL names', async () => {
    await using server = await startRedis()
    await using redis = connectRedis(redisSettingsFromEnv({ REDIS_URL: server.url }) ?? {})
    expect(await redis.commands.call('PING')).toBe('PONG')
    expect(redis.where).toContain(`:${server.port}`)
  })
})
