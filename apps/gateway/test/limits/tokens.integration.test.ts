import { type Provider, type RunningGateway, startGateway, startProvider } from '@tidegate/testkit'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { anthropic, chat, collect, message, openai, streamedChat } from '../sdk/clients.ts'

/** What each tier of these tests may hold and use; it comes back too slowly to be seen. */
const TOKENS = 10_000

const TIERS = [
  'json',
  'stream',
  'asked',
  'broken',
  'failed',
  'huge',
  'usual',
  'shadow',
  'claude',
  'old',
  'checked',
]

const keyOf = (tier: string): string => `key-of-${tier}-0123456789`

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  const endpoints = [{ url: `${provider.url}/v1`, apiKey: 'sk-upstream' }]
  const tokens = `${TOKENS}/30d`
  gateway = await startGateway({
    config: {
      version: 1,
      upstreams: {
        openai: { protocol: 'openai', retry: 'off', breaker: 'off', endpoints },
        anthropic: { protocol: 'anthropic', retry: 'off', breaker: 'off', endpoints },
      },
      routes: [
        { match: '/v1/messages', upstreams: ['anthropic'], limits: ['tier'] },
        {
          ...{ match: '/v1/completions', upstreams: ['openai'], limits: ['tier'] },
          validate: { required: ['prompt'] },
        },
        { match: '/v1/**', upstreams: ['openai'], limits: ['tier'] },
      ],
      tiers: Object.fromEntries(
        TIERS.map((tier) => [tier, { tokens, ...(tier === 'shadow' && { shadow: true }) }]),
      ),
      auth: {
        keys: [
          ...TIERS.map((tier) => ({ id: tier, key: keyOf(tier), tier })),
          { id: 'free', key: keyOf('free') },
        ],
      },
    },
  })
})

afterEach(() => provider.reset())

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const client = (tier: string): OpenAI => openai({ url: gateway.url, apiKey: keyOf(tier) })

/** The line of the one call that this key has made. */
const lineOf = (tier: string) => gateway.waitForLog((line) => line.client === tier)

/** How many tokens a tier has left, by the headers of an answer that uses none and holds one. */
async function left(tier: string): Promise<number> {
  provider.next({ status: 500 })
  const { headers } = await fetch(`${gateway.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(tier)}` },
    body: '{"input":""}',
  })
  return Number(headers.get('x-ratelimit-remaining-tokens')) + 1
}

