import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import OpenAI, { toFile } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chat, collect, openai, streamedChat } from '../sdk/clients.ts'
import { freshKey, keyedGateway, keyOf } from './keyed-gateway.ts'

let provider: Provider
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  gateway = await keyedGateway(provider)
})
afterEach(() => provider.reset())
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

const client = (options = {}): OpenAI =>
  openai({ url: gateway.url, apiKey: keyOf('ada') }, { maxRetries: 2, ...options })

const keyed = (key = freshKey()) => ({ headers: { 'Idempotency-Key': key } })

describe("OpenAI's client with an Idempotency-Key", () => {
  it('gets the same answer again', async () => {
    const options = keyed()
    const first = await client().chat.completions.create(chat, options)
    provider.always({ text: 'another answer' })
    expect(await client().chat.completions.create(chat, options)).toEqual(first)
    expect(provider.hits).toBe(1)
  })

  it('gets the same stream again', async () => {
    const options = keyed()
    const read = async () =>
      await collect(await client().chat.completions.create(streamedChat, options))
    const first = await read()
    provider.always({ text: 'another answer' })
    expect(await read()).toEqual(first)
    expect(provider.hits).toBe(1)
  })

  it('retries by itself what was no final answer', async () => {
    const options = keyed()
    provider.next({ status: 500 }, { status: 429, headers: { 'retry-after-ms': '1' } })
    const answer = await client().chat.completions.create(chat, options)
    expect(await client().chat.completions.create(chat, options)).toEqual(answer)
    expect(provider.hits).toBe(3)
  })

  it('pays once when it lost patience: its own retry gets the answer of the first try', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeHeaders: () => promise })
    const impatient = client({ timeout: 400 }).chat.completions.create(chat, keyed())
    await gateway.waitForLog(({ status_code }) => status_code === 499)
    resolve()
    expect((await impatient).choices[0]?.message.content).toBeTruthy()
    expect(provider.hits).toBe(1)
  })

  it('uploads a file once, although each of its tries draws another boundary', async () => {
    const options = keyed()
    const upload = async () =>
      await client().files.create(
        { file: await toFile(Buffer.from('{"a":1}\n'), 'tide.jsonl'), purpose: 'batch' },
        options,
      )
    const first = await upload()
    expect((await upload()).id).toBe(first.id)
    expect(provider.hits).toBe(1)
  })

  it('hears that it has used a key for another request, and does not retry', async () => {
    const options = keyed()
    await client().chat.completions.create(chat, options)
    const reused = client().chat.completions.create({ ...chat, model: 'other' }, options)
    const error = await reused.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OpenAI.UnprocessableEntityError)
    expect(error).toMatchObject({ status: 422, code: 'idempotency_key_reused' })
    expect(provider.hits).toBe(1)
  })
})
