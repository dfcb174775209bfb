import {
  type Provider,
  pollUntil,
  type RunningGateway,
  startProvider,
  startWebSocketUpstream,
  type WebSocketUpstream,
} from '@tidegate/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSocket, refusalOf } from '../websocket/open-socket.ts'
import { ask, health, keyOf, limitedGateway, limitsTold, statuses } from './limited-gateway.ts'

const keys = { ada: 'narrow', bob: 'narrow', eve: 'narrow', tok: 'tokens', big: 'tokens' }
const tiers = {
  narrow: { concurrent: 2 },
  tokens: { requests: '1k/1h', tokens: '10k/1h', concurrent: 50 },
}
const chat = '/v1/chat/completions'
const question = { model: 'tide', messages: [{ role: 'user', content: 'When is high tide?' }] }

let provider: Provider
let sockets: WebSocketUpstream
let gateway: RunningGateway

beforeAll(async () => {
  provider = await startProvider()
  sockets = await startWebSocketUpstream()
  const live = { protocol: 'http', endpoints: [{ url: sockets.url }] }
  gateway = await limitedGateway(provider, {
    ...{ tiers, keys, names: ['tier'] },
    more: {
      upstreams: {
        live,
        openai: {
          ...{ protocol: 'openai', retry: 'off', breaker: 'off' },
          endpoints: [{ url: `${provider.url}/v1`, apiKey: 'theirs' }],
        },
      },
      routes: [
        { match: '/live/**', upstreams: ['live'], limits: ['tier'], stripPrefix: '/live' },
        { match: '/v1/**', upstreams: ['openai'], limits: ['tier'] },
      ],
    },
  })
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
  await sockets?.[Symbol.asyncDispose]()
})

/** A stream that has begun, and ends when it is told to. */
async function openStream(as: string, signal?: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<void>()
  provider.next({ beforeEvent: (index) => (index === 2 ? promise : undefined) })
  const body = { ...question, stream: true }
  const response = await ask(gateway, { path: chat, as, body, ...(signal && { signal }) })
  return { response, end: resolve }
}

async function held(): Promise<number> {
  return (await health<{ held: number }>(gateway, 'limits')).held
}

async function untilHeld(count: number): Promise<void> {
  await pollUntil(async () => (await held()) === count, {
    timeoutMs: 5_000,
    describe: () => `never were ${count} held`,
  })
}

describe('a slot', () => {
  it('is held to the real end of a stream', async () => {
    const streams = [await openStream('ada'), await openStream('ada')]
    const denied = await ask(gateway, { path: chat, as: 'ada', body: question })
    expect(denied.status).toBe(429)
    expect(denied.headers.get('retry-after')).toBe('1')
    expect(limitsTold(denied)).toMatchObject({
      'narrow.concurrent': { q: 2, r: 0, qu: 'concurrent-requests' },
    })
    expect(await denied.json()).toMatchObject({
      code: 'concurrency_limit_exceeded',
      detail: expect.stringContaining('"narrow.concurrent" of 2 at a time is reached'),
    })
    expect(await statuses(gateway, 1, { path: chat, as: 'bob', body: question })).toEqual([200])
    streams[0]?.end()
    await streams[0]?.response.text()
    await untilHeld(1)
    expect(await statuses(gateway, 2, { path: chat, as: 'ada', body: question })).toEqual([
      200, 200,
    ])
    streams[1]?.end()
    await streams[1]?.response.text()
    await untilHeld(0)
  })

  it('is free when the client leaves', async () => {
    const controller = new AbortController()
    const stream = await openStream('bob', controller.signal)
    expect(await held()).toBe(1)
    controller.abort()
    await untilHeld(0)
    stream.end()
    await stream.response.text().catch(() => undefined)
  })

  it('is free when the upstream breaks, refuses or fails', async () => {
    provider.next({ fault: { kind: 'reset' } }, { status: 500 }, { status: 400 })
    const asked = { path: chat, as: 'eve', body: { ...question, stream: true } }
    for (let i = 0; i < 3; i += 1) await (await ask(gateway, asked)).text().catch(() => undefined)
    await untilHeld(0)
    expect(await statuses(gateway, 2, { path: chat, as: 'eve', body: question })).toEqual([
      200, 200,
    ])
  })

  it('is held by a WebSocket for as long as it is open', async () => {
    const url = `${gateway.url.replace('http', 'ws')}/live/echo`
    const options = { headers: { authorization: `Bearer ${keyOf('eve')}` } }
    const [one, two] = [await openSocket(url, [], options), await openSocket(url, [], options)]
    expect((await refusalOf(url, options)).status).toBe(429)
    one.close()
    await untilHeld(1)
    const three = await openSocket(url, [], options)
    two.close()
    three.terminate()
    await untilHeld(0)
  })
})

