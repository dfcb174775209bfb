import { freePort, makeCertificates, startDeafListener, startRedis } from '@tidegate/testkit'
import { describe, expect, it } from 'vitest'
import type { CheckOptions } from '../../core/component-options.ts'
import { look } from '../looking.fixture.ts'
import { listen } from '../tcp.fixture.ts'
import { listenAsMongo, type Said, standalone } from './mongo.fixture.ts'
import { type MongodbCheckOptions, mongodbCheck } from './mongodb-check.ts'

const at = (...ports: readonly number[]) =>
  `mongodb://ada:hunter2@${ports.map((port) => `127.0.0.1:${port}`).join()}/shop`

const lookAt = (
  uri: string,
  check: CheckOptions = {},
  options: Partial<MongodbCheckOptions> = {},
) => look(mongodbCheck({ uri, ...options }), check)

const primary: Said = { ...standalone, setName: 'rs0' }
const secondary: Said = { isWritablePrimary: false, secondary: true, setName: 'rs0', ok: 1 }

describe('mongodbCheck with a connection string', () => {
  it('says hello, in its own protocol and without credentials, and tells what answers', async () => {
    const heard: Said[] = []
    await using server = await listenAsMongo(
      (command) => {
        heard.push(command)
        return standalone
      },
      { bytewise: true },
    )
    const result = await lookAt(at(server.port))
    expect(result).toMatchObject({
      status: 'healthy',
      details: {
        hosts: { [`127.0.0.1:${server.port}`]: 'standalone' },
        replica_set: null,
        max_wire_version: 25,
      },
    })
    expect(heard).toEqual([{ hello: 1, $db: 'admin' }])
  })

  it('tells that nobody listens, that nobody answers, and that an answer is slow', async () => {
    await using deaf = await startDeafListener()
    await using mute = await listenAsMongo(() => undefined)
    await using server = await listenAsMongo(() => standalone)
    const seen = [
      await lookAt(at(await freePort())),
      await lookAt(at(deaf.port), { timeout: 200 }),
      await lookAt(at(mute.port), { timeout: 200 }),
      await lookAt(at(server.port), { slow: 0 }),
    ]
    expect(seen.map(({ status, error }) => [status, error?.code])).toEqual([
      ['unhealthy', 'ECONNREFUSED'],
      ['unhealthy', 'timeout'],
      ['unhealthy', 'timeout'],
      ['degraded', 'slow'],
    ])
    expect(JSON.stringify(seen)).not.toContain('hunter2')
  })

  it('tells a server that is something else', async () => {
    await using redis = await startRedis()
    await using web = await listen((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await using noise = await listen((socket) => {
      const reply = Buffer.alloc(64, 1)
      reply.writeInt32LE(64, 0)
      socket.end(reply)
    })
    await using broken = await listen((socket) => {
      const reply = Buffer.alloc(30, 1)
      for (const [value, offset] of [
        [30, 0],
        [1, 8],
        [2013, 12],
      ] as const) {
        reply.writeInt32LE(value, offset)
      }
      reply[20] = 0
      socket.end(reply)
    })
    await using closing = await listen((socket) => void socket.end())
    const ports = [web.port, noise.port, broken.port, closing.port]
    const codes = await Promise.all(ports.map(async (port) => (await lookAt(at(port))).error?.code))
    expect(codes).toEqual(['wrong_protocol', 'wrong_protocol', 'wrong_protocol', 'closed'])
    const seen = await lookAt(at(redis.port), { timeout: '500ms' })
    expect(['wrong_protocol', 'closed', 'timeout']).toContain(seen.error?.code)
  })

  it('tells an answer that is an error', async () => {
    await using server = await listenAsMongo(() => ({ ok: 0, code: 59, errmsg: 'hunter2' }))
    const { status, error } = await lookAt(at(server.port))
    expect([status, error]).toEqual([
      'unhealthy',
      { code: 'mongodb_59', message: 'The server answered hello with an error.' },
    ])
  })

  it('looks at every member, and waits for none longer than its time', async () => {
    await using one = await listenAsMongo(() => primary)
    await using other = await listenAsMongo(() => secondary)
    await using mute = await listenAsMongo(() => undefined)
    expect(await lookAt(at(one.port, other.port))).toMatchObject({
      status: 'healthy',
      details: { replica_set: 'rs0' },
    })
    const missing = await lookAt(at(one.port, mute.port), {}, { memberTimeout: 100 })
    expect(missing).toMatchObject({
      status: 'degraded',
      error: { code: 'member_away', message: `Without an answer: 127.0.0.1:${mute.port}.` },
      details: {
        hosts: { [`127.0.0.1:${one.port}`]: 'primary', [`127.0.0.1:${mute.port}`]: 'timeout' },
      },
    })
    expect((await lookAt(at(other.port))).error?.code).toBe('no_primary')
    await using knowing = await listenAsMongo(() => ({ ...secondary, primary: 'db1:27017' }))
    expect((await lookAt(at(knowing.port))).status).toBe('healthy')
  })

  it('speaks TLS, and believes only the authority it is told to', async () => {
    await using certificates = await makeCertificates()
    const { key, cert } = certificates
    await using server = await listenAsMongo(() => standalone, { tls: { key, cert } })
    const uri = `${at(server.port)}?tls=true`
    const trusting = `${uri}&tlsCAFile=${encodeURIComponent(certificates.caFile)}`
    const seen = [
      await lookAt(uri),
      await lookAt(trusting),
      await lookAt(`${uri}&tlsAllowInvalidCertificates=true`),
      await lookAt(`${uri}&tlsCAFile=nowhere.pem`),
    ]
    expect(seen.map(({ status }) => status)).toEqual([
      ...['unhealthy', 'healthy', 'healthy', 'unhealthy'],
    ])
    expect(seen[3]?.error?.code).toBe('ca_file')
    expect((await lookAt(at(server.port), { timeout: '1s' })).status).toBe('unhealthy')
  })

  it('greets a load balancer as one', async () => {
    await using server = await listenAsMongo((command) =>
      command.loadBalanced === true ? { ...standalone, msg: 'isdbgrid' } : undefined,
    )
    const { details } = await lookAt(`${at(server.port)}?loadBalanced=true`)
    expect(details?.hosts).toEqual({ [`127.0.0.1:${server.port}`]: 'router' })
  })

  it('gives up a DNS that hangs, and tells one that knows no such name', async () => {
    const uri = 'mongodb+srv://ada:hunter2@db.shop.example/'
    const never = () => new Promise<never>(() => undefined)
    const hangs = { resolveSrv: never, resolveTxt: never }
    expect((await lookAt(uri, { timeout: 50 }, { resolver: hangs })).error?.code).toBe('timeout')
    const unknown = Object.assign(new Error('hunter2'), { code: 'ENOTFOUND' })
    const fails = () => Promise.reject(unknown)
    const resolver = { resolveSrv: fails, resolveTxt: fails }
    expect((await lookAt(uri, {}, { resolver })).error?.code).toBe('ENOTFOUND')
  })
})

describe('mongodbCheck with a client', () => {
  it('pings through it, one question at a time', async () => {
    const commands: unknown[] = []
    let answer = Promise.resolve()
    const client = {
      db: (name: string) => ({
        command(command: { ping: 1 }) {
          commands.push([name, command])
          return answer
        },
      }),
    }
    const check = mongodbCheck({ client })
    expect((await look(check)).status).toBe('healthy')
    expect(commands).toEqual([['admin', { ping: 1 }]])
    answer = new Promise(() => undefined)
    for (const _ of [1, 2]) {
      expect((await look(check, { timeout: 20 })).error?.code).toBe('timeout')
    }
    expect(commands).toHaveLength(2)
  })

  it('needs one of client and uri', () => {
    expect(() => mongodbCheck({})).toThrow(/one of client and uri/)
    expect(() => mongodbCheck({ uri: 7 as never })).toThrow()
  })
})
