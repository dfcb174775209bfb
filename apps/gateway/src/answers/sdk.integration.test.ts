import Anthropic from '@anthropic-ai/sdk'
import { type Provider, startProvider } from '@tidegate/testkit'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Turnstile } from './client.fixture.ts'
import {
  type SharingGateway,
  type SharingOptions,
  sharingGateway,
} from './sharing-gateway.fixture.ts'

const CHAT = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content: 'Tell me of the tide — 潮 🌊.' }],
}
const MESSAGE = { ...CHAT, max_tokens: 64 }
const COUNT = 5

let provider: Provider
let gateway: SharingGateway
let gate: Turnstile

beforeEach(async () => {
  provider = await startProvider()
  gate = new Turnstile()
})

afterEach(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

async function open(options: SharingOptions = {}): Promise<void> {
  gateway = await sharingGateway([provider.url], options)
  provider.always({ beforeEvent: gate.pass })
}

const openai = (): OpenAI =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })

const anthropic = (): Anthropic =>
  new Anthropic({ baseURL: gateway.url, apiKey: 'any', authToken: null, maxRetries: 0 })

/** The words of a stream, and the error that it ended with, if it did. */
async function read<T>(stream: AsyncIterable<T>, word: (item: T) => string) {
  let text = ''
  try {
    for await (const item of stream) text += word(item)
    return { text, error: undefined }
  } catch (error) {
    return { text, error }
  }
}

const spoken = (chunk: OpenAI.ChatCompletionChunk): string => chunk.choices[0]?.delta.content ?? ''

const streams = (count: number) =>
  Array.from({ length: count }, () => openai().chat.completions.create({ ...CHAT, stream: true }))

describe("OpenAI's client on a shared call", () => {
  it('streams whole answers for all, and one that leaves takes nothing from the others', async () => {
    await open()
    const asked = streams(COUNT)
    await gateway.readers(COUNT)
    gate.let(3)
    const [leaver, ...others] = await Promise.all(asked)
    leaver?.controller.abort()
    await gateway.readers(COUNT - 1)
    gate.let(100)
    const texts = await Promise.all(others.map((stream) => read(stream, spoken)))
    expect(texts).toEqual(others.map(() => ({ text: texts[0]?.text, error: undefined })))
    expect(texts[0]?.text).toMatch(/^Tides rise/)
    expect(provider.hits).toBe(1)
  })

  it('raises in each when the stream breaks, with the request id of each', async () => {
    await open()
    provider.always({ beforeEvent: gate.pass, fault: { kind: 'reset', at: { events: 4 } } })
    const asked = streams(COUNT).map((each) => each.withResponse())
    await gateway.readers(COUNT)
    gate.let(100)
    const ids = new Set<string>()
    for (const { data, request_id } of await Promise.all(asked)) {
      const { error } = await read(data, spoken)
      expect(error).toBeInstanceOf(OpenAI.APIError)
      expect(error).toMatchObject({ code: 'stream_interrupted', error: { request_id } })
      ids.add(String(request_id))
    }
    expect(ids.size).toBe(COUNT)
  })

  it('raises the same class in each when there is no answer', async () => {
    await open()
    const ready = new Turnstile()
    provider.always({ status: 429, beforeHeaders: ready.pass })
    const asked = Array.from({ length: COUNT }, () => openai().chat.completions.create(CHAT))
    const ended = Promise.allSettled(asked)
    await gateway.readers(COUNT)
    ready.let()
    for (const result of await ended) {
      expect(result).toMatchObject({ status: 'rejected', reason: { status: 429 } })
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(OpenAI.RateLimitError)
    }
    expect(provider.hits).toBe(1)
  })
})

describe("Anthropic's client on a shared call", () => {
  it('gathers the same message for all', async () => {
    await open({ protocol: 'anthropic' })
    const asked = Array.from({ length: COUNT }, () => anthropic().messages.stream(MESSAGE))
    const messages = Promise.all(asked.map((stream) => stream.finalMessage()))
    await gateway.readers(COUNT)
    gate.let(100)
    const [first, ...others] = await messages
    expect(first?.content[0]).toMatchObject({ type: 'text', text: expect.stringMatching(/^Tides/) })
    for (const other of others) expect(other.content).toEqual(first?.content)
    expect(provider.hits).toBe(1)
  })

  it('raises in each when the stream breaks', async () => {
    await open({ protocol: 'anthropic' })
    provider.always({ beforeEvent: gate.pass, fault: { kind: 'reset', at: { events: 4 } } })
    const asked = Array.from({ length: COUNT }, () => anthropic().messages.stream(MESSAGE))
    const ended = Promise.allSettled(asked.map((stream) => stream.finalMessage()))
    await gateway.readers(COUNT)
    gate.let(100)
    for (const result of await ended) {
      if (result.status !== 'rejected') throw new Error('a broken stream looks whole')
      expect(result.reason).toBeInstanceOf(Anthropic.APIError)
    }
  })
})
