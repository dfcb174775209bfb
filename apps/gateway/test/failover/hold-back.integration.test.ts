import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import OpenAI, { APIError } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  ask,
  gatewayOf,
  healthOf,
  silenceMs,
  type UpstreamHealth,
  upstreamAt,
} from './gateway-of.ts'

let main: Provider
let backup: Provider
let gateway: RunningGateway

beforeAll(async () => {
  main = await startProvider({ answers: { text: 'Six hours, said the main one.' } })
  backup = await startProvider({ answers: { text: 'Noon, said the backup, by the pier.' } })
  const common = { breaker: 'off', retry: { retries: 0 } }
  const upstreams = ['main', 'backup']
  gateway = await gatewayOf(
    { main: upstreamAt([main], common), backup: upstreamAt([backup], common) },
    {
      routes: [
        { match: '/full/**', upstreams, stripPrefix: '/full', stream: { holdBack: 'full' } },
        { match: '/five/**', upstreams, stripPrefix: '/five', stream: { holdBack: 5 } },
      ],
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

const hits = (): number[] => [main.hits, backup.hits]
const full = { path: '/full/v1/chat/completions', stream: true }
const five = { path: '/five/v1/chat/completions', stream: true }

function wordsOf(text: string): string {
  return [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word).join('')
}

describe('a stream that is kept back until it has ended', () => {
  it.each([
    ['is reset in the middle', { fault: { kind: 'reset', at: { events: 5 } } }],
    ['is closed in the middle', { fault: { kind: 'close', at: { events: 5 } } }],
    ['is cut inside an event', { fault: { kind: 'reset', at: { bytes: 700 } } }],
    ['falls silent', { fault: { kind: 'stall', at: { events: 5 } } }],
    ['ends without its end', { fault: { kind: 'stop', at: { events: 5 } } }],
    ['is reset behind its finish reason', { fault: { kind: 'reset', at: { events: 10 } } }],
    ['reports an overload', { fault: { kind: 'error-event', at: { events: 5 } } }],
  ] as const)('and %s begins anew elsewhere, unseen', async (_, behaviour) => {
    main.always(behaviour)
    const answer = await ask(gateway, full)
    expect(answer).toMatchObject({ status: 200, upstream: 'backup', attempts: 2, broken: false })
    expect(wordsOf(answer.text)).toBe('Noon, said the backup, by the pier.')
    expect(answer.text).not.toContain('error')
    expect(answer.text.match(/\[DONE\]/g)).toHaveLength(1)
    expect(hits()).toEqual([1, 1])
  })

  it('and ends behind its finish reason, as some providers do, has ended well', async () => {
    main.always({ omitDone: true })
    const answer = await ask(gateway, full)
    expect(answer).toMatchObject({ status: 200, upstream: 'main', broken: false })
    expect(answer.text).not.toContain('error')
    expect(hits()).toEqual([1, 0])
  })

  it('arrives whole and as it was when nothing goes wrong', async () => {
    const answer = await ask(gateway, full)
    const plain = await ask(gateway, { stream: true })
    const timeless = (text: string) => text.replaceAll(/"(id|created)":[^,]+/g, '')
    expect(timeless(answer.text)).toBe(timeless(plain.text))
    expect(hits()).toEqual([2, 0])
  })

  it('that breaks everywhere is an error with a status', async () => {
    for (const each of [main, backup]) each.always({ fault: { kind: 'reset', at: { events: 5 } } })
    const answer = await ask(gateway, full)
    expect([answer.status, answer.attempts]).toEqual([502, 2])
    expect(answer.headers.get('content-type')).toContain('json')
    expect(answer.text).toContain('stream_interrupted')
    expect(hits()).toEqual([1, 1])
  })

  it('that breaks everywhere raises in an SDK', async () => {
    for (const each of [main, backup]) each.always({ fault: { kind: 'stop', at: { events: 5 } } })
    const baseURL = `${gateway.url}/full/v1`
    const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 3 })
    const asking = client.chat.completions.create({ model: 'tide', messages: [], stream: true })
    await expect(asking).rejects.toBeInstanceOf(APIError)
    expect(hits()).toEqual([1, 1])
  })

  it('larger than what is kept begins to be delivered', async () => {
    main.always({ padFirstEvent: 9 * 1024 * 1024, fault: { kind: 'close', at: { events: 5 } } })
    const answer = await ask(gateway, full)
    expect(answer).toMatchObject({ status: 200, upstream: 'main', attempts: 1 })
    expect(answer.text).toContain('stream_interrupted')
    expect(hits()).toEqual([1, 0])
  })

  it('leaves no trace of a client that has left meanwhile', async () => {
    const gate = Promise.withResolvers<void>()
    main.always({ beforeEvent: (index) => (index === 5 ? gate.promise : undefined) })
    const leaving = new AbortController()
    const asking = ask(gateway, { ...full, signal: leaving.signal })
    await main.waitForRequest()
    leaving.abort()
    await expect(asking).rejects.toThrow()
    expect(await main.lastRequest.closedEarly).not.toBeNull()
    expect((await healthOf<UpstreamHealth>(gateway, 'main')).pending).toBe(0)
    expect(hits()).toEqual([1, 0])
    gate.resolve()
  })

  it('of another kind than events is not kept back', async () => {
    main.always({ fault: { kind: 'reset', at: { bytes: 100_000 } } })
    const answer = await ask(gateway, { method: 'GET', path: '/full/bytes/200000' })
    expect([answer.status, answer.broken]).toEqual([200, true])
    expect(hits()).toEqual([1, 0])
  })
})

describe('a stream of which five events are kept back', () => {
  it('begins anew when it breaks before the fifth', async () => {
    main.always({ fault: { kind: 'reset', at: { events: 2 } } })
    const answer = await ask(gateway, five)
    expect(answer).toMatchObject({ status: 200, upstream: 'backup', attempts: 2, broken: false })
    expect(wordsOf(answer.text)).toBe('Noon, said the backup, by the pier.')
    expect(hits()).toEqual([1, 1])
  })

  it('says what was delivered when it breaks later', async () => {
    main.always({ fault: { kind: 'reset', at: { events: 6 } } })
    const answer = await ask(gateway, five)
    expect(answer).toMatchObject({ status: 200, upstream: 'main', attempts: 1 })
    const [before = '', error = ''] = answer.text.split(/(?=data: \{"error")/)
    expect(JSON.parse(error.slice(6))).toMatchObject({
      error: { code: 'stream_interrupted' },
      delivered: {
        events: before.match(/^data: /gm)?.length,
        bytes: Buffer.byteLength(before),
      },
      retry_safe: true,
    })
    expect(hits()).toEqual([1, 0])
  })

  it('is delivered from the fifth on as it comes', async () => {
    const gate = Promise.withResolvers<void>()
    main.always({ beforeEvent: (index) => (index === 6 ? gate.promise : undefined) })
    const response = await fetch(`${gateway.url}${five.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'tide', messages: [], stream: true }),
    })
    const reader = response.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    expect(new TextDecoder().decode(value).match(/^data: /gm)?.length).toBeGreaterThanOrEqual(5)
    gate.resolve()
    await reader?.cancel()
  })

  it('that is shorter is delivered at its end', async () => {
    main.always({ events: 1 })
    const answer = await ask(gateway, five)
    expect(answer.text).toMatch(/\[DONE\]\n\n$/)
    expect(hits()).toEqual([1, 0])
  })
})

describe('a stream that is not kept back', () => {
  it('says in its error that a retry is safe, and an SDK raises it', async () => {
    main.always({ fault: { kind: 'stall', at: { events: 3 } } })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
    const startedAt = performance.now()
    const stream = await client.chat.completions.create({
      model: 'tide',
      messages: [],
      stream: true,
    })
    const error = await stream
      .toReadableStream()
      .pipeTo(new WritableStream())
      .catch((thrown: unknown) => thrown)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(silenceMs - 1)
    expect(error).toMatchObject({
      code: 'stream_idle',
      error: { delivered: { events: expect.any(Number) }, retry_safe: true },
    })
    expect(hits()).toEqual([1, 0])
  })
})
