import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EventListener, type Told } from './event-listener.fixture.ts'
import {
  admin,
  adminKey,
  type StreamingGateway,
  streamingGateway,
} from './streaming-gateway.fixture.ts'

let gateway: StreamingGateway

beforeEach(async () => {
  gateway = await streamingGateway()
})
afterEach(() => gateway[Symbol.asyncDispose]())

const ask = (path: string, init: RequestInit = {}) =>
  fetch(gateway.url + path, { ...init, headers: { ...admin, ...init.headers } })

const publish = (body: unknown) =>
  ask('/metrics', {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

interface Page {
  readonly metrics: readonly Readonly<Record<string, unknown>>[]
  readonly next: string | null
}

const read = async (query = ''): Promise<Page> =>
  (await ask(`/metrics/published${query}`)).json() as Promise<Page>

const problemOf = async (response: Response) => {
  const { code, detail } = (await response.json()) as { code: string; detail: string }
  return { status: response.status, code, detail }
}

describe('POST /metrics', () => {
  it('takes one metric or several into the stream and the history, and says how many', async () => {
    const one = await publish({ name: 'shop.carts', value: 3, tags: { region: 'eu' } })
    expect([one.status, await one.json()]).toEqual([202, { accepted: 1 }])
    const two = await publish([
      { name: 'shop.carts', value: 5 },
      { name: 'shop.orders', value: 1 },
    ])
    expect(await two.json()).toEqual({ accepted: 2 })
    const answer = await read()
    expect(answer).toMatchObject({ window_seconds: 300, gap: false, next: null })
    expect(answer.metrics).toMatchObject([
      { name: 'shop.carts', value: 3, tags: { region: 'eu' } },
      { name: 'shop.carts', value: 5, tags: {} },
      { name: 'shop.orders', value: 1 },
    ])
    const names = await gateway.history.names()
    expect(names.map(({ metric }) => metric)).toEqual(['shop.carts', 'shop.orders'])
  })

  it('says how many the history keeps, where it has no room for more names', async () => {
    const many = Array.from({ length: 600 }, (_, at) => ({ name: `m${at}`, value: at }))
    expect(await (await publish(many)).json()).toEqual({ accepted: 600, kept: 500 })
    expect((await read()).metrics).toHaveLength(600)
    expect(await (await publish({ name: 'm0', value: 1 })).json()).toEqual({ accepted: 1 })
  })

  it('takes all of them or none, and says which one is wrong', async () => {
    const refused = await publish([
      { name: 'a', value: 1 },
      { name: 'b', value: 'CANARY'.repeat(100) },
    ])
    const { detail, ...problem } = await problemOf(refused)
    expect(problem).toEqual({ status: 400, code: 'invalid_metric' })
    expect(detail).toMatch(/^Metric \[1\]: The value of b is "CANARY/)
    expect(detail.length).toBeLessThan(300)
    expect((await read()).metrics).toEqual([])
    expect(await gateway.history.names()).toEqual([])
  })

  it('refuses a body that is too large, whatever it says of its length', async () => {
    const large = `[${' '.repeat(1024 ** 2)}]`
    expect((await publish(large)).status).toBe(413)
    const chunked = await ask('/metrics', {
      method: 'POST',
      body: new Blob([large]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(chunked.status).toBe(413)
  })

  it('is for operators, as all of them', async () => {
    for (const [method, path] of [
      ['POST', '/metrics'],
      ['GET', '/metrics/stream'],
      ['GET', '/metrics/published'],
    ] as const) {
      expect((await fetch(gateway.url + path, { method })).status).toBe(401)
    }
    expect(JSON.stringify(gateway.lines)).not.toContain(adminKey)
  })

  it('lets code of the gateway publish as well', async () => {
    await gateway.streams.publishMetric('jobs.done', 2, { kind: 'nightly' })
    const { metrics } = await read('?metric=jobs.done')
    expect(metrics).toMatchObject([{ name: 'jobs.done', value: 2, tags: { kind: 'nightly' } }])
    const wrong = gateway.streams.publishMetric('jobs done', 2)
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_metric' })
  })
})

describe('GET /metrics/published', () => {
  it('gives a window of the stream, in pages, of the metrics asked for', async () => {
    const many = Array.from({ length: 1_000 }, (_, at) => ({ name: `m${at % 2}`, value: at }))
    await publish(many)
    await publish({ name: 'm0', value: 1_000 })
    const first = await read('?metric=m0&window=1m')
    expect(first.metrics).toHaveLength(500)
    const rest = await read(`?after=${first.next}`)
    expect(rest).toMatchObject({ metrics: [{ value: 1_000 }], next: null })
  })

  it.each(['window=x', 'after=x', 'after=1-1-1', `metric=${'x'.repeat(200)}`])(
    'refuses %j',
    async (query) => {
      const refused = await ask(`/metrics/published?${query}`)
      expect(await problemOf(refused)).toMatchObject({ status: 400, code: 'invalid_metrics_query' })
    },
  )

  it('refuses other methods', async () => {
    for (const path of ['/metrics/published', '/metrics/stream']) {
      const refused = await ask(path, { method: 'DELETE' })
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
  })

  it('leaves out what others have put into the stream', async () => {
    const { log } = gateway.streams.published
    for (const text of ['{', 'null', '7', '{"name":1}', '']) await log.append(text)
    await publish({ name: 'a', value: 1 })
    for (const query of ['', '?metric=a']) {
      expect((await read(query)).metrics).toMatchObject([{ name: 'a', value: 1 }])
    }
    const last = (await read()).metrics[0]?.id
    await log.append('{')
    await publish({ name: 'a', value: 2 })
    const url = `${gateway.url}/metrics/published?lastEventId=${last}`
    await using listener = new EventListener(url, 'metric')
    await listener.until((told) => told.length > 0)
    expect(listener.told).toMatchObject([{ type: 'metric', data: { value: 2 } }])
  })

  it('tells a client of events what is published, from where it was', async () => {
    await publish({ name: 'a', value: 1 })
    const { metrics } = await read()
    await publish({ name: 'b', value: 2 })
    await using listener = new EventListener(
      `${gateway.url}/metrics/published?metric=a&lastEventId=${metrics[0]?.id}`,
      'metric',
    )
    await listener.until(() => listener.opened === 1)
    await publish({ name: 'a', value: 3, tags: { x: 'y' } })
    await listener.until((told) => told.length === 1)
    expect(listener.told).toMatchObject([
      { type: 'metric', data: { name: 'a', value: 3, tags: { x: 'y' } } },
    ])
  })
})

describe('GET /metrics/stream', () => {
  const measure = (): void => gateway.history.sample({ 'requests.rate': 1, 'errors.rate': 0 })
  const samples = (told: readonly Told[]) => told.filter(({ type }) => type === 'sample')

  it('tells a sample each second, of the metrics asked for, and what else there is', async () => {
    await using listener = new EventListener(
      `${gateway.url}/metrics/stream?metric=requests.rate`,
      'sample',
      'anomaly',
    )
    await listener.until((told) => told.length === 2, measure)
    gateway.streams.tell('anomaly', { metric: 'errors.rate' })
    gateway.streams.tell('anomaly', { metric: 'requests.rate' })
    await listener.until((told) => told.some(({ type }) => type === 'anomaly'))
    const [first, second] = listener.told
    expect(first).toMatchObject({ type: 'sample', data: { values: { 'requests.rate': 1 } } })
    expect(Object.keys(first?.data.values ?? {})).toEqual(['requests.rate'])
    expect(Number(second?.data.t) % 1_000).toBe(0)
    expect(first?.id).toBe(`${first?.data.t}-0`)
    const anomalies = listener.told.filter(({ type }) => type === 'anomaly')
    expect(anomalies).toMatchObject([{ data: { metric: 'requests.rate' } }])
  })

  it('lets a client that was cut off go on where it was, also at another gateway', async () => {
    const path = `${gateway.url}/metrics/stream?metric=requests.rate`
    await using listener = new EventListener(path, 'sample')
    await listener.until((told) => samples(told).length === 2, measure)
    const { port } = new URL(gateway.url)
    await gateway[Symbol.asyncDispose]()
    gateway = await streamingGateway({ port: Number(port) })
    // What there was meanwhile, as it would be known from Redis.
    const last = Number(listener.told.at(-1)?.data.t)
    const second = Math.floor(Date.now() / 1_000) * 1_000
    for (let t = last; t < second; t += 1_000) gateway.history.record('requests.rate', 1, { at: t })
    await listener.until((told) => samples(told).length >= 5, measure)
    expect(listener.opened).toBe(2)
    expect(listener.told.map(({ type }) => type)).not.toContain('gap')
    const times = listener.told.map(({ data }) => Number(data.t))
    expect(new Set(times).size).toBe(times.length)
  })

  it('is ended well when the gateway begins to shut down, also for who comes after that', async () => {
    const response = await ask('/metrics/stream')
    gateway.streams.end()
    const retries = (await response.text()).match(/^retry: \d+$/gm)
    expect(retries?.length).toBe(2)
    expect(await (await ask('/metrics/stream')).text()).toMatch(/^retry: /)
  })

  it('has its readers come back, and say again who they are', async () => {
    await using brief = await streamingGateway({ turnMs: 1 })
    for (const path of ['/metrics/stream', '/metrics/published']) {
      const headers = { ...admin, accept: 'text/event-stream' }
      const response = await fetch(brief.url + path, { headers })
      expect((await response.text()).match(/^retry: \d+$/gm)?.length).toBe(2)
    }
  })

  it('answers HEAD without following anything', async () => {
    const response = await ask('/metrics/stream', { method: 'HEAD' })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
  })
})

describe('a gateway without a history', () => {
  it('says so', async () => {
    await using without = await streamingGateway({ history: 'off' })
    const response = await fetch(`${without.url}/metrics/stream`, { headers: admin })
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'no_route' })
  })
})
