import {
  type Provider,
  pollUntil,
  type RedisServer,
  type RunningGateway,
  startGateway,
  startProvider,
  startRedis,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, handlesOf } from './asking.ts'

const [ada, eve] = ['ada-key-0123456789', 'eve-key-0123456789']
const sessionsPath = '/api/v1/sessions'

let provider: Provider
let redis: RedisServer
let one: RunningGateway
let two: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  redis = await startRedis({ own: true })
  const config = {
    version: 1,
    redis: { url: redis.url },
    sessions: { max: 2, ttl: '10m' },
    upstreams: { service: { protocol: 'http', endpoints: [{ url: provider.url }] } },
    routes: [{ match: '/**', upstreams: ['service'] }],
    auth: {
      keys: [
        { id: 'ada', key: ada },
        { id: 'eve', key: eve },
      ],
    },
  }
  const started = await Promise.all([startGateway({ config }), startGateway({ config })])
  one = started[0]
  two = started[1]
})

afterAll(async () => {
  await one?.[Symbol.asyncDispose]()
  await two?.[Symbol.asyncDispose]()
  await redis?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

describe('two gateways over one Redis', () => {
  it('let a user have as many sessions as one gateway would', async () => {
    const asked = Array.from({ length: 12 }, (_, at) =>
      ask(at % 2 === 0 ? one : two, '/echo/x', { key: ada, session: `session-${at}` }),
    )
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(2)
    expect(statuses.filter((status) => status === 429)).toHaveLength(10)
    const listed = await ask(one, sessionsPath, { key: ada })
    expect(handlesOf(listed)).toHaveLength(2)
    expect((await ask(two, sessionsPath, { key: ada })).body).toEqual(listed.body)
  })

  it('both refuse what one of them ended, the other within a second', async () => {
    const { body } = await ask(one, sessionsPath, { method: 'POST', key: eve })
    const session = String(body?.id)
    expect((await ask(two, '/echo/x', { key: eve, session })).status).toBe(200)
    await ask(one, `${sessionsPath}/${body?.handle}`, { method: 'DELETE', key: eve })
    expect((await ask(one, '/echo/x', { key: eve, session })).status).toBe(401)
    await pollUntil(async () => (await ask(two, '/echo/x', { key: eve, session })).status === 401, {
      timeoutMs: 5_000,
      describe: () => 'the other gateway lets the ended session in',
    })
  })

  it('keep no id and no name of a user in Redis', async () => {
    const keys = (await redis.command('KEYS', '*:sessions:*')) as readonly string[]
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) {
      expect(key).toMatch(/:sessions:1:\{[\w-]{22}\}$/)
      expect(JSON.stringify(await redis.command('HGETALL', key))).not.toContain('session-')
      expect(Number(await redis.command('PTTL', key))).toBeGreaterThan(0)
    }
  })
})

describe('a gateway whose Redis hangs', () => {
  it('lets requests pass, says so once, and counts again when it is back', async () => {
    redis.pause()
    try {
      for (let at = 0; at < 5; at += 1) {
        expect((await ask(one, '/echo/x', { key: ada, session: `new-${at}` })).status).toBe(200)
      }
      const lost = ({ message }: { message?: unknown }) =>
        /^sessions unavailable/.test(String(message))
      await one.waitForLog(lost)
      expect(one.logs.filter(lost)).toHaveLength(1)
      const open = await ask(one, sessionsPath, { method: 'POST', key: eve })
      expect([open.status, open.body?.code]).toEqual([503, 'sessions_unavailable'])
    } finally {
      redis.resume()
    }
    await pollUntil(
      async () => (await ask(one, '/echo/x', { key: ada, session: 'one-more' })).status === 429,
      { timeoutMs: 20_000, describe: () => 'sessions are not counted again' },
    )
    await one.waitForLog(({ message }) => message === 'sessions are counted again')
  })
})
