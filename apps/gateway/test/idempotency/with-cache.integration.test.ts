import { type Provider, type RunningGateway, startProvider } from '@tidegate/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, freshKey, keyedGateway, streamed, told } from './keyed-gateway.ts'

let provider: Provider
let gateway: RunningGateway
let asked = 0

beforeAll(async () => {
  provider = await startProvider()
  gateway = await keyedGateway(provider, { route: { cache: '10m' } })
})
afterEach(() => provider.reset())
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await provider?.[Symbol.asyncDispose]()
})

/** A question that nobody has asked before. */
function anew<T extends object>(question: T): T & { model: string } {
  asked += 1
  return { ...question, model: `tide-${asked}` }
}

/** What the answer says of the cache, and of being a replay. */
async function way(response: Promise<Response>): Promise<readonly (string | null)[]> {
  const { headers } = await response
  await (await response).arrayBuffer()
  return [headers.get('x-tidegate-cache'), headers.get('idempotent-replayed')]
}

describe('a key on a route with a cache', () => {
  for (const [what, question] of [
    ['JSON', { messages: [{ role: 'user', content: 'When is high tide?' }] }],
    ['a stream', streamed],
  ] as const) {
    it(`gets ${what} that is kept, and from then on the same`, async () => {
      const body = anew(question)
      const kept = await told(ask(gateway, { body }))
      const key = freshKey()
      expect(await way(ask(gateway, { body, key }))).toEqual(['hit', null])
      expect(await told(ask(gateway, { body, key }))).toMatchObject({
        ...{ status: 200, body: kept.body, type: kept.type, replayed: true },
      })
      expect(await way(ask(gateway, { body, key }))).toEqual(['bypass', 'true'])
      expect(provider.hits).toBe(1)
    })

    it(`has ${what} kept for others`, async () => {
      const body = anew(question)
      const key = freshKey()
      expect(await way(ask(gateway, { body, key }))).toEqual(['miss', null])
      expect(await way(ask(gateway, { body }))).toEqual(['hit', null])
      expect(await way(ask(gateway, { body, key }))).toEqual(['bypass', 'true'])
      expect(provider.hits).toBe(1)
    })
  }

  it('keeps its own answer when nobody else may have it', async () => {
    const body = anew(streamed)
    const key = freshKey()
    const headers = { 'cache-control': 'no-store' }
    expect(await way(ask(gateway, { body, key, headers }))).toEqual(['bypass', null])
    expect(await way(ask(gateway, { body, key, headers }))).toEqual(['bypass', 'true'])
    expect(await way(ask(gateway, { body }))).toEqual(['miss', null])
    expect(provider.hits).toBe(2)
  })

  it('has a call of its own made to its end, though its client leaves', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    provider.always({ beforeEvent: (index) => (index === 3 ? promise : undefined) })
    const leaving = new AbortController()
    const body = anew(streamed)
    const key = freshKey()
    const left = ask(gateway, { body, key, signal: leaving.signal }).then((all) => all.text())
    const call = await provider.waitForRequest()
    leaving.abort()
    await expect(left).rejects.toThrow()
    await gateway.waitForLog(({ status_code }) => status_code === 499)
    resolve()
    expect((await told(ask(gateway, { body, key }))).body).toContain('[DONE]')
    expect(await call.closedEarly).toBeNull()
    expect(provider.hits).toBe(1)
  })

  it('hears what went wrong with the call, and begins anew', async () => {
    const body = anew(streamed)
    const key = freshKey()
    provider.next({ status: 429 }, { fault: { kind: 'reset', at: { events: 3 } } })
    expect((await told(ask(gateway, { body, key }))).status).toBe(429)
    expect((await told(ask(gateway, { body, key }))).body).toContain('"error"')
    const answer = await told(ask(gateway, { body, key }))
    expect(answer).toMatchObject({ status: 200, replayed: false })
    expect(answer.body).toContain('[DONE]')
    await provider.die()
    const other = { body: anew(streamed), key: freshKey() }
    expect((await told(ask(gateway, other))).status).toBe(502)
    await provider.recover()
    expect(await told(ask(gateway, other))).toMatchObject({ status: 200, replayed: false })
  })

  it('hears that nothing is kept when it wants only that', async () => {
    const body = anew(streamed)
    const key = freshKey()
    const headers = { 'cache-control': 'only-if-cached' }
    expect((await told(ask(gateway, { body, key, headers }))).status).toBe(504)
    expect(await told(ask(gateway, { body, key }))).toMatchObject({ status: 200, replayed: false })
    expect(provider.hits).toBe(1)
  })
})
