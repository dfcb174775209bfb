import { findCanaries } from '@tidegate/testkit'
import { AuthenticationError } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anthropic, chat, message, openai, streamedChat } from './clients.ts'
import { detoured, detours, type Sides, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
beforeEach(() => sides.reset())
afterAll(async () => await sides[Symbol.asyncDispose]())

const credentialHeaders = ['authorization', 'x-api-key', 'api-key'] as const

/** The credentials of the last request that the provider behind the gateway received. */
function receivedCredentials(): Record<string, string[]> {
  const { lastRequest } = sides.through.provider
  return Object.fromEntries(
    credentialHeaders
      .map((name) => [name, lastRequest.headerValues(name)] as const)
      .filter(([, values]) => values.length > 0),
  )
}

describe('a known key', () => {
  it.each([
    ['as OpenAI clients send it', {}],
    ['as api-key', { authorization: null, 'api-key': 'KEY' }],
    ['as x-api-key', { authorization: null, 'x-api-key': 'KEY' }],
    ['in all three at once', { 'api-key': 'KEY', 'x-api-key': 'KEY' }],
    ['next to an unknown one', { authorization: 'Bearer sk-of-somebody', 'api-key': 'KEY' }],
  ])('passes %s, and the upstream gets the endpoint’s own alone', async (_, headers) => {
    const defaultHeaders = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        value === 'KEY' ? sides.through.apiKey : value,
      ]),
    )
    const completion = await openai(sides.through, { defaultHeaders }).chat.completions.create(chat)
    expect(completion.object).toBe('chat.completion')
    expect(receivedCredentials()).toEqual({ authorization: [`Bearer ${sides.providerKey}`] })
  })

  it.each([
    ['x-api-key', (key: string) => ({ apiKey: null, defaultHeaders: { 'x-api-key': key } })],
    ['Bearer', (key: string) => ({ apiKey: key })],
    ['a Bearer token', (key: string) => ({ apiKey: null, authToken: key })],
  ])('passes on Anthropic routes as %s', async (_, options) => {
    const client = anthropic(sides.through, options(sides.through.apiKey))
    expect((await client.messages.create(message)).type).toBe('message')
    expect(receivedCredentials()).toEqual({ 'x-api-key': [sides.providerKey] })
  })

  it('is named in the log by its id alone', async () => {
    const headers = { 'x-request-id': 'named-by-id' }
    await openai(sides.through).chat.completions.create(chat, { headers })
    const line = await sides.gateway.waitForLog((record) => record.request_id === 'named-by-id')
    expect(line.client).toBe('app')
  })
})

describe('a key that is not known', () => {
  it.each([
    ['plain', chat],
    ['streamed', streamedChat],
  ])(
    'raises AuthenticationError for a %s call before the upstream hears of it',
    async (_, body) => {
      const failing = openai({ ...sides.through, apiKey: 'tg-wrong' }).chat.completions.create(body)
      const error = await failing.catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(AuthenticationError)
      expect(error).toMatchObject({
        status: 401,
        code: 'invalid_api_key',
        type: 'authentication_error',
        param: null,
      })
      expect(String(error)).not.toContain('tg-wrong')
      expect(sides.through.provider.hits).toBe(0)
    },
  )

  it('is refused once, whatever the client’s retries', async () => {
    const headers = { 'x-request-id': 'refused-once' }
    const client = openai({ ...sides.through, apiKey: 'tg-wrong' }, { maxRetries: 2 })
    await expect(client.models.list({ headers })).rejects.toBeInstanceOf(AuthenticationError)
    await sides.gateway.waitForLog(
      (line) => line.request_id === 'refused-once' && line.status_code === 401,
    )
    const refused = sides.gateway.logs.filter(
      (line) => line.request_id === 'refused-once' && line.message === 'request',
    )
    expect(refused).toHaveLength(1)
  })

  it('is not the provider’s: its own key opens nothing here', async () => {
    const client = openai({ ...sides.through, apiKey: sides.providerKey })
    await expect(client.models.list()).rejects.toBeInstanceOf(AuthenticationError)
    expect(sides.through.provider.hits).toBe(0)
  })

  it('raises AuthenticationError when it is missing', async () => {
    const client = openai(sides.through, { defaultHeaders: { authorization: null } })
    await expect(client.chat.completions.create(chat)).rejects.toMatchObject({
      status: 401,
      code: 'missing_api_key',
    })
    expect(sides.through.provider.hits).toBe(0)
  })

  it('raises the same class as the provider’s refusal would', async () => {
    const wrong = { apiKey: 'sk-wrong' }
    const outcomes = await sides.both(async (side) =>
      openai({ ...side, ...wrong }).chat.completions.create(chat),
    )
    const facts = { error: { class: 'AuthenticationError', status: 401, code: 'invalid_api_key' } }
    expect(outcomes).toMatchObject({ direct: facts, through: facts })
  })
})

describe('an endpoint’s key', () => {
  it('that the provider refuses raises what the provider says', async () => {
    const failing = openai(detoured(sides, detours.misKeyed)).chat.completions.create(chat)
    const error = await failing.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AuthenticationError)
    expect((error as Error).message).toContain('platform.openai.com')
    expect(sides.through.provider.lastRequest.header('authorization')).toBe('Bearer sk-revoked')
  })

  it('is absent: the client’s own key passes where nobody else asks for one', async () => {
    const client = openai({ ...detoured(sides, detours.open), apiKey: sides.providerKey })
    expect((await client.chat.completions.create(chat)).object).toBe('chat.completion')
    expect(receivedCredentials()).toEqual({ authorization: [`Bearer ${sides.providerKey}`] })
  })
})

describe('no key', () => {
  it('of anybody is in the log of all that happened here', () => {
    expect(findCanaries(sides.gateway.stdout + sides.gateway.stderr)).toEqual([])
  })
})
