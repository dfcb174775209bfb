import { type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Client, Turnstile } from './client.fixture.ts'
import { type SharingGateway, sharingGateway } from './sharing-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const STREAM = { ...CHAT, stream: true }
const PATH = '/v1/chat/completions'

let provider: Provider
let gateway: SharingGateway
let gate: Turnstile

beforeAll(async () => {
  provider = await startProvider()
})

afterAll(() => provider[Symbol.asyncDispose]())

/** Whose every event waits for the gate. */
const gated = async (options = {}): Promise<void> => {
  provider.reset()
  gate = new Turnstile()
  gateway = await sharingGateway([provider.url], options)
  provider.always({ beforeEvent: gate.pass })
}

afterEach(() => gateway[Symbol.asyncDispose]())

const ask = (body: unknown = STREAM, headers = {}) => new Client(gateway.url + PATH, body, headers)

async function direct(body: unknown = STREAM): Promise<string> {
  provider.next({})
  const { text } = await new Client(provider.url + PATH, body).whole()
  return text
}

describe('requests that are the same and under way at the same time', () => {
  it('share one call, and each has its answer from the beginning', async () => {
    await gated()
    const expected = await direct()
    const leader = ask()
    await gateway.readers(1)
    gate.let(4)
    await leader.head
    const follower = ask()
    await gateway.readers(2)
    gate.let(100)
    const [first, second] = await Promise.all([leader.whole(), follower.whole()])
    expect(provider.hits).toBe(2)
    expect([first.end, second.end]).toEqual(['whole', 'whole'])
    expect(first.text).toBe(expected)
    expect(second.text).toBe(expected)
  })

  it('have heads of their own around what the upstream said', async () => {
    await gated()
    provider.always({
      beforeEvent: gate.pass,
      headers: { 'set-cookie': 'who=leader', 'x-more': ['one', 'two'], 'x-request-id': 'up' },
    })
    const leader = ask(STREAM, { 'x-request-id': 'the-leader' })
    await gateway.readers(1)
    const follower = ask(STREAM, { 'x-request-id': 'the-follower' })
    await gateway.readers(2)
    gate.let(100)
    const [first, second] = await Promise.all([leader.whole(), follower.whole()])
    expect(first.headers).toMatchObject({
      'x-request-id': 'the-leader',
      'x-tidegate-cache': 'miss',
      'x-tidegate-upstream': 'openai',
      'x-tidegate-attempts': '1',
      'x-tidegate-upstream-request-id': 'up',
      'x-more': 'one, two',
      'x-accel-buffering': 'no',
      'set-cookie': ['who=leader'],
    })
    expect(second.headers).toMatchObject({
      'x-request-id': 'the-follower',
      'x-tidegate-cache': 'coalesced',
      'x-tidegate-upstream': 'openai',
      'x-more': 'one, two',
    })
    expect(second.headers['set-cookie']).toBeUndefined()
    expect(first.headers['server-timing']).toMatch(/^gateway;dur=[\d.]+, upstream;dur=[\d.]+$/)
    expect(second.headers['server-timing']).toMatch(/^gateway;dur=[\d.]+, shared;dur=[\d.]+$/)
    expect(provider.lastRequest.headers['x-request-id']).toBe('the-leader')
  })

  it('share an answer that is no stream as well', async () => {
    await gated()
    const expected = JSON.parse(await direct(CHAT)) as object
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const clients = [ask(CHAT), ask(CHAT), ask(CHAT)]
    await gateway.readers(3)
    ready.let()
    for (const client of clients) {
      const { status, headers, text, end } = await client.whole()
      expect({ status, end }).toEqual({ status: 200, end: 'whole' })
      expect(JSON.parse(text)).toMatchObject({ ...expected, id: expect.anything() })
      expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
    }
    expect(provider.hits).toBe(2)
  })

  it('share an answer without a body, and one that says no', async () => {
    await gated()
    for (const status of [204, 404]) {
      const ready = new Turnstile()
      provider.always({ status, beforeHeaders: ready.pass, ...(status === 204 && { body: '' }) })
      const clients = [ask(CHAT), ask(CHAT)]
      await gateway.readers(2)
      ready.let()
      const answers = await Promise.all(clients.map((client) => client.whole()))
      expect(answers.map((answer) => answer.status)).toEqual([status, status])
      expect(answers[0]?.text).toBe(answers[1]?.text)
    }
    expect(provider.hits).toBe(2)
  })

  it('begin anew once the answer is complete', async () => {
    await gated()
    gate.let(100)
    await ask().whole()
    await ask().whole()
    expect(provider.hits).toBe(2)
    expect(gateway.recordings.stats()).toEqual({ open: 0, kept: 0, readers: 0, bytes: 0 })
  })

  it('are sent on without a wish for compression, as each reader may have another', async () => {
    await gated()
    gate.let(100)
    await ask(STREAM, { 'accept-encoding': 'gzip' }).whole()
    expect(provider.lastRequest.headers['accept-encoding']).toBe('identity')
  })

  it('see the head of a stream whose first event is slow, and hear later who answered', async () => {
    await gated()
    const clients = [ask(), ask()]
    await gateway.readers(2)
    const heads = await Promise.all(clients.map((client) => client.head))
    expect(heads.map(({ headers }) => headers['x-tidegate-upstream'])).toEqual([
      undefined,
      undefined,
    ])
    gate.let(100)
    const [first, second] = await Promise.all(clients.map((client) => client.whole()))
    expect(first?.text).toContain(': x-tidegate-upstream: openai\n: x-tidegate-attempts: 1\n\n')
    expect(second?.text).toBe(first?.text)
  })

  it('are answered by one call although they are a thousand', async () => {
    await gated()
    const expected = await direct()
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const clients = Array.from({ length: 1000 }, () => ask())
    await gateway.readers(1000)
    ready.let()
    const answers = await Promise.all(clients.map((client) => client.whole()))
    expect(provider.hits).toBe(2)
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([expected]))
    expect(answers.filter(({ headers }) => headers['x-tidegate-cache'] === 'miss')).toHaveLength(1)
  })
})

