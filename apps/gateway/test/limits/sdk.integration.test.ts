import Anthropic from '@anthropic-ai/sdk'
import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyOf, limitedGateway } from './limited-gateway.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await limitedGateway(provider, {
    tiers: {
      one: { requests: '1/1h' },
      small: { tokens: '50/1h' },
      soon: { requests: '120/1m', burst: 1 },
    },
    names: ['tier'],
    keys: { ada: 'one', bob: 'one', eve: 'small', tim: 'soon' },
  })
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

const messages = [{ role: 'user' as const, content: 'When is high tide?' }]

function openai(id: string, maxRetries = 0) {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: keyOf(id), maxRetries })
  return (more: object = {}) => client.chat.completions.create({ model: 'tide', messages, ...more })
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a denial', () => {
  it("is OpenAI's RateLimitError", async () => {
    const ask = openai('ada')
    await ask()
    const error = await errorOf(ask())
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error).toMatchObject({
      ...{ status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' },
      requestID: expect.stringMatching(/^req_/),
    })
  })

  it("is Anthropic's RateLimitError", async () => {
    const options = { baseURL: gateway.url, apiKey: keyOf('bob'), maxRetries: 0 }
    const ask = () =>
      new Anthropic(options).messages.create({ model: 'tide', max_tokens: 9, messages })
    await ask()
    const error = await errorOf(ask())
    expect(error).toBeInstanceOf(Anthropic.RateLimitError)
    expect(error).toMatchObject({ status: 429, error: { error: { type: 'rate_limit_error' } } })
  })

  it('is waited for by a client that retries, as long as it takes', async () => {
    const ask = openai('tim', 2)
    await ask()
    const begun = performance.now()
    await ask()
    expect(performance.now() - begun).toBeGreaterThan(300)
  })

  it('is not tried again where waiting is in vain', async () => {
    const error = await errorOf(openai('eve', 3)({ max_tokens: 1_000 }))
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error).toMatchObject({ code: 'request_exceeds_limit' })
    await gateway.waitForLog(({ error_code }) => error_code === 'request_exceeds_limit')
    expect(
      gateway.logs.filter(({ client, message }) => client === 'eve' && message === 'request'),
    ).toHaveLength(1)
  })
})
