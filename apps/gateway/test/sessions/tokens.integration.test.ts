import Anthropic from '@anthropic-ai/sdk'
import { type Provider, type RunningGateway, startGateway, startProvider } from '@tidegate/testkit'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audience, type Issuer, startIssuer } from '../identity/issuer.ts'
import { ask, handlesOf } from './asking.ts'

const sessionsPath = '/api/v1/sessions'
const admin = 'admin-key-0123456789'
const robot = 'robot-key-0123456789'

let provider: Provider
let issuer: Issuer
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  issuer = await startIssuer('ES256')
  const url = `${provider.url}/v1`
  gateway = await startGateway({
    config: {
      version: 1,
      admin: { key: admin },
      sessions: { max: 1 },
      upstreams: {
        openai: { protocol: 'openai', endpoints: [{ url, apiKey: 'theirs' }] },
        anthropic: { protocol: 'anthropic', endpoints: [{ url, apiKey: 'theirs' }] },
        service: { protocol: 'http', endpoints: [{ url: provider.url }] },
      },
      routes: [
        { match: '/v1/messages', upstreams: ['anthropic'] },
        { match: '/v1/**', upstreams: ['openai'] },
        { match: '/**', upstreams: ['service'] },
      ],
      auth: {
        keys: [{ id: 'robot', key: robot }],
        jwt: { issuer: issuer.url, audience },
      },
    },
  })
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await issuer?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

const statusWith = async (key: string, session?: string) =>
  (await ask(gateway, '/echo/x', { key, ...(session !== undefined && { session }) })).status

describe('a token that names its session', () => {
  it('opens it, and no other token of the user gets in beside it', async () => {
    const [phone, again, laptop] = [
      await issuer.sign({ sub: 'ada', sid: 'phone' }),
      await issuer.sign({ sub: 'ada', sid: 'phone', jti: 'renewed' }),
      await issuer.sign({ sub: 'ada', sid: 'laptop' }),
    ]
    expect([await statusWith(phone), await statusWith(again)]).toEqual([200, 200])
    expect(await statusWith(laptop)).toBe(429)
    expect(await statusWith(await issuer.sign({ sub: 'eve', sid: 'phone' }))).toBe(200)
  })

  it('stays in it, whatever its X-Session-ID says', async () => {
    const token = await issuer.sign({ sub: 'bob', sid: 'his-own' })
    expect(await statusWith(token, 'another')).toBe(200)
    expect(await statusWith(token, 'a-third')).toBe(200)
    const listed = await ask(gateway, `${sessionsPath}?user=jwt:bob`, { admin })
    expect(handlesOf(listed)).toHaveLength(1)
  })

  it('opens nothing any more when an operator has ended it', async () => {
    const token = await issuer.sign({ sub: 'cid', sid: 'stolen' })
    expect(await statusWith(token)).toBe(200)
    const of = `${sessionsPath}?user=jwt:cid`
    const ended = await ask(gateway, of, { method: 'DELETE', admin })
    expect(ended.body?.ended).toHaveLength(1)
    expect(await statusWith(token)).toBe(401)
    expect(await statusWith(token, 'another')).toBe(401)
    expect(await statusWith(await issuer.sign({ sub: 'cid', sid: 'signed-in-again' }))).toBe(200)
  })

  it('is not the key of the same name', async () => {
    await statusWith(await issuer.sign({ sub: 'robot', sid: 'x' }))
    const own = await ask(gateway, sessionsPath, { key: robot })
    expect(own.body).toMatchObject({ user: 'key:robot', sessions: [] })
  })
})

describe('SDKs', () => {
  it('raise their own errors, and wait for no hour', async () => {
    expect(await statusWith(robot, 'first')).toBe(200)
    const defaultHeaders = { 'x-session-id': 'second' }
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: robot, defaultHeaders })
    await expect(openai.models.list()).rejects.toThrow(OpenAI.RateLimitError)
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: robot, defaultHeaders })
    const message = { model: 'm', max_tokens: 1, messages: [] }
    await expect(anthropic.messages.create(message)).rejects.toThrow(Anthropic.RateLimitError)
    await ask(gateway, sessionsPath, { method: 'DELETE', key: robot })
    const ended = { 'x-session-id': 'first' }
    const late = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: robot, defaultHeaders: ended })
    await expect(late.models.list()).rejects.toThrow(OpenAI.AuthenticationError)
  })
})
