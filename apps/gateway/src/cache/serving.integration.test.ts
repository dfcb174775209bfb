import { type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAT, cachingGateway, chat } from './caching-gateway.fixture.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

describe('an answer that is kept', () => {
  it('is served again as JSON, with its age, and the upstream hears of one request', async () => {
    await using gateway = await cachingGateway(provider)
    const first = await gateway.ask(CHAT, { body: chat() })
    expect(first).toMatchObject({ status: 200, cache: 'miss' })
    expect(first.headers.get('age')).toBeNull()
    gateway.wait(7_500)
    const second = await gateway.ask(CHAT, { body: chat() })
    expect(second).toMatchObject({ status: 200, cache: 'hit', text: first.text })
    expect(second.headers.get('age')).toBe('7')
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(provider.hits).toBe(1)
  })

  it('is served again as the stream that it was', async () => {
    await using gateway = await cachingGateway(provider)
    const first = await gateway.ask(CHAT, { body: chat({ stream: true }) })
    const second = await gateway.ask(CHAT, { body: chat({ stream: true }) })
    expect(second).toMatchObject({ cache: 'hit', text: first.text })
    expect(second.text).toContain('data: [DONE]')
    expect(second.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(await gateway.ask(CHAT, { body: chat() })).toMatchObject({ cache: 'miss' })
    expect(provider.hits).toBe(2)
  })
})
