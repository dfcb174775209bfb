import Anthropic from '@anthropic-ai/sdk'
import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { gatewayFor, providerKey } from './gateway.ts'
import { audience, type Issuer, startIssuer } from './issuer.ts'

let provider: Provider
let issuer: Issuer
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider({ apiKeys: [providerKey] })
  issuer = await startIssuer()
  gateway = await gatewayFor(provider, {
    jwt: { issuer: issuer.url, audience, scopes: ['use'] },
    introspection: {
      ...{ url: 'http://127.0.0.1:1/introspect', clientId: 'gateway', clientSecret: 'secret' },
    },
    guard: { failures: '3/1m', block: '1m' },
  })
})
beforeEach(() => provider.reset())
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'Hello' }] }

const openai = (apiKey: string, maxRetries = 2) =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries })
const anthropic = (apiKey: string, maxRetries = 2) =>
  new Anthropic({ baseURL: gateway.url, apiKey, authToken: null, maxRetries })

const viaOpenai = (token: string, retries?: number) =>
  openai(token, retries)
    .chat.completions.create(chat)
    .catch((error: unknown) => error)
const viaAnthropic = (token: string, retries?: number) =>
  anthropic(token, retries)
    .messages.create({ ...chat, max_tokens: 10 })
    .catch((error: unknown) => error)

/** How many requests the gateway has answered with this error, once Anthropic's, the last, is logged. */
async function answered(code: string): Promise<number> {
  await gateway.waitForLog((line) => line.error_code === code && line.path === '/v1/messages')
  return gateway.logs.filter(({ error_code: each }) => each === code).length
}

describe('the SDKs', () => {
  it('pass with a token as their key', async () => {
    const token = await issuer.sign({ scope: 'use' })
    expect(await viaOpenai(token)).toMatchObject({ object: 'chat.completion' })
    expect(await viaAnthropic(token)).toMatchObject({ type: 'message' })
  })

  it('raise AuthenticationError for a token that is over, without a retry', async () => {
    const token = await issuer.sign({ exp: 1 })
    const one = await viaOpenai(token)
    expect(one).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(one).toMatchObject({
      ...{ status: 401, code: 'invalid_token', type: 'authentication_error' },
    })
    const other = await viaAnthropic(token)
    expect(other).toBeInstanceOf(Anthropic.AuthenticationError)
    expect(other).toMatchObject({ error: { error: { type: 'authentication_error' } } })
    expect(await answered('invalid_token')).toBe(2)
  })

  it('raise PermissionDeniedError for a token that lacks a scope', async () => {
    const token = await issuer.sign({ scope: 'see' })
    const one = await viaOpenai(token)
    expect(one).toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(one).toMatchObject({
      ...{ status: 403, code: 'insufficient_scope', type: 'permission_error' },
    })
    const other = await viaAnthropic(token)
    expect(other).toBeInstanceOf(Anthropic.PermissionDeniedError)
    expect(other).toMatchObject({ error: { error: { type: 'permission_error' } } })
  })

  it('raise InternalServerError for a token that can not be judged', async () => {
    const one = await viaOpenai('opaque', 0)
    expect(one).toBeInstanceOf(OpenAI.InternalServerError)
    expect(one).toMatchObject({ status: 503, code: 'auth_unavailable' })
    const other = await viaAnthropic('opaque', 0)
    expect(other).toBeInstanceOf(Anthropic.InternalServerError)
    expect(other).toMatchObject({ error: { error: { type: 'overloaded_error' } } })
  })

  it('raise RateLimitError when they have guessed too often, and do not retry', async () => {
    for (let at = 0; at < 3; at += 1) await viaOpenai(await issuer.sign({}, { kid: `guess-${at}` }))
    const one = await viaOpenai(await issuer.sign({}, { kid: 'guess' }))
    expect(one).toBeInstanceOf(OpenAI.RateLimitError)
    expect(one).toMatchObject({
      ...{ status: 429, code: 'too_many_failed_attempts', type: 'rate_limit_error' },
    })
    const other = await viaAnthropic('opaque')
    expect(other).toBeInstanceOf(Anthropic.RateLimitError)
    expect(await answered('too_many_failed_attempts')).toBe(2)
  })
})
