import { createHash } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ResponseBody } from './call-options.ts'
import { createHttpClient, type HttpClient } from './client.ts'
import type { HttpClientOptions } from './options.ts'
import type { ServerSentEvent } from './sse.ts'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

const clients: HttpClient[] = []
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close({ graceMs: 0 }))))

function clientOf(options: Partial<HttpClientOptions> = {}): HttpClient {
  const retry = { initial: 1, max: 1 }
  const client = createHttpClient({ baseUrls: provider.url, retry, ...options })
  clients.push(client)
  return client
}

async function read(body: ResponseBody): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  )

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const statsOf = (client: HttpClient) => client.stats().endpoints[0]

describe('a stream', () => {
  it('comes as it is, and gives its connection back', async () => {
    const client = clientOf({ connections: 1 })
    const size = 3_000_000
    const whole = await client.get(`/bytes/${size}`, { as: 'bytes' })
    const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    for (let round = 0; round < 3; round++) {
      const { status, headers, body, attempts } = await client.stream(`/bytes/${size}`)
      expect([status, headers['content-length'], attempts]).toEqual([200, String(size), 1])
      expect(statsOf(client)).toMatchObject({ pending: 1 })
      expect(sha(await read(body))).toBe(sha(whole.data ?? Buffer.alloc(0)))
    }
    expect(statsOf(client)).toMatchObject({ pending: 0, connections: { opened: 1 } })
  })

  it('is not read faster than its reader takes it', async () => {
    const client = clientOf()
    const { body } = await client.stream('/bytes/60000000')
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    await sleep(100)
    // What is under way: two kernels' buffers and ours.
    expect(provider.lastRequest.bytesSent).toBeLessThan(30_000_000)
    await iterator.return?.()
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('is repeated as long as nothing of it was handed out', async () => {
    provider.next({ fault: { kind: 'reset', at: 'before-headers' } }, { status: 503 })
    const { body, attempts } = await clientOf().stream('/bytes/10')
    expect([(await read(body)).length, attempts]).toEqual([10, 3])
  })

  it.each([
    ['reset', { fault: { kind: 'reset', at: { bytes: 4000 } } }],
    ['closed', { fault: { kind: 'close', at: { bytes: 4000 } } }],
    ['closed within its last chunk', { framing: 'chunked', fault: { kind: 'close' } }],
    ['reset where its end is the connection’s', { framing: 'close', fault: { kind: 'reset' } }],
  ] as const)('that is %s on its way never looks whole', async (_, behaviour) => {
    provider.next({ body: 'x'.repeat(8000), cut: 1000, ...behaviour })
    const client = clientOf()
    const { body } = await client.stream('/x')
    let bytes = 0
    const reading = (async () => {
      for await (const chunk of body) bytes += chunk.length
    })()
    const error = await failureOf(reading)
    expect(error).toMatchObject({
      code: 'stream_interrupted',
      bytesRead: bytes,
      endpoint: provider.url,
      cause: { code: 'connection_failed' },
      timeline: [{ kind: 'failure', reason: 'stream_interrupted' }],
    })
    expect(statsOf(client)).toMatchObject({ pending: 0, failures: 1 })
  })

  it('that falls silent while its reader waits is interrupted', async () => {
    provider.next({ body: 'x'.repeat(100), fault: { kind: 'stall', at: { bytes: 50 } } })
    const client = clientOf({ timeouts: { idleMs: 150 } })
    const { body } = await client.stream('/x')
    expect(await failureOf(read(body))).toMatchObject({
      code: 'stream_interrupted',
      bytesRead: 50,
      cause: { code: 'timeout', limit: 'idle' },
    })
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('goes on however slow its reader is', async () => {
    const client = clientOf({ timeouts: { idleMs: 100, totalMs: 300 } })
    const { body } = await client.stream('/bytes/400000')
    let bytes = 0
    for await (const chunk of body) {
      if (bytes === 0 || bytes > 300_000) await sleep(200)
      bytes += chunk.length
    }
    expect(bytes).toBe(400_000)
  })

  it('goes on while something comes now and then', async () => {
    provider.next({ body: 'x'.repeat(30), cut: 1, writeDelayMs: 20 })
    const client = clientOf({ timeouts: { idleMs: 300, totalMs: 300 } })
    const { body } = await client.stream('/x')
    expect((await read(body)).length).toBe(30)
  })

  it.each([
    [
      'break',
      async (body: ResponseBody) => {
        for await (const _ of body) break
      },
    ],
    [
      'an error in the loop',
      async (body: ResponseBody) => {
        const loop = async () => {
          for await (const _ of body) throw new Error('of the loop')
        }
        await expect(loop()).rejects.toThrow('of the loop')
      },
    ],
    [
      'return while it waits',
      async (body: ResponseBody) => {
        const iterator = body[Symbol.asyncIterator]()
        await iterator.next()
        const waiting = iterator.next()
        await iterator.return?.()
        expect(await waiting).toEqual({ done: true, value: undefined })
      },
    ],
    ['cancel before it is read', async (body: ResponseBody) => body.cancel()],
  ] as const)('is closed by %s', async (_, leave) => {
    provider.next({ body: 'x'.repeat(10_000), fault: { kind: 'stall', at: { bytes: 10 } } })
    const client = clientOf()
    const { body } = await client.stream('/x')
    await leave(body)
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    expect(statsOf(client)).toMatchObject({ pending: 0, failures: 0 })
    await expect.poll(() => statsOf(client)?.connections.open).toBe(0)
  })

  it('that nobody reads is closed when the time is up, and says so to whoever comes late', async () => {
    const client = clientOf({ timeouts: { totalMs: 300 } })
    const { body } = await client.stream('/bytes/5000000')
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    await expect.poll(() => statsOf(client)?.pending).toBe(0)
    const error = await failureOf(read(body))
    expect(error).toMatchObject({ code: 'stream_interrupted', cause: { limit: 'total' } })
  })

  it('that nobody reads but that is short gives its connection back by itself', async () => {
    const client = clientOf({ connections: 1 })
    const { body } = await client.stream('/bytes/1000')
    await expect.poll(() => statsOf(client)?.pending).toBe(0)
    expect((await read(body)).length).toBe(1000)
    await client.get('/status/200')
    expect(statsOf(client)).toMatchObject({ connections: { open: 1, opened: 1 } })
  })

  it('can be read once', async () => {
    const { body } = await clientOf().stream('/bytes/10')
    await read(body)
    expect(() => body[Symbol.asyncIterator]()).toThrow(TypeError)
  })

  it('can be finished: what is left comes and goes, and the connection is used again', async () => {
    const client = clientOf()
    const { body } = await client.stream('/bytes/2000000')
    body.finish()
    await expect.poll(() => statsOf(client)?.pending).toBe(0)
    expect(await provider.lastRequest.closedEarly).toBeNull()
    provider.next({ body: 'x'.repeat(100), fault: { kind: 'stall', at: { bytes: 50 } } })
    const endless = await client.stream('/x')
    endless.body.finish()
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    expect(statsOf(client)).toMatchObject({ failures: 0, connections: { opened: 1 } })
  })
})

describe('an abort', () => {
  const aborted = { code: 'aborted', cause: new Error('enough') }

  it.each([
    ['before the head', { fault: { kind: 'stall', at: 'before-headers' } }],
    ['within the body', { body: 'x'.repeat(100), fault: { kind: 'stall', at: { bytes: 50 } } }],
    [
      'within an error’s body',
      { status: 500, body: 'xxx', fault: { kind: 'stall', at: { bytes: 1 } } },
    ],
  ] as const)('%s ends the call at once, and the server sees it', async (_, behaviour) => {
    provider.always(behaviour)
    const controller = new AbortController()
    const client = clientOf()
    const call = failureOf(client.get('/x', { signal: controller.signal }))
    const { closedEarly } = await provider.waitForRequest()
    await sleep(20)
    controller.abort(new Error('enough'))
    expect(await call).toMatchObject(aborted)
    expect(await closedEarly).not.toBeNull()
    expect(provider.hits).toBe(1)
    expect(statsOf(client)).toMatchObject({ pending: 0, failures: 0, breaker: 'closed' })
  })

  it('before the call sends nothing', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    const client = clientOf()
    expect(await failureOf(client.get('/x', { signal }))).toMatchObject(aborted)
    expect(await failureOf(client.stream('/x', { signal }))).toMatchObject(aborted)
    expect(provider.hits).toBe(0)
    expect(statsOf(client)?.connections.opened).toBe(0)
  })

  it('while it waits to come back sends nothing further', async () => {
    provider.always({ status: 503 })
    const controller = new AbortController()
    const client = clientOf({ retry: { initial: 10_000, max: 10_000 } })
    const call = failureOf(client.get('/x', { signal: controller.signal }))
    await expect.poll(() => statsOf(client)?.failures).toBe(1)
    controller.abort(new Error('enough'))
    expect(await call).toMatchObject({
      ...aborted,
      timeline: [{ reason: '503' }, { kind: 'failure', reason: 'aborted' }],
    })
    expect(provider.hits).toBe(1)
  })

  it('while it waits for a place frees that, and harms nobody else', async () => {
    const gate = Promise.withResolvers<void>()
    provider.always({ json: 1, beforeHeaders: () => gate.promise })
    const client = clientOf({ bulkhead: { max: 1, queue: 5 } })
    const controller = new AbortController()
    const first = client.get('/1')
    const second = failureOf(client.get('/2', { signal: controller.signal }))
    const third = client.get('/3')
    await expect.poll(() => statsOf(client)?.queued).toBe(2)
    controller.abort(new Error('enough'))
    expect(await second).toMatchObject(aborted)
    expect(statsOf(client)?.queued).toBe(1)
    gate.resolve()
    await Promise.all([first, third])
    expect(provider.requests.map(({ path }) => path)).toEqual(['/1', '/3'])
  })

  it('while the limit is asked ends the call', async () => {
    const controller = new AbortController()
    const asked = Promise.withResolvers<AbortSignal | undefined>()
    const client = clientOf({
      limit: ({ signal }) => {
        asked.resolve(signal)
        return new Promise(() => {})
      },
    })
    const call = failureOf(client.get('/x', { signal: controller.signal }))
    const signal = await asked.promise
    controller.abort(new Error('enough'))
    expect(await call).toMatchObject(aborted)
    expect(signal?.aborted).toBe(true)
    const late = client.get('/x', { timeouts: { totalMs: 30 } })
    expect(await failureOf(late)).toMatchObject({ code: 'timeout', limit: 'total' })
  })

  it('of a stream ends it after what has come', async () => {
    provider.next({ body: 'x'.repeat(100), fault: { kind: 'stall', at: { bytes: 50 } } })
    const controller = new AbortController()
    const client = clientOf()
    const { body } = await client.stream('/x', { signal: controller.signal })
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    const waiting = failureOf(iterator.next())
    controller.abort(new Error('enough'))
    expect(await waiting).toMatchObject(aborted)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('leaves no listener on a signal that lives longer', async () => {
    const { signal } = new AbortController()
    const client = clientOf({ hedge: { after: 10_000 } })
    provider.next({ status: 503 })
    await client.get('/v1/models', { signal })
    await client.post('/echo/x', { signal, json: 1 })
    await failureOf(client.get('/status/404', { signal }))
    const { body } = await client.stream('/bytes/10', { signal })
    await read(body)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

describe('server-sent events', () => {
  const messages = [{ role: 'user', content: 'Hi' }]
  const json = { model: 'm', messages, stream: true }
  const chat = { method: 'POST', json } as const
  const isLast = ({ data }: ServerSentEvent) => data === '[DONE]'

  async function collect(events: AsyncIterable<ServerSentEvent>): Promise<ServerSentEvent[]> {
    const all: ServerSentEvent[] = []
    for await (const event of events) all.push(event)
    return all
  }

  it.each([
    [{}],
    [{ cut: 1 }],
    [{ cut: 'awkward', lineEnd: '\r\n', comments: true }],
    [{ lineEnd: '\r' }],
  ] as const)('come one by one, however they are cut: %j', async (behaviour) => {
    provider.next({ text: 'Ä 🌊 b', events: 3, ...behaviour })
    const events = await collect(clientOf().sse('/v1/chat/completions', { ...chat, isLast }))
    expect(events.at(-1)).toEqual({ event: undefined, data: '[DONE]', id: undefined })
    const words = events.slice(0, -1).map(({ data }) => JSON.parse(data).choices[0].delta.content)
    expect(words.join('')).toBe('Ä 🌊 b')
    expect(provider.lastRequest.header('accept')).toBe('text/event-stream')
  })

  it('have names and ids', async () => {
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' }
    provider.next({ body: 'id: 7\nevent: tide\ndata: a\ndata: b\n\ndata: cut', headers })
    const events = await collect(clientOf().sse('/x'))
    expect(events).toEqual([{ event: 'tide', data: 'a\nb', id: '7' }])
  })

  it('give the connection back after the last one', async () => {
    const client = clientOf()
    for (let round = 0; round < 3; round++) {
      await collect(client.sse('/v1/chat/completions', { ...chat, isLast }))
      await expect.poll(() => statsOf(client)?.pending).toBe(0)
      await sleep(1)
    }
    expect(statsOf(client)?.connections.opened).toBe(1)
  })

  it('that end without the last one are interrupted', async () => {
    provider.next({ fault: { kind: 'stop' } })
    const events = clientOf().sse('/v1/chat/completions', { ...chat, isLast })
    expect(await failureOf(collect(events))).toMatchObject({ code: 'stream_interrupted' })
    provider.next({ fault: { kind: 'reset' } })
    const reset = clientOf().sse('/v1/chat/completions', chat)
    expect(await failureOf(collect(reset))).toMatchObject({ code: 'stream_interrupted' })
  })

  it('are asked for when the first one is', async () => {
    const client = clientOf()
    const events = client.sse('/v1/chat/completions', chat)
    await sleep(10)
    expect(provider.hits).toBe(0)
    await collect(events)
    expect(provider.hits).toBe(1)
  })

  it.each([
    ['is none', { json: { a: 1 } }],
    ['is compressed', { encoding: 'gzip' }],
    ['holds one without end', { padFirstEvent: 200_000 }],
  ] as const)(
    'of a response that %s are refused, and the connection is closed',
    async (_, behaviour) => {
      provider.next(behaviour)
      const client = clientOf({ maxResponseBytes: 100_000 })
      const events = client.sse('/v1/chat/completions', chat)
      expect(await failureOf(collect(events))).toMatchObject({ code: 'invalid_response' })
      await expect.poll(() => statsOf(client)?.pending).toBe(0)
    },
  )

  it('of a failed response are its error', async () => {
    provider.always({ status: 401 })
    expect(await failureOf(collect(clientOf().sse('/x')))).toMatchObject({ status: 401 })
  })

  it('are closed by who leaves, also while the head or the next one is awaited', async () => {
    const client = clientOf()
    for await (const _ of client.sse('/v1/chat/completions', chat)) break
    provider.next({ fault: { kind: 'stall', at: 'before-headers' } })
    const early = client.sse('/v1/chat/completions', chat)[Symbol.asyncIterator]()
    const first = early.next().catch((error: unknown) => error)
    const opening = await provider.waitForRequest(1)
    early.return?.()
    expect(await first).toMatchObject({ code: 'aborted' })
    expect(await opening.closedEarly).not.toBeNull()
    provider.next({ fault: { kind: 'stall', at: { events: 1 } } })
    const late = client.sse('/v1/chat/completions', chat)[Symbol.asyncIterator]()
    await late.next()
    const second = late.next()
    await late.return?.()
    expect(await second).toEqual({ done: true, value: undefined })
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
    expect(statsOf(client)).toMatchObject({ pending: 0, failures: 0 })
  })
})
