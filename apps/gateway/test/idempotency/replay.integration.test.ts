import { type Provider, pollUntil, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, freshKey, keyedGateway, question, refusal, streamed, told } from './keyed-gateway.ts'

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

describe('a repeat of a request with its Idempotency-Key', () => {
  for (const [what, body] of Object.entries({ JSON: question, 'a stream': streamed })) {
    it(`gets ${what} again, byte for byte, without a call`, async () => {
      const asked = { key: freshKey(), body }
      const first = await told(ask(gateway, asked))
      provider.always({ text: 'another answer' })
      const again = [await told(ask(gateway, asked)), await told(ask(gateway, asked))]
      expect(first).toMatchObject({ status: 200, replayed: false })
      for (const each of again) {
        const { body, status, type } = first
        expect(each).toMatchObject({ body, status, type, replayed: true })
        expect(each.requestId).not.toBe(first.requestId)
      }
      expect(provider.hits).toBe(1)
    })
  }

  it('is known by its key in either spelling', async () => {
    const key = freshKey()
    await told(ask(gateway, { key }))
    expect(await told(ask(gateway, { key: `"${key}"` }))).toMatchObject({ replayed: true })
    expect(provider.hits).toBe(1)
  })

  it('gets the answer of a PATCH, and of what answers without a body', async () => {
    provider.always({ status: 204, body: '' })
    const asked = { path: '/service/orders/7', method: 'PATCH', key: freshKey() }
    expect(await told(ask(gateway, asked))).toMatchObject({ status: 204, replayed: false })
    expect(await told(ask(gateway, asked))).toMatchObject({ status: 204, replayed: true })
    expect(provider.hits).toBe(1)
  })

  it('is carried out anew when the window is over', async () => {
    await using brief = await keyedGateway(provider, { window: '1s' })
    const asked = { key: freshKey() }
    await told(ask(brief, asked))
    expect(await told(ask(brief, asked))).toMatchObject({ replayed: true })
    await pollUntil(async () => !(await told(ask(brief, asked))).replayed, {
      intervalMs: 100,
      describe: () => 'it was replayed for ever',
    })
    expect(provider.hits).toBe(2)
  })

  it('gets what the first is getting, while that is under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 3 ? promise : undefined) })
    const asked = { key: freshKey(), body: streamed }
    const first = await ask(gateway, asked)
    const second = await ask(gateway, asked)
    const reader = (second.body as ReadableStream<Uint8Array>).getReader()
    const { value = new Uint8Array() } = await reader.read()
    expect(Buffer.from(value).toString()).toContain('data:')
    resolve()
    let text = Buffer.from(value).toString()
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      text += Buffer.from(next.value).toString()
    }
    expect(text).toBe(await first.text())
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(provider.hits).toBe(1)
  })

  it('gets the whole answer of a first whose client has left', async () => {
    for (const body of [question, streamed]) {
      provider.reset()
      const { promise, resolve } = Promise.withResolvers<void>()
      provider.always({
        beforeHeaders: () => (body === question ? promise : Promise.resolve()),
        beforeEvent: (index) => (index === 3 ? promise : undefined),
      })
      const leaving = new AbortController()
      const asked = { key: freshKey(), body }
      const left = ask(gateway, { ...asked, signal: leaving.signal }).then((all) => all.text())
      const call = await provider.waitForRequest()
      leaving.abort()
      await expect(left).rejects.toThrow()
      const again = told(ask(gateway, asked))
      await gateway.waitForLog(({ status_code }) => status_code === 499)
      resolve()
      expect(await again).toMatchObject({ status: 200, replayed: true })
      expect(await call.closedEarly).toBeNull()
      expect(provider.hits).toBe(1)
    }
  })
})

describe('an Idempotency-Key', () => {
  it('is of one request only', async () => {
    const key = freshKey()
    await told(ask(gateway, { key }))
    const others = [
      { body: { ...question, model: 'other' } },
      { path: '/v1/embeddings' },
      { path: '/v1/chat/completions?a=1' },
      { path: '/service/chat', method: 'PATCH' },
      { headers: { 'content-type': 'application/json; charset=utf-8' } },
    ]
    for (const other of others) {
      expect(await refusal(ask(gateway, { key, ...other }))).toEqual([
        422,
        'idempotency_key_reused',
      ])
    }
    expect(await told(ask(gateway, { key }))).toMatchObject({ replayed: true })
    expect(provider.hits).toBe(1)
  })

  it('has to be one', async () => {
    for (const key of ['two words', '""', 'x'.repeat(256), '"a", "b"']) {
      const answer = await ask(gateway, { key })
      expect(answer.headers.get('x-should-retry')).toBe('false')
      expect(await refusal(Promise.resolve(answer))).toEqual([400, 'invalid_idempotency_key'])
    }
    expect(provider.hits).toBe(0)
  })

  it('means nothing on other methods, nor where it is not sent', async () => {
    const key = freshKey()
    for (let turn = 0; turn < 2; turn += 1) {
      await told(ask(gateway, { key, path: '/v1/models', method: 'GET' }))
      await told(ask(gateway, { key, path: '/service/a', method: 'PUT' }))
      await told(ask(gateway))
    }
    expect(provider.hits).toBe(6)
  })

  it('goes on to the upstream', async () => {
    const key = freshKey()
    await told(ask(gateway, { key }))
    expect(provider.lastRequest.headers['idempotency-key']).toBe(key)
  })
})

describe('the callers of a gateway', () => {
  it('never get the answer of one another', async () => {
    const key = freshKey()
    const all = ['ada', 'bob', 'eve'] as const
    for (const as of all) {
      provider.next({ text: `for ${as} alone` })
      const answer = await told(ask(gateway, { as, key }))
      expect(answer.replayed).toBe(false)
      expect(answer.body).toContain(as)
    }
    for (const as of all) expect((await told(ask(gateway, { as, key }))).body).toContain(as)
    expect(provider.hits).toBe(3)
  })

  it('are told apart by the credential that goes on, where they are asked for none here', async () => {
    const key = freshKey()
    const as = (token: string) => ({ authorization: `Bearer ${token}` })
    const asked = { path: '/passed/chat', key }
    for (const token of ['one', 'two', 'one']) {
      await told(ask(gateway, { ...asked, headers: as(token) }))
    }
    expect(provider.hits).toBe(2)
  })

  it('are nobody without a credential that anybody looks at: each request is carried out', async () => {
    const key = freshKey()
    for (const asked of [
      { path: '/passed/chat' },
      { path: '/passed/chat', headers: { cookie: 'theme=dark' } },
      { path: '/open/chat', headers: { authorization: 'Bearer anything' } },
    ]) {
      provider.reset()
      for (let turn = 0; turn < 2; turn += 1) {
        expect(await told(ask(gateway, { ...asked, key }))).toMatchObject({ replayed: false })
      }
      expect(provider.hits).toBe(2)
    }
  })
})
