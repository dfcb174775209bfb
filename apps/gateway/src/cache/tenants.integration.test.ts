import { type Provider, startProvider } from '@tidegate/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Asking,
  type CachingOptions,
  CHAT,
  cachingGateway,
  chat,
} from './caching-gateway.fixture.ts'

let provider: Provider
let answered = 0

beforeAll(async () => {
  provider = await startProvider()
})
/** Each answer says which call it is from. */
function numberAnswers(): void {
  provider.reset()
  provider.always(() => {
    answered += 1
    return { headers: { 'x-answer': String(answered) } }
  })
}

beforeEach(numberAnswers)
afterAll(() => provider[Symbol.asyncDispose]())

/** Who asks: a key of the gateway's, an own one or none, with or without something else of one's own. */
interface Caller {
  readonly as: string
  readonly own: Readonly<Record<string, string>>
}

const caller: fc.Arbitrary<Caller> = fc.record({
  as: fc.constantFrom('', 'ada', 'bob'),
  own: fc.record(
    {
      cookie: fc.constantFrom('session=1', 'session=2'),
      'x-user-id': fc.constantFrom('1', '2'),
    },
    { requiredKeys: [] },
  ),
})

interface Step {
  readonly caller: Caller
  readonly path: string
  readonly stream: boolean
  readonly wish: string | undefined
}

const step: fc.Arbitrary<Step> = fc.record({
  caller,
  path: fc.constantFrom(CHAT, '/v1/completions', '/v1/embeddings'),
  stream: fc.boolean(),
  wish: fc.constantFrom(undefined, undefined, 'no-cache', 'max-stale', 'no-store'),
})

function askingOf({ caller: { as, own }, stream, wish }: Step): Asking {
  return {
    ...{ as, body: chat({ stream, input: 'a', prompt: 'a' }) },
    headers: { ...own, ...(wish !== undefined && { 'cache-control': wish }) },
  }
}

/** What tells one caller from another, to the gateway or to the upstream. */
function nameOf({ as, own }: Caller): string {
  return JSON.stringify([as, Object.entries(own).sort()])
}

/** Which callers have had each answer. */
async function readers(
  options: CachingOptions,
  steps: readonly Step[],
): Promise<Map<string, Set<string>>> {
  await using gateway = await cachingGateway(provider, options)
  const found = new Map<string, Set<string>>()
  const ask = async (each: Step): Promise<void> => {
    const answer = await gateway.ask(each.path, askingOf(each))
    expect(answer.status).toBe(200)
    const call = answer.headers.get('x-answer') ?? ''
    found.set(call, (found.get(call) ?? new Set()).add(nameOf(each.caller)))
  }
  // Some at the same time, so that they meet under way as well.
  for (let at = 0; at < steps.length; at += 4) await Promise.all(steps.slice(at, at + 4).map(ask))
  return found
}

const runs = { numRuns: 15, endOnFailure: true }
const some = fc.array(step, { minLength: 8, maxLength: 24 })

describe('two callers', () => {
  it.each([
    ['key', 'optional'],
    ['user', 'optional'],
    // Told apart by credentials of their own, which the upstream gets.
    ['key', 'none'],
  ])(
    'never have the same answer where its scope is %s and auth %s',
    async (scope, auth) => {
      const route = { auth, cache: { ttl: '1m', stale: '1h', scope } }
      const endpoints = [{ url: `${provider.url}/v1`, ...(auth !== 'none' && { apiKey: 'own' }) }]
      await fc.assert(
        fc.asyncProperty(some, async (steps) => {
          numberAnswers()
          const found = await readers({ route, upstream: { endpoints } }, steps)
          for (const callers of found.values()) expect(callers.size).toBe(1)
        }),
        runs,
      )
    },
    60_000,
  )

  it('share only what is public, and that only if the upstream could not tell them apart', async () => {
    const route = { auth: 'optional', cache: { ttl: '1m', scope: 'public' } }
    await fc.assert(
      fc.asyncProperty(some, async (steps) => {
        numberAnswers()
        const found = await readers({ route }, steps)
        // The upstream gets a key of the gateway's, whoever asks.
        const seen = (name: string): string => JSON.stringify(JSON.parse(name)[1])
        for (const callers of found.values()) {
          expect(new Set([...callers].map(seen)).size).toBe(1)
        }
      }),
      runs,
    )
  }, 60_000)
})

describe('scope', () => {
  it('key: each key has its own', async () => {
    await using gateway = await cachingGateway(provider)
    await gateway.ask(CHAT, { body: chat() })
    expect((await gateway.ask(CHAT, { body: chat(), as: 'bob' })).cache).toBe('miss')
    expect((await gateway.ask(CHAT, { body: chat(), as: 'bob' })).cache).toBe('hit')
  })

  it('public: all have the same', async () => {
    const route = { auth: 'optional', cache: { ttl: '1m', scope: 'public' } }
    await using gateway = await cachingGateway(provider, { route })
    const first = await gateway.ask(CHAT, { body: chat() })
    for (const as of ['bob', '']) {
      const other = await gateway.ask(CHAT, { body: chat(), as })
      expect(other).toMatchObject({ cache: 'hit', text: first.text })
    }
    expect(provider.hits).toBe(1)
  })

  it('key: what a client brings the upstream itself tells it from others, and stands nowhere', async () => {
    const route = { auth: 'none', cache: '1m' }
    const endpoints = [{ url: `${provider.url}/v1` }]
    await using gateway = await cachingGateway(provider, { route, upstream: { endpoints } })
    const ask = (key: string) =>
      gateway.ask(CHAT, { body: chat(), as: '', headers: { authorization: `Bearer ${key}` } })
    await ask('CANARY-one')
    expect((await ask('CANARY-two')).cache).toBe('miss')
    expect((await ask('CANARY-one')).cache).toBe('hit')
    const stats = await gateway.ask('/cache/stats', {
      as: '',
      headers: { 'x-admin-key': 'CANARY-admin' },
    })
    expect(stats.text).not.toContain('CANARY')
  })
})
