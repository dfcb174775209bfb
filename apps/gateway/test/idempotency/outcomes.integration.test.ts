import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  ask,
  freshKey,
  keyedGateway,
  keyOf,
  question,
  refusal,
  streamed,
  told,
} from './keyed-gateway.ts'

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

describe('an answer to a request with an Idempotency-Key', () => {
  for (const status of [401, 403, 408, 409, 429, 500, 503]) {
    it(`is no final one with ${status}: a repeat may succeed, and is kept then`, async () => {
      const asked = { key: freshKey() }
      provider.next({ status })
      expect(await told(ask(gateway, asked))).toMatchObject({ status, replayed: false })
      expect(await told(ask(gateway, asked))).toMatchObject({ status: 200, replayed: false })
      expect(await told(ask(gateway, asked))).toMatchObject({ status: 200, replayed: true })
      expect(provider.hits).toBe(2)
    })
  }

  for (const status of [400, 404, 422]) {
    it(`is final with ${status}, as the upstream has judged`, async () => {
      const asked = { key: freshKey() }
      provider.next({ status })
      const first = await told(ask(gateway, asked))
      const { body, type } = first
      expect(await told(ask(gateway, asked))).toMatchObject({ status, body, type, replayed: true })
      expect(provider.hits).toBe(1)
    })
  }

  it('is no final one when it says with a 200 that it failed', async () => {
    const asked = { key: freshKey() }
    const json = { error: { message: 'The model is overloaded.', code: 502 } }
    provider.next({ status: 200, json })
    const first = await told(ask(gateway, asked))
    expect(first).toMatchObject({ status: 200, body: JSON.stringify(json), replayed: false })
    expect(await told(ask(gateway, asked))).toMatchObject({ status: 200, replayed: false })
    expect(await told(ask(gateway, asked))).toMatchObject({ status: 200, replayed: true })
    expect(provider.hits).toBe(2)
  })

  it('is no final one when its upstream asks for a repeat', async () => {
    const asked = { key: freshKey() }
    provider.next({ status: 400, headers: { 'x-should-retry': 'true' } })
    expect((await told(ask(gateway, asked))).status).toBe(400)
    expect((await told(ask(gateway, asked))).status).toBe(200)
  })

  it('is none when nobody could be reached', async () => {
    const asked = { key: freshKey() }
    await provider.die()
    expect((await told(ask(gateway, asked))).status).toBe(502)
    await provider.recover()
    expect(await told(ask(gateway, asked))).toMatchObject({ status: 200, replayed: false })
  })

  it('is none when it breaks off: both who waited hear it, and a repeat begins anew', async () => {
    for (const kind of ['reset', 'stop', 'error-event'] as const) {
      provider.reset()
      const { promise, resolve } = Promise.withResolvers<void>()
      provider.next({
        beforeEvent: (index) => (index === 4 ? promise : undefined),
        fault: { kind, at: { events: 5 } },
      })
      const asked = { key: freshKey(), body: streamed }
      const waiting = [await ask(gateway, asked), await ask(gateway, asked)]
      resolve()
      for (const text of await Promise.all(waiting.map((each) => each.text()))) {
        expect(text).toContain('"error"')
        expect(text).not.toContain('[DONE]')
      }
      expect(provider.hits).toBe(1)
      const anew = await told(ask(gateway, asked))
      expect(anew).toMatchObject({ status: 200, replayed: false })
      expect(anew.body).toContain('[DONE]')
      expect(provider.hits).toBe(2)
    }
  })

  it('that has grown too large to be kept is not asked for twice', async () => {
    const asked = { path: '/service/large', key: freshKey() }
    provider.next({ body: Buffer.alloc(9 * 1024 * 1024, 'x') })
    const first = await told(ask(gateway, asked))
    expect([first.status, first.body.length]).toEqual([200, 9 * 1024 * 1024])
    const answer = ask(gateway, asked)
    expect((await answer).headers.get('x-should-retry')).toBe('false')
    expect(await refusal(answer)).toEqual([409, 'idempotent_answer_too_large'])
    expect(provider.hits).toBe(1)
  })
})

describe('what a repeat costs', () => {
  it('is a request, and none of the tokens that the first has used', async () => {
    const tier = { requests: '100/30d', tokens: '100k/30d' }
    await using limited = await keyedGateway(provider, { tier })
    const left = async () => {
      provider.next({ status: 500 })
      const { headers } = await fetch(`${limited.url}/v1/embeddings`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keyOf('ada')}` },
        body: '{"input":""}',
      })
      return ['requests', 'tokens'].map((each) =>
        Number(headers.get(`x-ratelimit-remaining-${each}`)),
      )
    }
    provider.always({ usage: { input: 100, output: 900 } })
    const before = await left()
    const asked = { key: freshKey(), body: streamed }
    await told(ask(limited, asked))
    const once = await left()
    expect(difference(before, once)).toEqual([2, 1000])
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await told(ask(limited, asked))).toMatchObject({ replayed: true })
    }
    expect(difference(once, await left())).toEqual([4, 0])
  })

  it('is nothing more when the first has left before its answer came', async () => {
    const tier = { tokens: '100k/30d' }
    await using limited = await keyedGateway(provider, { tier })
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ usage: { input: 100, output: 900 }, beforeHeaders: () => promise })
    const leaving = new AbortController()
    const asked = { key: freshKey(), body: question }
    const left = ask(limited, { ...asked, signal: leaving.signal })
    await provider.waitForRequest()
    leaving.abort()
    await expect(left).rejects.toThrow()
    const again = ask(limited, asked)
    resolve()
    expect(await told(again)).toMatchObject({ status: 200, replayed: true })
    provider.always({ status: 500 })
    const { headers } = await ask(limited, { body: { model: 'tide', max_tokens: 1, messages: [] } })
    const remaining = Number(headers.get('x-ratelimit-remaining-tokens'))
    // What this last one itself holds is a few tokens.
    expect(remaining).toBeGreaterThan(100_000 - 1000 - 100)
    expect(remaining).toBeLessThanOrEqual(100_000 - 1000)
    expect(provider.hits).toBe(2)
  })
})

function difference(before: readonly number[], after: readonly number[]): number[] {
  return before.map((each, index) => each - (after[index] ?? Number.NaN))
}
