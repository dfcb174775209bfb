import { freePort, type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  adminKey,
  ask,
  gatewayOf,
  healthOf,
  type UpstreamHealth,
  upstreamAt,
} from './gateway-of.ts'

let main: Provider
let backup: Provider
let gateway: RunningGateway
let deadPort: number

beforeAll(async () => {
  main = await startProvider()
  backup = await startProvider()
  deadPort = await freePort()
  const dead = { url: `http://127.0.0.1:${deadPort}` }
  const common = { breaker: 'off', retry: { retries: 1 } }
  gateway = await gatewayOf(
    {
      main: upstreamAt([{ url: main.url, weight: 2, apiKey: 'sk-secret-of-main' }], common),
      backup: upstreamAt([backup], common),
      mixed: upstreamAt([dead, backup], { breaker: { failures: 1, openFor: '1m' } }),
    },
    {
      route: { upstreams: ['main', 'backup'] },
      routes: [{ match: '/mixed/**', upstreams: ['mixed'], stripPrefix: '/mixed' }],
    },
  )
})
afterEach(() => {
  for (const provider of [main, backup]) provider.always({}).reset()
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  for (const provider of [main, backup]) await provider[Symbol.asyncDispose]()
})

interface Failed {
  readonly request_id: string
  readonly timeline: ReadonlyArray<Readonly<Record<string, unknown>>>
}

async function failuresOf(id: string): Promise<readonly Failed[]> {
  const { failures } = await healthOf<{ failures: readonly Failed[] }>(gateway, 'failures')
  return failures.filter(({ request_id: each }) => each === id)
}

const named = (id: string) => ({ 'x-request-id': id })

describe('GET /health/upstreams', () => {
  it('shows each endpoint with its breaker, its pace and what it failed with', async () => {
    for (let i = 0; i < 25; i += 1) await ask(gateway)
    main.next({ status: 503 })
    await ask(gateway)
    // Until the one that is not there has been met.
    for (let met = false; !met; ) {
      met = (await ask(gateway, { path: '/mixed/v1/chat/completions' })).attempts === 2
    }
    type All = { upstreams: Record<string, UpstreamHealth> }
    const { upstreams } = await healthOf<All>(gateway, 'upstreams')
    expect(upstreams.main).toMatchObject({
      ...{ protocol: 'openai', pending: 0, queued: 0, attempts: 27, failed: 1 },
      last_failure: 'status_503',
      endpoints: [
        {
          ...{ name: 'main', endpoint: new URL(main.url).host, weight: 2, breaker: 'off' },
          ...{ attempts: 27, failed: 1, malformed_events: 0, last_failure: 'status_503' },
          latency_ms: { p50: expect.any(Number), p95: expect.any(Number) },
        },
      ],
    })
    expect(upstreams.mixed).toMatchObject({ status: 'degraded' })
    expect(upstreams.mixed?.endpoints).toMatchObject([
      { breaker: 'open', probe_in_ms: expect.any(Number), last_failure: 'upstream_unreachable' },
      { breaker: 'closed', status: 'healthy' },
    ])
    expect(JSON.stringify(upstreams)).not.toContain('sk-secret')
  })

  it('counts events that were passed on although they are no JSON', async () => {
    main.always({ insert: [{ before: 2, bytes: 'data: {"half":\n\n' }] })
    const answer = await ask(gateway, { stream: true })
    expect(answer.text).toContain('data: {"half":\n\n')
    expect(answer.text).toMatch(/\[DONE\]\n\n$/)
    expect(main.hits).toBe(1)
    const { endpoints } = await healthOf<UpstreamHealth>(gateway, 'main')
    expect(endpoints[0]?.malformed_events).toBe(1)
  })

  it.each(['upstreams', 'failures'])('and /health/%s are for operators only', async () => {
    for (const component of ['upstreams', 'failures']) {
      const url = `${gateway.url}/health/${component}`
      expect((await fetch(url)).status).toBe(401)
      const headers = { 'x-admin-key': adminKey }
      expect((await fetch(url, { headers, method: 'POST' })).status).toBe(405)
      expect((await fetch(url, { headers })).headers.get('cache-control')).toBe('no-store')
    }
  })
})

describe('GET /health/failures', () => {
  it('tells what was tried for a request that failed', async () => {
    main.always({ status: 503 })
    backup.always({ fault: { kind: 'reset', at: 'before-headers' } })
    const answer = await ask(gateway, { headers: named('failed-everywhere') })
    expect([answer.status, answer.attempts]).toEqual([502, 4])
    const [failure, ...others] = await failuresOf('failed-everywhere')
    expect(others).toEqual([])
    expect(failure).toMatchObject({
      ...{ method: 'POST', path: '/v1/chat/completions', route: '/**', upstream: 'backup' },
      ...{ code: 'upstream_reset', attempts: 4, duration_ms: expect.any(Number) },
    })
    const kinds = failure?.timeline.map(({ kind, attempt, reason, endpoint }) =>
      kind === 'wait' ? kind : [kind, attempt, reason, endpoint],
    )
    expect(kinds).toEqual([
      ['failure', 1, 'status_503', 'main'],
      'wait',
      ['failure', 2, 'status_503', 'main'],
      ['failure', 3, 'upstream_reset', 'backup'],
      'wait',
      ['failure', 4, 'upstream_reset', 'backup'],
    ])
    expect([main.hits, backup.hits]).toEqual([2, 2])
  })

  it('lists no request that was answered in the end', async () => {
    main.next({ status: 503 })
    expect((await ask(gateway, { headers: named('well-in-the-end') })).status).toBe(200)
    expect(await failuresOf('well-in-the-end')).toEqual([])
  })

  it('lists a stream that broke once', async () => {
    main.always({ fault: { kind: 'reset', at: { events: 3 } } })
    await ask(gateway, { stream: true, headers: named('broke-off') })
    const listed = await failuresOf('broke-off')
    expect(listed).toMatchObject([{ code: 'stream_interrupted', attempts: 1 }])
  })

  it('keeps the last hundred', async () => {
    for (const provider of [main, backup]) {
      provider.always({ status: 503, headers: { 'x-should-retry': 'false' } })
    }
    for (let i = 0; i < 105; i += 1) await ask(gateway, { headers: named(`one-of-many-${i}`) })
    const { failures } = await healthOf<{ failures: readonly Failed[] }>(gateway, 'failures')
    expect(failures.length).toBeLessThanOrEqual(100)
  })
})

describe('an answer’s headers', () => {
  it('say who answered, after how many attempts, and where the time went', async () => {
    main.always({ status: 503 })
    const { headers } = await ask(gateway)
    expect(headers.get('x-tidegate-upstream')).toBe('backup')
    expect(headers.get('x-tidegate-attempts')).toBe('3')
    const timing = headers.get('server-timing') ?? ''
    for (const name of ['gateway', 'upstream', 'attempt-1', 'attempt-2']) {
      expect(timing).toMatch(new RegExp(`(^|, )${name};dur=`))
    }
    expect(timing).not.toContain('attempt-3')
    expect([main.hits, backup.hits]).toEqual([2, 1])
  })

  it('never name an address', async () => {
    main.always({ status: 503 })
    const { headers, text } = await ask(gateway)
    const all = `${[...headers].join('\n')}${text}`
    for (const { port } of [main, backup]) expect(all).not.toContain(`:${port}`)
  })
})
