import Anthropic from '@anthropic-ai/sdk'
import {
  type Behaviour,
  type Provider,
  type RunningGateway,
  startProvider,
} from '@tidegate/testkit'
import { streamText } from 'ai'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aiAnthropic, aiOpenai, chat, drain, message, streamedChat } from '../sdk/clients.ts'
import { gatewayOf, upstreamAt } from './gateway-of.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await gatewayOf(
    {
      openai: upstreamAt([provider], { breaker: 'off' }),
      anthropic: upstreamAt([provider], { protocol: 'anthropic', breaker: 'off' }),
    },
    {
      route: { upstreams: ['openai'] },
      routes: [{ match: '/v1/messages', upstreams: ['anthropic'] }],
    },
  )
})
afterEach(() => provider.always({}).reset())
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const breaks: ReadonlyArray<readonly [how: string, behaviour: Behaviour]> = [
  ['is reset', { fault: { kind: 'reset', at: { events: 4 } } }],
  ['is cut inside an event', { fault: { kind: 'close', at: { bytes: 1_200 } } }],
  ['falls silent', { fault: { kind: 'stall', at: { events: 4 } } }],
  ['ends too early', { fault: { kind: 'stop', at: { events: 4 } } }],
]

const facts = (retrySafe: boolean) => ({
  request_id: expect.any(String),
  delivered: { events: expect.any(Number), bytes: expect.any(Number) },
  retry_safe: retrySafe,
})

const openai = () => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 3 })
const anthropic = () => new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 3 })
const origin = () => ({ url: gateway.url, apiKey: 'none' })

describe.each(breaks)('the error in a stream that %s', (_, behaviour) => {
  it('is raised by OpenAI’s client with what was delivered', async () => {
    provider.always(behaviour)
    const { items, error } = await drain(await openai().chat.completions.create(streamedChat))
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error).toMatchObject({ type: 'upstream_error', error: facts(true) })
    expect(error).toHaveProperty('error.delivered.events', items.length)
    expect(provider.hits).toBe(1)
  })

  it('is raised by its Responses client, which is told that a retry may not be safe', async () => {
    provider.always(behaviour)
    const asking = openai().responses.create({ model: 'tide', input: 'Tide?', stream: true })
    const { items, error } = await drain(await asking)
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error).toMatchObject({ error: facts(false) })
    expect(error).toHaveProperty('error.delivered.events', items.length)
    expect(provider.hits).toBe(1)
  })

  it('is raised by Anthropic’s client with what was delivered', async () => {
    provider.always(behaviour)
    const { error } = await drain(await anthropic().messages.create({ ...message, stream: true }))
    expect(error).toBeInstanceOf(Anthropic.APIError)
    expect(error).toMatchObject({ type: 'api_error', error: facts(true) })
    expect(provider.hits).toBe(1)
  })

  it.each([
    ['openai', () => aiOpenai(origin()).chatModel(chat.model)],
    ['anthropic', () => aiAnthropic(origin())(message.model)],
  ])('is an error to the AI SDK on %s', async (__, model) => {
    provider.always(behaviour)
    const errors: unknown[] = []
    const { fullStream } = streamText({
      ...{ model: model(), prompt: 'Tide?', maxRetries: 3, maxOutputTokens: 64 },
      onError: ({ error }) => void errors.push(error),
    })
    const parts: string[] = []
    for await (const { type } of fullStream) parts.push(type)
    expect(parts).toContain('error')
    expect(errors).toHaveLength(1)
    expect(provider.hits).toBe(1)
  })
})