describe('tokens', () => {
  const asked = { path: chat, as: 'tok', body: question }
  const left = async (as = 'tok'): Promise<number> => {
    // A model list uses none, and tells nothing of them: so one is asked that does.
    provider.next({ usage: { input: 0, output: 0 } })
    const response = await ask(gateway, { path: chat, as, body: { ...question, max_tokens: 1 } })
    await response.text()
    await untilHeld(0)
    return Number(response.headers.get('x-ratelimit-remaining-tokens'))
  }

  it('are reserved as estimated, and settled as the provider says', async () => {
    const before = await left()
    provider.next({ usage: { input: 100, output: 400 } })
    const response = await ask(gateway, asked)
    expect(limitsTold(response)['tokens.tokens']).toMatchObject({
      q: 10_000,
      'tidegate-unit': 'tokens',
    })
    expect(Number(response.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThan(before - 900)
    await response.text()
    await untilHeld(0)
    const after = await left()
    expect(before - after).toBeGreaterThan(490)
    expect(before - after).toBeLessThanOrEqual(500)
  })

  it('are settled of a stream, whose extra chunk the client does not see', async () => {
    const before = await left()
    provider.next({ usage: { input: 30, output: 70 } })
    const response = await ask(gateway, { ...asked, body: { ...question, stream: true } })
    expect(await response.text()).not.toContain('"choices":[]')
    expect(provider.lastRequest.json).toMatchObject({ stream_options: { include_usage: true } })
    await untilHeld(0)
    const used = before - (await left())
    expect(used).toBeGreaterThan(95)
    expect(used).toBeLessThanOrEqual(100)
  })

  it('come back when the upstream refuses', async () => {
    const before = await left()
    provider.next(
      { status: 400 },
      { status: 500 },
      { fault: { kind: 'reset', at: 'before-headers' } },
    )
    expect(await statuses(gateway, 3, asked)).toEqual([400, 500, 502])
    await untilHeld(0)
    expect(before - (await left())).toBeLessThanOrEqual(0)
  })

  it('deny what does not fit now, and say of what never fits that waiting is in vain', async () => {
    const large = { ...asked, as: 'big', body: { ...question, max_tokens: 9_000 } }
    provider.next({ usage: { input: 1_000, output: 8_000 } })
    expect(await statuses(gateway, 1, large)).toEqual([200])
    await untilHeld(0)
    const denied = await ask(gateway, large)
    expect(denied.status).toBe(429)
    expect(await denied.json()).toMatchObject({ code: 'token_limit_exceeded' })
    expect(Number(denied.headers.get('retry-after'))).toBeGreaterThan(60)
    const never = await ask(gateway, { ...large, body: { ...question, max_tokens: 20_000 } })
    expect([never.status, never.headers.get('x-should-retry')]).toEqual([429, 'false'])
    expect(never.headers.get('retry-after')).toBeNull()
    expect(await never.json()).toMatchObject({
      code: 'request_exceeds_limit',
      detail: expect.stringContaining('never allows more than 10000 at once'),
    })
  })
})
