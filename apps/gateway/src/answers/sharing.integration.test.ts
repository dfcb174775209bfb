import { type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Client, Turnstile } from './client.fixture.ts'
import { type SharingGateway, sharingGateway } from './sharing-gateway.fixture.ts'

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Tell me of the tide.' }] }
const STREAM = { ...CHAT, stream: true }
const PATH = '/v1/chat/completions'

let provider: Provider
let gateway: SharingGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await sharingGateway([provider.url])
})

afterEach(() => provider.reset())

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const ask = (body: unknown = STREAM, headers = {}) => new Client(gateway.url + PATH, body, headers)

async function direct(body: unknown = STREAM): Promise<string> {
  const { text } = await new Client(provider.url + PATH, body).whole()
  return text
}

describe('requests that are the same and under way at the same time', () => {
  it('share one call, and each has its answer from the beginning', async () => {
    const expected = await direct()
    const gate = new Turnstile()
    const hits = provider.hits
    provider.always({ beforeEvent: gate.pass })
    const leader = ask()
    await gateway.readers(1)
    gate.let(4)
    await leader.head
    const follower = ask()
    await gateway.readers(2)
    gate.let(100)
    const [first, second] = await Promise.all([leader.whole(), follower.whole()])
    expect(provider.hits - hits).toBe(1)
    expect([first.end, second.end]).toEqual(['whole', 'whole'])
    expect(first.text).toBe(expected)
    expect(second.text).toBe(expected)
    expect(first.headers['x-tidegate-cache']).toBe('miss')
    expect(second.headers['x-tidegate-cache']).toBe('coalesced')
    expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id'])
  })
})
