import { isDeepStrictEqual } from 'node:util'
import {
  canary,
  findCanaries,
  type MongoLookalike,
  type PineconeLookalike,
  pollUntil,
  type RunningGateway,
  startGateway,
  startMongoLookalike,
  startPineconeLookalike,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const adminKey = canary('admin')
const apiKey = canary('pinecone')
const password = canary('mongodb')

let mongo: MongoLookalike
let pinecone: PineconeLookalike
let gateway: RunningGateway

beforeAll(async () => {
  mongo = await startMongoLookalike({ delayMs: 900 })
  pinecone = await startPineconeLookalike({ apiKey, delayMs: 900 })
  const limits = { timeout: '2s', slow: '600ms' }
  gateway = await startGateway({
    config: {
      version: 1,
      admin: { key: adminKey },
      upstreams: { up: { protocol: 'http', endpoints: [{ url: pinecone.url }] } },
      routes: [{ match: '/**', upstreams: ['up'], auth: 'none' }],
      health: {
        interval: '150ms',
        checks: {
          store: { mongodb: mongoUri(), critical: true, ...limits },
          // It takes the place of the variable's, which would ask Pinecone itself.
          pinecone: {
            pinecone: `\${PINECONE_API_KEY}`,
            url: pinecone.url,
            index: 'tide',
            ...limits,
          },
          page: { url: `${pinecone.url}/?key=${apiKey}`, expectStatus: 401 },
        },
      },
    },
    env: { PINECONE_API_KEY: apiKey, MONGODB_URI: mongoUri() },
  })
})
afterAll(async () => {
  for (const each of [gateway, mongo, pinecone]) await each?.[Symbol.asyncDispose]()
})

const mongoUri = () => `mongodb://ada:${password}@127.0.0.1:${mongo.port}/`

interface Result {
  readonly status: string
  readonly error?: { readonly code: string; readonly message: string }
  readonly latency_ms: number
  readonly checked_at: string
}

async function ask(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(gateway.url + path, { headers })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
}

const componentOf = async (name: string): Promise<Result> =>
  (await ask(`/health/${name}`, { 'x-admin-key': adminKey })).json

/** Waits until a component is so, and says why; damping lets it take a few looks. */
async function becomes(name: string, status: string, code?: string): Promise<Result> {
  let last: Result | undefined
  await pollUntil(
    async () => {
      last = await componentOf(name)
      return last.status === status && last.error?.code === code
    },
    { timeoutMs: 60_000, describe: () => `${name} is ${JSON.stringify(last)}` },
  )
  if (last === undefined) throw new Error('nobody was asked')
  return last
}

/** Waits until an endpoint for everybody says so: what else is checked has its own time. */
async function tells(path: string, status: number, expected: object): Promise<void> {
  let last: Awaited<ReturnType<typeof ask>> | undefined
  await pollUntil(
    async () => {
      last = await ask(path)
      return last.status === status && isDeepStrictEqual(last.json, expected)
    },
    { timeoutMs: 60_000, describe: () => `${path} says ${last?.status} ${last?.text}` },
  )
}

describe('a check of MongoDB', () => {
  it.each([
    ['refuse', 'unhealthy', 'ECONNREFUSED'],
    ['deaf', 'unhealthy', 'timeout'],
    ['wrong', 'unhealthy', 'wrong_protocol'],
    ['error', 'unhealthy', 'mongodb_11600'],
    ['slow', 'degraded', 'slow'],
  ] as const)('tells one that is there but for: %s', async (mode, status, code) => {
    await mongo.behave(mode)
    await becomes('store', status, code)
    await mongo.behave('up')
    const { latency_ms, checked_at } = await becomes('store', 'healthy')
    expect([latency_ms, Date.parse(checked_at)]).toEqual([expect.any(Number), expect.any(Number)])
  })
})

describe('a check of Pinecone', () => {
  it.each([
    ['refuse', 'unhealthy', 'ECONNREFUSED'],
    ['deaf', 'unhealthy', 'timeout'],
    ['wrong', 'unhealthy', 'unexpected_body'],
    ['error', 'unhealthy', 'unexpected_status'],
    ['unready', 'unhealthy', 'index'],
    ['slow', 'degraded', 'slow'],
  ] as const)('tells one that is there but for: %s', async (mode, status, code) => {
    await pinecone.behave(mode)
    await becomes('pinecone', status, code)
    await pinecone.behave('up')
    await becomes('pinecone', 'healthy')
  })
})

describe('a critical check', () => {
  it('turns readiness red and green again, and hides who it is from strangers', async () => {
    await becomes('store', 'healthy')
    await becomes('mongodb', 'healthy')
    await tells('/readyz', 200, { status: 'ready' })
    await mongo.behave('refuse')
    await becomes('store', 'unhealthy', 'ECONNREFUSED')
    await tells('/readyz', 503, { status: 'not_ready', failing: ['checks'] })
    const health = await ask('/health')
    expect([health.status, health.json.status]).toEqual([503, 'unhealthy'])
    expect((await ask('/livez')).status).toBe(200)
    // It is for a balancer to decide: whoever comes is served.
    expect((await ask('/indexes', { 'api-key': apiKey })).status).toBe(200)
    await mongo.behave('up')
    await becomes('store', 'healthy')
    await tells('/readyz', 200, { status: 'ready' })
  })
})

describe('any other check', () => {
  it('makes the whole degraded, and not unready', async () => {
    await becomes('store', 'healthy')
    await pinecone.behave('unready')
    await becomes('pinecone', 'unhealthy', 'index')
    await tells('/readyz', 200, { status: 'ready', degraded: ['checks'] })
    expect((await ask('/health')).json).toMatchObject({ status: 'degraded' })
    await pinecone.behave('up')
    await becomes('pinecone', 'healthy')
  })
})

describe('what is told', () => {
  it('is in the form that monitors read, if they ask for it', async () => {
    await tells('/readyz', 200, { status: 'ready' })
    const form = { accept: 'application/health+json' }
    const summary = await ask('/health', form)
    expect(summary.headers.get('content-type')).toBe('application/health+json')
    expect(summary.json).toEqual({ status: 'pass', version: expect.any(String) })
    const all = await ask('/health/components', { ...form, 'x-admin-key': adminKey })
    expect(all.json.checks.store).toMatchObject([
      { componentId: 'store', status: 'pass', observedUnit: 'ms', time: expect.any(String) },
    ])
    expect((await ask('/health/components', form)).status).toBe(401)
  })

  it('has the figures that dashboards ask for, and why one is missing', async () => {
    await tells('/readyz', 200, { status: 'ready' })
    const { json, status } = await ask('/health/advanced', { 'x-admin-key': adminKey })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      ...{ status: 'healthy', cache_hit_rate: null, task_queue_depth: 0 },
      ...{ memory_usage: expect.any(Number), database_latency: expect.any(Number) },
      reasons: { cache_hit_rate: 'no route keeps answers' },
    })
    expect(json.connected_clients).toBeGreaterThan(0)
    expect(Object.keys(json.components)).toEqual(
      expect.arrayContaining(['process', 'memory', 'disk', 'event_loop', 'connections', 'up']),
    )
    expect((await ask('/health/advanced')).status).toBe(401)
  })

  it('is logged once for each turn, and no secret is in it', async () => {
    const turns = gateway.logs.filter(({ component }) => component === 'store')
    expect(turns[0]).toMatchObject({ level: 'warn', error_code: 'ECONNREFUSED' })
    expect(turns.some(({ message }) => message === 'a component is healthy again')).toBe(true)
    const all = await ask('/health/components', { 'x-admin-key': adminKey })
    expect(findCanaries(`${all.text}${gateway.stdout}${gateway.stderr}`)).toEqual([])
  })
})