describe('a client that leaves', () => {
  it('leaves the call to those who stay, also when it was the one who led', async () => {
    await gated()
    const expected = await direct()
    const leader = ask()
    await gateway.readers(1)
    const follower = ask()
    await gateway.readers(2)
    gate.let(3)
    await follower.head
    leader.leave()
    await gateway.readers(1)
    const late = ask()
    await gateway.readers(2)
    gate.let(100)
    expect((await follower.whole()).text).toBe(expected)
    expect((await late.whole()).text).toBe(expected)
    expect(await leader.end).toBe('left')
    expect(provider.hits).toBe(2)
    expect(await provider.lastRequest.closedEarly).toBeNull()
  })

  it('ends the call when it is the last, and frees its place at the upstream', async () => {
    await gated({ upstream: 'retry: off\nconcurrency: { max: 1, queue: 0 }' })
    const clients = [ask(), ask()]
    await gateway.readers(2)
    gate.let(2)
    await Promise.all(clients.map((client) => client.head))
    for (const client of clients) client.leave()
    expect(await provider.lastRequest.closedEarly).toMatchObject({ bytesSent: expect.anything() })
    await gateway.readers(0)
    gate.let(100)
    expect((await ask().whole()).end).toBe('whole')
    expect(provider.hits).toBe(2)
  })

  it('ends a call that has no answer yet as well', async () => {
    await gated()
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const clients = [ask(), ask()]
    await gateway.readers(2)
    const request = await provider.waitForRequest()
    for (const client of clients) client.leave()
    expect(await request.closedEarly).not.toBeNull()
    expect(gateway.recordings.stats()).toMatchObject({ open: 0, readers: 0, bytes: 0 })
  })
})

describe('the line of a request whose answer is shared', () => {
  it('tells its own end, and whose call it was', async () => {
    await gated()
    const leader = ask()
    await gateway.readers(1)
    const [stays, leaves] = [ask(), ask()]
    await gateway.readers(3)
    gate.let(3)
    await leaves.head
    leaves.leave()
    await gateway.readers(2)
    gate.let(100)
    const { text } = await leader.whole()
    await stays.whole()
    const lines = await gateway.requestLines(3)
    const of = (cache: string, status: number) =>
      lines.find((line) => line.cache === cache && line.status_code === status)
    const bytes = Buffer.byteLength(text)
    expect(of('miss', 200)).toMatchObject({ upstream: 'openai', attempts: 1, bytes_out: bytes })
    expect(of('miss', 200)).not.toHaveProperty('shared')
    expect(of('coalesced', 200)).toMatchObject({ shared: true, bytes_out: bytes })
    expect(of('coalesced', 200)).not.toHaveProperty('attempts')
    expect(of('coalesced', 499)).toMatchObject({ shared: true, outcome: 'client_gone' })
    expect(gateway.lines.filter(({ message }) => message === 'shared call ended')).toEqual([])
  })

  it('is followed by one of the call where that goes on without the client who led to it', async () => {
    await gated()
    const leader = ask(STREAM, { 'x-request-id': 'the-leader' })
    await gateway.readers(1)
    const follower = ask()
    await gateway.readers(2)
    gate.let(3)
    await leader.head
    leader.leave()
    await gateway.readers(1)
    gate.let(100)
    const { text } = await follower.whole()
    const [first] = await gateway.requestLines(2)
    expect(first).toMatchObject({ request_id: 'the-leader', status_code: 499, cache: 'miss' })
    const call = gateway.lines.find(({ message }) => message === 'shared call ended')
    expect(call).toMatchObject({
      ...{ request_id: 'the-leader', upstream: 'openai', attempts: 1, status_code: 200 },
      bytes_out: Buffer.byteLength(text),
    })
    expect(call).not.toHaveProperty('outcome')
  })
})
