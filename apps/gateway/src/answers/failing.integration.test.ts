import { type Behaviour, type Provider, startProvider } from '@tidegate/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Client, Turnstile } from './client.fixture.ts'
import {
  type SharingGateway,
  type SharingOptions,
  sharingGateway,
} from './sharing-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const STREAM = { ...CHAT, stream: true }
const MESSAGES = { ...STREAM, max_tokens: 64 }

let provider: Provider
let other: Provider
let gateway: SharingGateway

beforeEach(async () => {
  provider = await startProvider()
  other = await startProvider()
})

afterEach(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

async function open(options: SharingOptions = {}, urls = [provider.url]): Promise<void> {
  gateway = await sharingGateway(urls, options)
}

const ask = (body: unknown = STREAM, headers = {}, path = '/v1/chat/completions') =>
  new Client(gateway.url + path, body, headers)

/** As many clients on one call as there are names, in this order. */
async function together(
  names: readonly string[],
  path?: string,
  body?: unknown,
): Promise<Client[]> {
  const clients: Client[] = []
  for (const name of names) {
    clients.push(ask(body, { 'x-request-id': name }, path))
    await gateway.readers(clients.length)
  }
  return clients
}

const NAMES = ['one', 'two', 'three']

describe('a shared call that fails before there is an answer', () => {
  it('tells every client the same error under its own request id', async () => {
    await open()
    const ready = new Turnstile()
    provider.always({
      beforeHeaders: ready.pass,
      fault: { kind: 'reset', at: 'before-headers' },
    })
    const clients = await together(NAMES)
    ready.let(3)
    for (const [at, client] of clients.entries()) {
      const { status, headers, text } = await client.whole()
      expect(status).toBe(502)
      expect(JSON.parse(text)).toMatchObject({ code: 'upstream_reset', request_id: NAMES[at] })
      expect(headers).toMatchObject({
        'x-request-id': NAMES[at],
        'x-tidegate-upstream': 'openai',
        'x-tidegate-cache': at === 0 ? 'miss' : 'coalesced',
      })
    }
    expect(provider.hits).toBe(1)
    const lines = await gateway.requestLines(3)
    expect(lines.map((line) => line.error_code)).toEqual(NAMES.map(() => 'upstream_reset'))
    expect(gateway.lines.filter(({ message }) => message === 'upstream failed')).toHaveLength(1)
    expect(gateway.failureLog.list()).toHaveLength(1)
  })

  it('passes on with the error what clients go by', async () => {
    await open({ upstream: 'retry: off\nconcurrency: { max: 1, queue: 0 }' })
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const busy = ask(CHAT)
    await gateway.readers(1)
    const { status, headers } = await ask().whole()
    expect(status).toBe(503)
    expect(headers).toMatchObject({ 'retry-after': '1', 'x-should-retry': 'true' })
    ready.let()
    await busy.whole()
  })

  it('tells it also when it fails before anybody could read', async () => {
    await open({ upstream: 'retry: off\nbreaker: { failures: 1, openFor: 1m }' })
    provider.always({ status: 500 })
    await ask(CHAT).whole()
    const { status, headers, text } = await ask().whole()
    expect(status).toBe(503)
    expect(JSON.parse(text)).toMatchObject({ code: 'upstream_unavailable' })
    expect(Number(headers['retry-after'])).toBeGreaterThan(50)
    expect(provider.hits).toBe(1)
  })

  it('has made its retries before, once for all', async () => {
    await open({ upstream: 'retry: { retries: 2, initial: 10ms, max: 20ms }' })
    const ready = new Turnstile()
    provider.always({ status: 500, beforeHeaders: ready.pass })
    const clients = await together(NAMES)
    ready.let(10)
    const answers = await Promise.all(clients.map((client) => client.whole()))
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500])
    expect(answers.map(({ headers }) => headers['x-should-retry'])).toEqual(
      NAMES.map(() => 'false'),
    )
    expect(provider.hits).toBe(3)
  })

  it('may end well at another endpoint', async () => {
    await open({ upstream: 'retry: { retries: 1, initial: 10ms, max: 20ms }' }, [
      provider.url,
      other.url,
    ])
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass, fault: { kind: 'reset', at: 'before-headers' } })
    other.always({ beforeHeaders: ready.pass })
    const clients = await together(NAMES)
    ready.let(10)
    const answers = await Promise.all(clients.map((client) => client.whole()))
    expect(answers.map(({ status, end }) => [status, end])).toEqual(NAMES.map(() => [200, 'whole']))
    expect(other.hits).toBe(1)
  })

  it('may be raced by another, for all of them together', async () => {
    await open({ upstream: 'retry: off\nhedge: { after: 50ms, budget: 100% }' }, [
      provider.url,
      other.url,
    ])
    const never = new Turnstile()
    const slowAtFirst = (): Behaviour =>
      provider.hits + other.hits > 1 ? {} : { beforeHeaders: never.pass }
    provider.always(slowAtFirst)
    other.always(slowAtFirst)
    const answers = await Promise.all((await together(NAMES)).map((client) => client.whole()))
    expect(answers.map(({ status, end }) => [status, end])).toEqual(NAMES.map(() => [200, 'whole']))
    expect(answers[0]?.headers['x-tidegate-attempts']).toBe('2')
    expect([provider.hits, other.hits]).toEqual([1, 1])
  })

  it('tells it in the protocol of the route', async () => {
    await open({ protocol: 'anthropic' })
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass, fault: { kind: 'reset', at: 'before-headers' } })
    const clients = await together(NAMES, '/v1/messages', MESSAGES)
    ready.let(3)
    for (const [at, client] of clients.entries()) {
      const { text } = await client.whole()
      expect(JSON.parse(text)).toMatchObject({ type: 'error', request_id: NAMES[at] })
    }
  })
})

