import Anthropic from '@anthropic-ai/sdk'
import { type Provider, startProvider } from '@tidegate/testkit'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cachingGateway, keyOf } from './caching-gateway.fixture.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider[Symbol.asyncDispose]())

const messages = [{ role: 'user' as const, content: 'Hello?' }]

describe('OpenAI’s SDK', () => {
  it('reads kept answers and streams as it reads fresh ones', async () => {
    await using gateway = await cachingGateway(provider)
    const client = new OpenAI({ apiKey: keyOf('ada'), baseURL: `${gateway.url}/v1` })
    const ask = () => client.chat.completions.create({ model: 'tide-1', messages }).withResponse()
    const first = await ask()
    const second = await ask()
    expect(second.response.headers.get('x-tidegate-cache')).toBe('hit')
    expect(second.data.choices).toEqual(first.data.choices)
    expect(second.request_id).not.toBe(first.request_id)
    const words = async (): Promise<string> => {
      let text = ''
      const stream = await client.chat.completions.create({
        model: 'tide-1',
        messages,
        stream: true,
      })
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
      return text
    }
    const live = await words()
    expect(live).not.toBe('')
    expect(await words()).toBe(live)
    const [one, other] = [await client.models.list(), await client.models.list()]
    expect(other.data).toEqual(one.data)
    expect(provider.hits).toBe(3)
  })

  it('raises what it should when nothing is kept', async () => {
    await using gateway = await cachingGateway(provider)
    const client = new OpenAI({ apiKey: keyOf('ada'), baseURL: `${gateway.url}/v1` })
    const headers = { 'cache-control': 'only-if-cached' }
    const asked = client.chat.completions.create({ model: 'tide-1', messages }, { headers })
    await expect(asked).rejects.toMatchObject({ status: 504, code: 'not_cached' })
    expect(provider.hits).toBe(0)
  })
})

describe('Anthropic’s SDK', () => {
  it('reads kept messages and streams as it reads fresh ones', async () => {
    await using gateway = await cachingGateway(provider, { protocol: 'anthropic' })
    const client = new Anthropic({ apiKey: keyOf('ada'), baseURL: gateway.url })
    const body = { model: 'tide-1', messages, max_tokens: 20 }
    const first = await client.messages.create(body)
    const second = await client.messages.create(body).withResponse()
    expect(second.response.headers.get('x-tidegate-cache')).toBe('hit')
    expect(second.data.content).toEqual(first.content)
    const live = await client.messages.stream(body).finalMessage()
    const kept = await client.messages.stream(body).finalMessage()
    expect(kept.content).toEqual(live.content)
    expect(provider.hits).toBe(2)
  })
})
