import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type Provider, startProvider } from '@tidegate/testkit'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { adminKey, type CachingGateway, cachingGateway } from './caching-gateway.fixture.ts'

let provider: Provider

beforeAll(async () => {
  provider = await startProvider()
})
beforeEach(() => {
  provider.reset()
  provider.always({ status: 200, json: { a: 1 }, headers: { 'set-cookie': null } })
})
afterAll(() => provider[Symbol.asyncDispose]())

const isPublic = { auth: 'none', cache: { ttl: '1m', scope: 'public' } }
const plain = { protocol: 'http', route: isPublic } as const

/** Asks with headers that a browser would not let anybody set, and says where the answer came from. */
async function ask(
  gateway: CachingGateway,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const sent = request(`${gateway.url}/page`, { agent: false, headers })
  sent.end()
  const [answer]: IncomingMessage[] = await once(sent, 'response')
  answer?.resume()
  return answer?.headers['x-tidegate-cache']
}

it.each([
  ['another name of the gateway', { host: 'evil.example' }],
  ['a language that it takes back', { connection: 'close, accept-language', ...german() }],
  ['another method', { 'x-http-method-override': 'DELETE' }],
  ['another path', { 'x-original-url': '/admin' }],
  ['a key that only the upstream knows', { 'x-goog-api-key': 'theirs' }],
  ['a name that some upstreams read as another', { Accept_Language: 'fr' }],
])('what somebody asks with %s is nobody else’s answer', async (_what, headers) => {
  await using gateway = await cachingGateway(provider, plain)
  await ask(gateway, headers)
  expect(await ask(gateway, german())).toBe('miss')
  expect(await ask(gateway, german())).toBe('hit')
})

it('a plain service is asked again as its clients have asked it, by name and scheme', async () => {
  const more = {
    cache: { warm: { every: '1h' } },
    server: { trustedProxies: ['127.0.0.1'] },
  }
  await using gateway = await cachingGateway(provider, { ...plain, more })
  const called = { host: 'a.example', 'x-forwarded-proto': 'https', ...german() }
  // What is popular is told from a sample.
  for (let i = 0; i < 200; i += 1) await ask(gateway, called)
  gateway.wait(61_000)
  const order = { body: {}, as: '', headers: { 'x-admin-key': adminKey } }
  expect((await gateway.ask('/cache/warm', order)).json).toMatchObject({ fetched: 1 })
  expect(await ask(gateway, called)).toBe('hit')
  expect(provider.requests.at(-1)?.headers).toMatchObject({
    'x-forwarded-host': 'a.example',
    'x-forwarded-proto': 'https',
  })
  expect(await ask(gateway, { ...called, host: 'b.example' })).toBe('miss')
})

function german(): Readonly<Record<string, string>> {
  return { 'accept-language': 'de' }
}
