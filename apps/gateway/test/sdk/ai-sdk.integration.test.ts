import { embed, embedMany, generateText, type LanguageModel, streamText } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aiAnthropic, aiOpenai, drain } from './clients.ts'
import { errorOf, resultOf } from './outcome.ts'
import { onlyRequestLine, type Side, type Sides, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  globalThis.AI_SDK_LOG_WARNINGS = false
  sides = await startSides()
})
beforeEach(() => sides.reset())
afterAll(async () => await sides[Symbol.asyncDispose]())

type Named = (side: Side, name?: string) => LanguageModel

const models: readonly (readonly [name: string, path: string, model: Named])[] = [
  [
    '@ai-sdk/openai-compatible',
    '/v1/chat/completions',
    (side, name = 'gpt-4o-mini') => aiOpenai(side)(name),
  ],
  ['@ai-sdk/anthropic', '/v1/messages', (side, name = 'claude-tide') => aiAnthropic(side)(name)],
]

const prompt = 'Tell me of the tide — 潮 🌊.'
const never = new Promise<never>(() => undefined)

function generate(model: LanguageModel, maxRetries = 0) {
  return generateText({ model, prompt, maxRetries })
}

interface Told {
  readonly parts: readonly { readonly type: string }[]
  readonly text: string
  readonly errors: readonly unknown[]
}

/** All parts of a stream; its errors apart, as the SDK's own queue decides what they come after. */
async function told(model: LanguageModel, abortSignal?: AbortSignal): Promise<Told> {
  const options = abortSignal === undefined ? {} : { abortSignal }
  const onError = () => undefined
  const result = streamText({ model, prompt, maxRetries: 0, onError, ...options })
  const { items: all, error } = await drain(result.fullStream)
  const thrown = error === undefined ? [] : [error]
  return {
    parts: all.filter((part) => part.type !== 'error'),
    text: all.map((part) => (part.type === 'text-delta' ? part.text : '')).join(''),
    errors: [...all.flatMap((part) => (part.type === 'error' ? [part.error] : [])), ...thrown],
  }
}

describe.each(models)('%s', (_, path, model) => {
  it('generates the same text, usage and response', async () => {
    const outcome = await sides.same(async (side) => {
      const { text, usage, finishReason, response, providerMetadata } = await generate(model(side))
      return { text, usage, finishReason, response, providerMetadata }
    })
    expect(resultOf(outcome)).toMatchObject({ finishReason: 'stop', usage: { outputTokens: 8 } })
  })

  it('streams the same parts', async () => {
    const outcome = await sides.same(async (side) => told(model(side)))
    const { parts, text, errors } = resultOf(outcome)
    expect(text).toContain('潮')
    expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: 'stop' })
    expect(errors).toEqual([])
  })

  it.each([400, 401, 403, 404, 413, 422, 429, 500, 503, 529])(
    'raises the same APICallError for %i, generating and streaming',
    async (status) => {
      const name = `error-${status}`
      const outcome = await sides.same(async (side) => generate(model(side, name)))
      const facts = { class: 'APICallError', statusCode: status }
      expect(errorOf(outcome)).toMatchObject(facts)
      const streamed = await sides.same(async (side) => told(model(side, name)))
      expect(resultOf(streamed).errors).toMatchObject([{ statusCode: status }])
      expect(sides.through.provider.hits).toBe(2)
    },
  )

  it.each([429, 500, 503])('retries %i as often', async (status) => {
    const headers = { 'retry-after-ms': '1' }
    sides.tell((provider) => provider.always({ status, headers }))
    const outcome = await sides.same(async (side) => generate(model(side), 2))
    expect(errorOf(outcome)).toMatchObject({ class: 'RetryError', reason: 'maxRetriesExceeded' })
    expect(sides.through.provider.hits).toBe(3)
  })

  it('tells the same error of the provider in mid-stream', async () => {
    sides.tell((provider) => provider.always({ fault: { kind: 'error-event' } }))
    const outcome = await sides.same(async (side) => told(model(side)))
    expect(resultOf(outcome).errors).toHaveLength(1)
  })

  it.each([
    ['reset', { fault: { kind: 'reset' } }, 'broke off'],
    ['cut inside an event', { fault: { kind: 'close', at: { bytes: 1_000 } } }, 'broke off'],
    ['ended without its last events', { fault: { kind: 'stop' } }, 'closing event'],
  ] as const)('tells of a stream that is %s by an error', async (__, behaviour, words) => {
    sides.tell((provider) => provider.always(behaviour))
    const through = await told(model(sides.through))
    sides.through.provider.always({})
    const whole = await told(model(sides.through))
    expect(whole.text.startsWith(through.text)).toBe(true)
    expect(through.errors).toHaveLength(1)
    expect(String(through.errors[0])).toContain(words)
    expect(through.parts.at(-1)).not.toMatchObject({ finishReason: 'stop' })
    expect(sides.through.provider.hits).toBe(2)
  })

  it('stops the upstream when it aborts in mid-stream', async () => {
    const beforeEvent = (index: number) => (index === 6 ? never : undefined)
    sides.tell((provider) => provider.always({ beforeEvent }))
    const outcome = await sides.same(async (side) => {
      const leaving = new AbortController()
      const { signal: abortSignal } = leaving
      const result = streamText({ model: model(side), prompt, maxRetries: 0, abortSignal })
      const types: string[] = []
      for await (const part of result.fullStream) {
        types.push(part.type)
        if (part.type === 'text-delta') leaving.abort()
      }
      return types.at(-1)
    })
    expect(resultOf(outcome)).toBe('abort')
    const { lastRequest } = sides.through.provider
    expect(await lastRequest.closedEarly).not.toBeNull()
    const line = await onlyRequestLine(sides.gateway, lastRequest.header('x-request-id') ?? '')
    expect(line).toMatchObject({ status_code: 499, outcome: 'client_gone', path })
  })

  it('stops the upstream when it aborts before the headers', async () => {
    sides.through.provider.always({ beforeHeaders: () => never })
    const leaving = new AbortController()
    const { signal: abortSignal } = leaving
    const failing = generateText({ model: model(sides.through), prompt, abortSignal })
    const request = await sides.through.provider.waitForRequest()
    leaving.abort()
    await expect(failing).rejects.toMatchObject({ name: 'AbortError' })
    expect(await request.closedEarly).not.toBeNull()
    expect(sides.through.provider.hits).toBe(1)
  })

  it('raises a 401 for a key that the gateway does not know', async () => {
    const side = { ...sides.through, apiKey: 'tg-wrong' }
    await expect(generate(model(side))).rejects.toMatchObject({
      statusCode: 401,
      isRetryable: false,
      message: expect.stringContaining('not known here'),
    })
    expect(sides.through.provider.hits).toBe(0)
  })
})

describe('embed', () => {
  it('gives the same vectors', async () => {
    const name = 'text-embedding-3-small'
    const one = await sides.same(async (side) => {
      const { embedding, usage } = await embed({
        model: aiOpenai(side).embeddingModel(name),
        value: 'high tide',
        maxRetries: 0,
      })
      return { embedding, usage }
    })
    expect(resultOf(one).embedding).toHaveLength(16)
    const many = await sides.same(async (side) => {
      const { embeddings } = await embedMany({
        model: aiOpenai(side).embeddingModel(name),
        values: ['high tide', 'low tide'],
        maxRetries: 0,
      })
      return embeddings
    })
    expect(resultOf(many)[0]).toEqual(resultOf(one).embedding)
  })
})
