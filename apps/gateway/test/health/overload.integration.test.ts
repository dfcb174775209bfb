import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Provider,
  pollUntil,
  type RunningGateway,
  startGateway,
  startProvider,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const adminKey = 'admin-of-the-overload'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await startGateway({
    config: {
      version: 1,
      admin: { key: adminKey },
      upstreams: {
        up: { protocol: 'openai', retry: 'off', endpoints: [{ url: `${provider.url}/v1` }] },
      },
      routes: [{ match: '/v1/**', upstreams: ['up'], auth: 'none' }],
      health: { shedding: { maxDelay: '100ms' } },
    },
  })
})
afterAll(async () => {
  gateway?.signal('SIGCONT')
  for (const each of [gateway, provider]) await each?.[Symbol.asyncDispose]()
})

const get = (path: string): Promise<Response> => fetch(gateway.url + path)
const own = ['/livez', '/readyz', '/health'] as const
const BLOCK_MS = 400

/** Nothing of the process runs for so long: to it, its event loop was blocked. */
async function block(): Promise<void> {
  gateway.signal('SIGSTOP')
  await sleep(BLOCK_MS)
  gateway.signal('SIGCONT')
}

/** What is asked for behind the block, until some of it is refused. */
async function untilShed(): Promise<Response> {
  let shed: Response | undefined
  await pollUntil(
    async () => {
      await block()
      for (let round = 0; round < 5 && shed === undefined; round += 1) {
        const asked = [...Array(10).keys()].map(() => get('/v1/models'))
        const [answers, owns] = await Promise.all([Promise.all(asked), Promise.all(own.map(get))])
        expect(owns.map(({ status }) => status)).toEqual([200, 200, 200])
        shed = answers.find(({ status }) => status === 503)
        const others = answers.filter((each) => each.status !== 503 && each.status !== 200)
        expect(others).toEqual([])
      }
      return shed !== undefined
    },
    { timeoutMs: 60_000, describe: () => 'nothing was refused' },
  )
  if (shed === undefined) throw new Error('nothing was refused')
  return shed
}

describe('a gateway whose event loop is blocked', () => {
  it('does not answer its liveness probe meanwhile, and does afterwards', async () => {
    await get('/livez')
    gateway.signal('SIGSTOP')
    let answered = false
    const probe = get('/livez').finally(() => {
      answered = true
    })
    await sleep(BLOCK_MS)
    expect(answered).toBe(false)
    gateway.signal('SIGCONT')
    expect((await probe).status).toBe(200)
  })

  it('refuses some requests with words, none of its own endpoints’, and then none', async () => {
    const shed = await untilShed()
    expect(Number(shed.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(shed.headers.get('x-should-retry')).toBe('true')
    expect(await shed.json()).toMatchObject({ status: 503, error: { code: 'overloaded' } })
    await gateway.waitForLog(({ message }) => String(message).startsWith('too much to do'))
    const hits = provider.hits
    await pollUntil(
      async () => {
        const answers = await Promise.all([...Array(20).keys()].map(() => get('/v1/models')))
        return answers.every(({ status }) => status === 200)
      },
      { timeoutMs: 60_000, describe: () => 'requests are refused on and on' },
    )
    expect(provider.hits).toBeGreaterThanOrEqual(hits + 20)
    const headers = { 'x-admin-key': adminKey }
    const answer = await fetch(`${gateway.url}/health/advanced`, { headers })
    expect(await answer.json()).toMatchObject({
      shedding: { refused: { event_loop_delay: expect.any(Number) } },
    })
  }, 120_000)
})
