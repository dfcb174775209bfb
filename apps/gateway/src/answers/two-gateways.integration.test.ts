import { redisRecordings } from '@tidegate/events/redis'
import { connectRedis, type RedisConnections } from '@tidegate/redis'
import { type Provider, type RedisServer, startProvider, startRedis } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Client, Turnstile } from './client.fixture.ts'
import { metered, type Settled, timed } from './gates.fixture.ts'
import {
  type SharingGateway,
  type SharingOptions,
  sharingGateway,
} from './sharing-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const STREAM = { ...CHAT, stream: true }
const PATH = '/v1/chat/completions'

let redis: RedisServer
let provider: Provider
let connections: RedisConnections[]
let one: SharingGateway
let other: SharingGateway
let gate: Turnstile

beforeAll(async () => {
  redis = await startRedis({ own: true })
  provider = await startProvider()
})

beforeEach(() => {
  provider.reset()
  gate = new Turnstile()
  provider.always({ beforeEvent: gate.pass })
  connections = []
})

afterEach(async () => {
  await Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
  await Promise.all(connections.map((each) => each.close()))
})

afterAll(async () => {
  await provider[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
})

async function sharing(options: SharingOptions): Promise<SharingGateway> {
  const connected = connectRedis({ url: redis.url })
  await connected.ready()
  connections.push(connected)
  const shared = redisRecordings({
    redis: connected.commands,
    subscriber: connected.subscriber(),
    leaseMs: 3000,
    claimTimeoutMs: 5000,
  })
  const claim = { shared: true }
  return await sharingGateway([provider.url], { ...options, recordings: { shared }, claim })
}

async function open(options: SharingOptions = {}): Promise<void> {
  one = await sharing(options)
  other = await sharing(options)
}

const ask = (at: SharingGateway, id: string, headers = {}, body: unknown = STREAM) =>
  new Client(at.url + PATH, body, { 'x-request-id': id, ...headers })

/** A leader at one gateway, and a follower at the other. */
async function pair(headers = {}): Promise<[Client, Client]> {
  const leader = ask(one, 'leader', headers)
  await one.readers(1)
  await provider.waitForRequest(0)
  const follower = ask(other, 'follower')
  await other.readers(1)
  return [leader, follower]
}

describe('two gateways that share their calls', () => {
  it('give the clients of both one answer', async () => {
    await open()
    const [leader, follower] = await pair()
    gate.let(100)
    const [first, second] = await Promise.all([leader.whole(), follower.whole()])
    expect([first.end, second.end]).toEqual(['whole', 'whole'])
    expect(second.text).toBe(first.text)
    expect(second.headers).toMatchObject({
      ...{ 'x-request-id': 'follower', 'x-tidegate-cache': 'coalesced' },
      ...{ 'x-tidegate-upstream': 'openai', 'content-type': first.headers['content-type'] },
    })
    expect(provider.hits).toBe(1)
  })

  it('go on for the client of the other when the one who led has left', async () => {
    await open()
    const [leader, follower] = await pair()
    gate.let(3)
    await Promise.all([leader.head, follower.head])
    leader.leave()
    await one.readers(0)
    gate.let(100)
    expect((await follower.whole()).text).toMatch(/\[DONE\]\s*$/)
    expect(provider.hits).toBe(1)
  })

  it('end the call when the last has left, wherever that was', async () => {
    await open()
    const [leader, follower] = await pair()
    gate.let(3)
    await Promise.all([leader.head, follower.head])
    leader.leave()
    await one.readers(0)
    follower.leave()
    expect(await provider.lastRequest.closedEarly).not.toBeNull()
  })

  it('tell the same error, each under its own request id', async () => {
    await open()
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass, fault: { kind: 'reset', at: 'before-headers' } })
    const clients = await pair()
    ready.let()
    const [first, second] = await Promise.all(clients.map((client) => client.whole()))
    expect([first?.status, second?.status]).toEqual([502, 502])
    const [own, told] = [JSON.parse(first?.text ?? ''), JSON.parse(second?.text ?? '')]
    expect(told).toEqual({ ...own, request_id: 'follower' })
    expect(second?.headers).toMatchObject({ 'x-tidegate-upstream': 'openai' })
    expect(provider.hits).toBe(1)
  })

  it('tell a break in the stream, each under its own request id', async () => {
    await open()
    provider.always({ beforeEvent: gate.pass, fault: { kind: 'reset', at: { events: 4 } } })
    const clients = await pair()
    gate.let(100)
    const [first, second] = await Promise.all(clients.map((client) => client.whole()))
    expect(second?.text).toBe(first?.text.replaceAll('"leader"', '"follower"'))
    expect(second?.text).toContain('"code":"stream_interrupted"')
    expect(second?.text).toContain('"request_id":"follower"')
  })

  it('pass on whole what the upstream itself says of its failure', async () => {
    await open()
    provider.always({ beforeEvent: gate.pass, fault: { kind: 'error-event', at: { events: 4 } } })
    const clients = await pair()
    gate.let(100)
    const [first, second] = await Promise.all(clients.map((client) => client.whole()))
    expect([first?.end, second?.end]).toEqual(['whole', 'whole'])
    expect(second?.text).toBe(first?.text)
  })

  it('begin anew for who has had nothing when the time of the one who led runs out', async () => {
    await open({ gates: [timed] })
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const [leader, follower] = await pair({ 'x-test-time': '1500' })
    expect((await leader.whole()).status).toBe(504)
    ready.let(2)
    expect(await follower.whole()).toMatchObject({ status: 200, end: 'whole' })
    expect(provider.hits).toBe(2)
  })

  it('begin anew for who has had nothing when the gateway that led is gone', async () => {
    await open()
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass })
    const [, follower] = await pair()
    await one[Symbol.asyncDispose]()
    ready.let(2)
    expect(await follower.whole()).toMatchObject({ status: 200, end: 'whole' })
    expect(provider.hits).toBe(2)
  })

  it('tell who has had some of it that it broke when the gateway that led is gone', async () => {
    await open()
    const [, follower] = await pair()
    gate.let(3)
    await follower.head
    await one[Symbol.asyncDispose]()
    const { text, end } = await follower.whole()
    expect(end).toBe('whole')
    expect(text).toContain('"code":"stream_interrupted"')
    expect(text).toContain('"request_id":"follower"')
  })

  it('charge a share of an estimate where the call is made elsewhere', async () => {
    const settled: Settled = new Map()
    await open({ gates: [metered(settled)], hitCost: 0.1 })
    provider.always({ beforeEvent: gate.pass, usage: { input: 1234, output: 567 } })
    const clients = await pair()
    gate.let(100)
    await Promise.all(clients.map((client) => client.whole()))
    await Promise.all([one.requestLines(1), other.requestLines(1)])
    expect(Object.fromEntries(settled)).toEqual({ leader: 1801, follower: 100 })
  })
})
