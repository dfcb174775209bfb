import { type Provider, pollUntil, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Client, Turnstile } from './client.fixture.ts'
import { metered, type Settled } from './gates.fixture.ts'
import { type SharingGateway, sharingGateway } from './sharing-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const STREAM = { ...CHAT, stream: true }
const USAGE = { input: 1234, output: 567 }

let provider: Provider
let gateway: SharingGateway
let gate: Turnstile
let settled: Settled

beforeAll(async () => {
  provider = await startProvider()
})

afterAll(() => provider[Symbol.asyncDispose]())

afterEach(() => gateway[Symbol.asyncDispose]())

async function open(hitCost: number): Promise<void> {
  provider.reset()
  settled = new Map()
  gate = new Turnstile()
  gateway = await sharingGateway([provider.url], { hitCost, gates: [metered(settled)] })
  provider.always({ usage: USAGE, beforeEvent: gate.pass })
}

const ask = (id: string, body: unknown = STREAM) =>
  new Client(`${gateway.url}/v1/chat/completions`, body, { 'x-request-id': id })

const settlement = async (count: number): Promise<Record<string, number | 'refund'>> => {
  const describe = () => `${settled.size} settled, not ${count}`
  await pollUntil(async () => settled.size >= count, { intervalMs: 1, describe })
  return Object.fromEntries(settled)
}

async function pair(): Promise<[Client, Client]> {
  const leader = ask('leader')
  await gateway.readers(1)
  const follower = ask('follower')
  await gateway.readers(2)
  return [leader, follower]
}

describe('what a shared call used', () => {
  it('is paid by the one who led to it, and by nobody again', async () => {
    await open(0)
    const [leader, follower] = await pair()
    gate.let(100)
    await Promise.all([leader.whole(), follower.whole()])
    expect(await settlement(2)).toEqual({ leader: 1801, follower: 'refund' })
    const lines = await gateway.requestLines(2)
    const tokens = lines.map((line) => [line.request_id, line.tokens_in, line.tokens_out])
    expect(tokens).toContainEqual(['leader', 1234, 567])
    expect(tokens).toContainEqual(['follower', undefined, undefined])
  })

  it('is paid in part by the others where the route says so', async () => {
    await open(0.1)
    const [leader, follower] = await pair()
    gate.let(100)
    await Promise.all([leader.whole(), follower.whole()])
    expect(await settlement(2)).toEqual({ leader: 1801, follower: 180 })
  })

  it('is known at the end of the call, not when a client leaves', async () => {
    await open(0.5)
    const [leader, follower] = await pair()
    const stays = ask('stays')
    await gateway.readers(3)
    gate.let(3)
    await Promise.all([leader.head, follower.head])
    leader.leave()
    follower.leave()
    await gateway.requestLines(2)
    expect(settled.size).toBe(0)
    gate.let(100)
    await stays.whole()
    expect(await settlement(3)).toEqual({ leader: 1801, follower: 900, stays: 900 })
    const lines = await gateway.requestLines(3)
    const left = lines.find((line) => line.request_id === 'leader')
    expect(left).not.toHaveProperty('tokens_in')
    const call = gateway.lines.find(({ message }) => message === 'shared call ended')
    expect(call).toMatchObject({ request_id: 'leader', tokens_in: 1234, tokens_out: 567 })
  })

  it('is estimated, and paid by the one who led, when all have left', async () => {
    await open(0)
    const [leader, follower] = await pair()
    gate.let(3)
    await Promise.all([leader.head, follower.head])
    leader.leave()
    await gateway.readers(1)
    follower.leave()
    const { leader: paid, ...rest } = await settlement(2)
    expect(paid).toBeGreaterThan(0)
    expect(paid).toBeLessThan(100)
    expect(rest).toEqual({ follower: 'refund' })
  })

  it('is nothing for anybody when no upstream answers', async () => {
    await open(0.5)
    const ready = new Turnstile()
    provider.always({ beforeHeaders: ready.pass, fault: { kind: 'reset', at: 'before-headers' } })
    const clients = await pair()
    ready.let()
    await Promise.all(clients.map((client) => client.whole()))
    expect(await settlement(2)).toEqual({ leader: 'refund', follower: 'refund' })
  })

  it("leaves what is asked for the usage only out of everybody's stream", async () => {
    await open(0)
    const clients = await pair()
    gate.let(100)
    for (const client of clients) {
      const { text, end } = await client.whole()
      expect(end).toBe('whole')
      expect(text).not.toContain('"usage":{')
    }
  })
})

describe('the slot of a client', () => {
  it('is its own, for as long as its own response lasts', async () => {
    provider.reset()
    gate = new Turnstile()
    gateway = await sharingGateway([provider.url], {
      top: 'tiers: { default: { concurrent: 2, tokens: 100000/1h } }',
      route: 'limits: [tier]',
    })
    provider.always({ usage: USAGE, beforeEvent: gate.pass })
    const [leader, follower] = await pair()
    expect((await ask('third').whole()).status).toBe(429)
    gate.let(3)
    await leader.head
    leader.leave()
    await gateway.readers(1)
    await gateway.requestLines(2)
    // Its tokens are still held, its slot is not.
    expect(gateway.limits.keeper.size).toBe(2)
    const fourth = ask('fourth')
    await gateway.readers(2)
    gate.let(100)
    await Promise.all([follower.whole(), fourth.whole()])
    await gateway.requestLines(4)
    const describe = () => `${gateway.limits.keeper.size} leases are kept`
    await pollUntil(async () => gateway.limits.keeper.size === 0, { intervalMs: 1, describe })
    const { headers } = await ask('fifth').whole()
    const remaining = Number(headers['x-ratelimit-remaining-tokens'])
    // The leader's 1801, and the 1009 that are held for this one; little has come back meanwhile.
    expect(100_000 - remaining).toBeLessThanOrEqual(2810)
    expect(100_000 - remaining).toBeGreaterThan(2600)
  })
})