describe('a tier of tokens', () => {
  it('is charged what a completion used, and the log says so', async () => {
    provider.next({ usage: { input: 1200, output: 300 } })
    await client('json').chat.completions.create(chat)
    expect(await lineOf('json')).toMatchObject({ tokens_in: 1200, tokens_out: 300, tier: 'json' })
    expect(await lineOf('json')).not.toHaveProperty('tokens_estimated')
    expect(await left('json')).toBe(TOKENS - 1500)
  })

  it('is charged what a stream used, of whose asking its client sees nothing', async () => {
    provider.next({ usage: { input: 1200, output: 300 } })
    const chunks = await collect(await client('stream').chat.completions.create(streamedChat))
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true)
    expect(chunks.some(({ usage }) => usage)).toBe(false)
    expect(await lineOf('stream')).toMatchObject({ tokens_in: 1200, tokens_out: 300 })
    expect(await left('stream')).toBe(TOKENS - 1500)
  })

  it('leaves the usage to a client that asks for it', async () => {
    provider.next({ usage: { input: 1200, output: 300 } })
    const asked = { ...streamedChat, stream_options: { include_usage: true } }
    const chunks = await collect(await client('asked').chat.completions.create(asked))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 1500 } })
    expect(await left('asked')).toBe(TOKENS - 1500)
  })

  it("is charged what Anthropic's messages used", async () => {
    provider.next({ usage: { input: 1200, output: 300 } })
    const claude = anthropic({ url: gateway.url, apiKey: keyOf('claude') })
    const stream = claude.messages.stream(message)
    expect((await stream.finalMessage()).usage.output_tokens).toBe(300)
    expect(await lineOf('claude')).toMatchObject({ tokens_in: 1200, tokens_out: 300 })
    expect(await left('claude')).toBe(TOKENS - 1500)
  })

  it('is charged an estimate of a stream that broke', async () => {
    provider.next({ fault: { kind: 'reset', at: { events: 3 } } })
    await expect(
      client('broken').chat.completions.create(streamedChat).then(collect),
    ).rejects.toThrow()
    const line = await lineOf('broken')
    expect(line).toMatchObject({ tokens_out: 3, tokens_estimated: true })
    expect(await left('broken')).toBe(TOKENS - Number(line.tokens_in) - 3)
  })

  it('is charged nothing for a call that failed', async () => {
    provider.next({ status: 503 })
    await expect(client('failed').chat.completions.create(chat)).rejects.toThrow(
      OpenAI.InternalServerError,
    )
    expect(await lineOf('failed')).not.toHaveProperty('tokens_in')
    expect(await left('failed')).toBe(TOKENS)
  })

  it('refuses what asks for more than it ever holds, and nobody who names no limit', async () => {
    const huge = client('huge').chat.completions.create({ ...chat, max_tokens: TOKENS })
    await expect(huge).rejects.toMatchObject({ code: 'request_exceeds_limit' })
    expect(provider.hits).toBe(0)
    provider.next({ usage: { input: 9500, output: 1 } })
    await client('usual').chat.completions.create(chat)
    await lineOf('usual')
    // 499 are left: fewer than a usual answer.
    await expect(client('usual').chat.completions.create(chat)).rejects.toBeInstanceOf(
      OpenAI.RateLimitError,
    )
  })

  it('gets back what was held for a request that is no good, and reads a good one once', async () => {
    const ask = (body: object): Promise<Response> =>
      fetch(`${gateway.url}/v1/completions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${keyOf('checked')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ model: 'm', ...body }),
      })
    expect((await ask({ max_tokens: 5000 })).status).toBe(400)
    provider.next({ usage: { input: 1200, output: 300 } })
    const { status, headers } = await ask({ prompt: 'Tell me.', max_tokens: 5000 })
    expect({ status, left: headers.get('x-ratelimit-remaining-tokens') }).toEqual({
      status: 200,
      left: String(TOKENS - 5002),
    })
    expect(await left('checked')).toBe(TOKENS - 1500)
  })

  it('denies nothing while it is a shadow', async () => {
    provider.always({ usage: { input: 9500, output: 9500 } })
    for (let call = 0; call < 2; call += 1) {
      await client('shadow').chat.completions.create({ ...chat, max_tokens: 50_000 })
    }
    expect(provider.hits).toBe(2)
  })

  it('asks a provider that refuses to be asked only once, and tells the operator', async () => {
    const error = { message: 'Unknown field: stream_options', type: 'invalid_request_error' }
    provider.next({ status: 400, json: { error } })
    const chunks = await collect(await client('old').chat.completions.create(streamedChat))
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(await lineOf('old')).toMatchObject({ attempts: 2, tokens_estimated: true })
    const health = await fetch(`${gateway.url}/health/upstreams`)
    expect(JSON.stringify(await health.json())).toContain('"refuses_stream_options":true')
  })
})

describe('a caller without a tier of tokens', () => {
  it('has its requests passed on as they are', async () => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf('free')}`, 'accept-encoding': 'br, gzip' },
      body: JSON.stringify(streamedChat),
    })
    await response.text()
    expect(provider.lastRequest.body.toString()).toBe(JSON.stringify(streamedChat))
    expect(provider.lastRequest.header('accept-encoding')).toBe('br, gzip')
    expect(response.headers.get('x-ratelimit-remaining-tokens')).toBeNull()
    expect(await lineOf('free')).not.toHaveProperty('tokens_in')
  })
})
