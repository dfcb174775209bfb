import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AiProtocol, protocols, type Stage, startStage, type Way } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
beforeEach(() => stage.reset())
afterAll(async () => await stage[Symbol.asyncDispose]())

const messages = [{ role: 'user' as const, content: 'Hi' }]

const openai = (way: Way) =>
  new OpenAI({ baseURL: `${stage.gateway.url}/${way}/v1`, apiKey: 'none', maxRetries: 2 })

const anthropic = (way: Way) =>
  new Anthropic({
    baseURL: `${stage.gateway.url}/${way}`,
    apiKey: 'none',
    authToken: null,
    maxRetries: 2,
  })

/** The answer's words, by the protocol's own client with its usual retries. */
async function say(protocol: AiProtocol, way: Way): Promise<string> {
  if (protocol === 'openai') {
    const answer = await openai(way).chat.completions.create({ model: 'tide', messages })
    return answer.model
  }
  const answer = await anthropic(way).messages.create({ model: 'tide', messages, max_tokens: 9 })
  return answer.model
}

/** The same, streamed: how many events came. */
async function stream(protocol: AiProtocol, way: Way): Promise<number> {
  const given = { model: 'tide', messages, stream: true } as const
  const opened =
    protocol === 'openai'
      ? await openai(way).chat.completions.create(given)
      : await anthropic(way).messages.create({ ...given, max_tokens: 9 })
  let count = 0
  for await (const _ of opened as AsyncIterable<unknown>) count += 1
  return count
}

const failure = (call: Promise<unknown>) =>
  call.then(
    (value) => expect.fail(`it ended well: ${String(value)}`),
    (error: unknown) => error,
  )

describe.each(protocols)("%s: the client's own retries", (protocol) => {
  it('see nothing of a fault that the gateway repeats', async () => {
    stage.main.play('server-error')
    expect(await say(protocol, 'alone')).toBe('main-model')
    expect(stage.main.hits).toBe(2)
    const counts = stage.main.requests.map((each) => each.header('x-stainless-retry-count'))
    expect(counts).toEqual(['0', '0'])
  })

  it.each([
    ['storm', 503],
    ['overloaded:always', 529],
    ['bad-gateway:always', 502],
    ['reset-before-headers:always', 502],
    ['reset-after-headers:always', 502],
    ['garbage:always', 502],
    ['half-json:always', 502],
    ['half-json-clean:always', 502],
  ])("do not multiply the gateway's (%s)", async (fault, status) => {
    stage.main.play(fault)
    expect(await failure(say(protocol, 'alone'))).toMatchObject({ status })
    expect(stage.hits).toEqual([3, 0, 0])
  })

  it("do not multiply the gateway's on several upstreams", async () => {
    for (const provider of [stage.main, stage.backup, stage.third]) provider.play('storm')
    expect(await failure(say(protocol, 'three'))).toMatchObject({ status: 503 })
    expect(stage.hits).toEqual([3, 3, 0])
  })

  it("do not multiply the gateway's after a short rate limit", async () => {
    const headers = { 'retry-after': '0', 'retry-after-ms': '50' }
    stage.main.always({ status: 429, headers })
    const error = await failure(say(protocol, 'alone'))
    expect(error).toBeInstanceOf(
      protocol === 'openai' ? OpenAI.RateLimitError : Anthropic.RateLimitError,
    )
    expect(stage.hits).toEqual([3, 0, 0])
  })

  it('are their own where the gateway made none', async () => {
    stage.main.play('silence')
    expect(await failure(say(protocol, 'alone'))).toMatchObject({ status: 504 })
    expect(stage.hits).toEqual([3, 0, 0])
  })

  it('of a stream that can not be begun do not multiply either', async () => {
    stage.main.play('storm')
    expect(await failure(stream(protocol, 'alone'))).toMatchObject({ status: 503 })
    expect(stage.hits).toEqual([3, 0, 0])
  })

  it.each(['context-length', 'content-filter-400'])('are not asked for (%s)', async (fault) => {
    stage.main.play(fault)
    const error = await failure(say(protocol, 'failover'))
    expect(error).toBeInstanceOf(
      protocol === 'openai' ? OpenAI.BadRequestError : Anthropic.BadRequestError,
    )
    expect(stage.hits).toEqual([1, 0, 0])
  })
})

describe.each(protocols)("%s: the client's streams", (protocol) => {
  it.each(['cut', 'truncated', 'stall', 'error-event'])(
    '(%s) raise, and are asked for once',
    async (fault) => {
      stage.main.play(fault)
      const error = await failure(stream(protocol, 'failover'))
      expect(error).toBeInstanceOf(protocol === 'openai' ? OpenAI.APIError : Anthropic.APIError)
      expect(stage.hits).toEqual([1, 0, 0])
    },
  )

  it('(held back, and broken) come whole from elsewhere', async () => {
    const whole = await stream(protocol, 'held')
    stage.main.play('cut')
    expect(await stream(protocol, 'held')).toBe(whole)
    expect(stage.backup.hits).toBe(1)
  })

  it('with a refusal end well', async () => {
    stage.main.play('content-filter')
    expect(await stream(protocol, 'failover')).toBeGreaterThan(1)
    expect(stage.hits).toEqual([1, 0, 0])
  })
})

describe('a stream without [DONE]', () => {
  it("ends well for OpenAI's client, with its usage", async () => {
    stage.main.play('no-done')
    const given = { model: 'tide', messages, stream_options: { include_usage: true } }
    const runner = openai('failover').chat.completions.stream(given)
    const final = await runner.finalChatCompletion()
    expect(final.choices[0]?.finish_reason).toBe('stop')
    expect(final.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 13 })
    expect(stage.hits).toEqual([1, 0, 0])
  })
})