describe('a shared stream that breaks', () => {
  const broken = async (
    options: SharingOptions,
    path: string,
    body: unknown,
  ): Promise<Awaited<ReturnType<Client['whole']>>[]> => {
    await open(options)
    const gate = new Turnstile()
    provider.always({ beforeEvent: gate.pass, fault: { kind: 'reset', at: { events: 4 } } })
    const clients = await together(NAMES, path, body)
    gate.let(100)
    return Promise.all(clients.map((client) => client.whole()))
  }

  it('ends for every client with an error event of its own, in its protocol', async () => {
    for (const answer of (await broken({}, '/v1/chat/completions', STREAM)).entries()) {
      const [at, { text, end }] = answer
      const event = JSON.parse(text.trimEnd().split('\n\n').at(-1)?.slice(6) ?? '') as object
      const told = text.slice(0, text.lastIndexOf('data: '))
      expect(end).toBe('whole')
      expect(event).toMatchObject({
        request_id: NAMES[at],
        error: { code: 'stream_interrupted', request_id: NAMES[at] },
        delivered: { events: 4, bytes: Buffer.byteLength(told) },
      })
    }
    const lines = await gateway.requestLines(3)
    expect(lines.map((line) => [line.outcome, line.error_code])).toEqual(
      NAMES.map(() => ['upstream_broken', 'stream_interrupted']),
    )
    expect(gateway.failureLog.list()).toHaveLength(1)
  })

  it("does so in Anthropic's", async () => {
    const answers = await broken({ protocol: 'anthropic' }, '/v1/messages', MESSAGES)
    for (const [at, { text }] of answers.entries()) {
      const last = text.trimEnd().split('\n\n').at(-1) ?? ''
      expect(last).toMatch(/^event: error\ndata: /)
      expect(JSON.parse(last.split('\ndata: ')[1] ?? '')).toMatchObject({
        ...{ type: 'error', request_id: NAMES[at] },
      })
    }
  })

  it('resets every connection where there are no words for it', async () => {
    const answers = await broken({ protocol: 'http' }, '/v1/chat/completions', STREAM)
    expect(answers.map(({ end }) => end)).toEqual(NAMES.map(() => 'broken'))
  })

  it('ends well for all when the upstream tells of its failure itself, and is not kept', async () => {
    await open()
    const gate = new Turnstile()
    provider.always({ beforeEvent: gate.pass, fault: { kind: 'error-event', at: { events: 4 } } })
    const clients = await together(NAMES)
    gate.let(100)
    const answers = await Promise.all(clients.map((client) => client.whole()))
    expect(answers.map(({ end }) => end)).toEqual(NAMES.map(() => 'whole'))
    expect(answers[0]?.text).toContain('"error"')
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    const lines = await gateway.requestLines(3)
    expect(lines.map((line) => line.outcome)).toEqual([undefined, undefined, undefined])
    expect(gateway.recordings.stats()).toEqual({ open: 0, kept: 0, readers: 0, bytes: 0 })
  })

  it('can begin anew unseen where enough of it is held back', async () => {
    await open(
      {
        upstream: 'retry: { retries: 1, initial: 10ms, max: 20ms }',
        route: 'stream: { holdBack: 6 }',
      },
      [provider.url, other.url],
    )
    const gate = new Turnstile()
    provider.always({ beforeEvent: gate.pass, fault: { kind: 'reset', at: { events: 3 } } })
    other.always({ beforeEvent: gate.pass })
    const clients = await together(NAMES)
    gate.let(100)
    const answers = await Promise.all(clients.map((client) => client.whole()))
    for (const { text, end } of answers) {
      expect(end).toBe('whole')
      expect(text.trimEnd()).toMatch(/\[DONE\]$/)
    }
    expect(other.hits).toBe(1)
  })
})
