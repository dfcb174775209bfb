import { type Provider, startGateway, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anthropic, chat, collect, message, openai, streamedChat } from './clients.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider({ apiKeys: ['sk-of-the-gateway'] })
})
beforeEach(() => provider.reset())
afterAll(async () => await provider[Symbol.asyncDispose]())

describe('the environment alone', () => {
  it('serves OpenAI’s API with OPENAI_API_KEY and OPENAI_BASE_URL', async () => {
    const env = { OPENAI_API_KEY: 'sk-of-the-gateway', OPENAI_BASE_URL: `${provider.url}/v1` }
    await using gateway = await startGateway({ env })
    const client = openai({ url: gateway.url, apiKey: 'whatever' })
    const direct = openai({ url: provider.url, apiKey: 'sk-of-the-gateway' })
    expect(await client.chat.completions.create(chat)).toEqual(
      await direct.chat.completions.create(chat),
    )
    expect(await collect(await client.chat.completions.create(streamedChat))).toEqual(
      await collect(await direct.chat.completions.create(streamedChat)),
    )
    for (const { headers } of provider.requests) {
      expect(headers.authorization).toBe('Bearer sk-of-the-gateway')
    }
  })

  it('serves Anthropic’s API with ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL', async () => {
    const env = { ANTHROPIC_API_KEY: 'sk-of-the-gateway', ANTHROPIC_BASE_URL: provider.url }
    await using gateway = await startGateway({ env })
    const client = anthropic({ url: gateway.url, apiKey: 'whatever' })
    const direct = anthropic({ url: provider.url, apiKey: 'sk-of-the-gateway' })
    expect(await client.messages.create(message)).toEqual(await direct.messages.create(message))
    expect(provider.requests[0]?.header('x-api-key')).toBe('sk-of-the-gateway')
    expect(provider.requests[0]?.header('authorization')).toBeUndefined()
    const { model, messages } = message
    expect(await client.messages.countTokens({ model, messages })).toEqual(
      await direct.messages.countTokens({ model, messages }),
    )
  })

  it('serves both side by side, under a path of the provider’s too', async () => {
    await using gateway = await startGateway({
      env: {
        OPENAI_API_KEY: 'sk-of-the-gateway',
        OPENAI_BASE_URL: `${provider.url}/openai/v1`,
        ANTHROPIC_API_KEY: 'sk-of-the-gateway',
        ANTHROPIC_BASE_URL: `${provider.url}/anthropic/v1`,
      },
    })
    const side = { url: gateway.url, apiKey: 'whatever' }
    await openai(side).chat.completions.create(chat)
    await anthropic(side).messages.create(message)
    expect(provider.requests.map(({ target }) => target)).toEqual([
      '/openai/v1/chat/completions',
      '/anthropic/v1/messages',
    ])
  })

  it('passes the client’s own key where the gateway has none', async () => {
    await using gateway = await startGateway({ env: { OPENAI_BASE_URL: `${provider.url}/v1` } })
    const client = openai({ url: gateway.url, apiKey: 'sk-of-the-gateway' })
    expect((await client.chat.completions.create(chat)).object).toBe('chat.completion')
    expect(provider.lastRequest.header('authorization')).toBe('Bearer sk-of-the-gateway')
  })
})

describe('the demo model', () => {
  it('answers OpenAI’s client when there is no provider at all', async () => {
    await using gateway = await startGateway()
    const client = openai({ url: gateway.url, apiKey: 'none-needed' })
    const [model] = await collect(await client.models.list())
    const asked = { ...chat, model: model?.id ?? '' }
    const { data, response } = await client.chat.completions.create(asked).withResponse()
    expect(response.headers.get('x-tidegate-demo')).toBe('true')
    const text = data.choices[0]?.message.content ?? ''
    expect(text).not.toBe('')

    const stream_options = { include_usage: true }
    const chunks = await collect(
      await client.chat.completions.create({ ...asked, stream: true, stream_options }),
    )
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(text)
    expect(chunks.at(-1)?.usage).toEqual(data.usage)

    const input = { model: asked.model, input: 'high tide' }
    const base64 = await client.embeddings.create(input)
    const floats = await client.embeddings.create({ ...input, encoding_format: 'float' })
    expect(base64.data).toEqual(floats.data)

    const refused = client.chat.completions.create({ ...asked, messages: [] })
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'messages' })
  })
})
