import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { RemoteSigningKeys } from './signing-keys.ts'

const issuer = 'https://login.example.com/'
const jwksUrl = 'https://login.example.com/keys'

async function keySet(...kids: string[]) {
  const { publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  return { keys: kids.map((kid) => ({ ...jwk, kid, alg: 'ES256' })) }
}

function setUp(settings: { readonly jwksUrl?: string | undefined } = { jwksUrl }) {
  const clock = { now: 1_000_000 }
  const asked: string[] = []
  const answers = new Map<string, () => unknown>()
  const events: boolean[] = []
  const timers: { at: number; work: () => void }[] = []
  const keys = new RemoteSigningKeys({
    settings: { issuer, cacheFor: 600_000, keepFor: 86_400_000, jwksUrl: settings.jwksUrl },
    fetch: async (url) => {
      asked.push(url)
      return answers.get(url)?.()
    },
    now: () => clock.now,
    schedule: (work, ms) => {
      const timer = { at: clock.now + ms, work }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer), 1)
    },
    onChange: ({ available }) => events.push(available),
  })
  const fail = () => {
    throw new Error('out')
  }
  return { clock, asked, answers, events, timers, keys, fail }
}

describe('RemoteSigningKeys', () => {
  it('fetches once for all who wait, and keeps what is the same', async () => {
    const { clock, asked, answers, keys } = setUp()
    const set = await keySet('a')
    answers.set(jwksUrl, () => structuredClone(set))
    const [one, other] = await Promise.all([keys.load(), keys.load()])
    expect(one).toBeDefined()
    expect(other).toBe(one)
    expect(asked).toEqual([jwksUrl])
    clock.now += 20_000
    await keys.renew()
    expect(keys.current).toBe(one)
    expect(asked).toHaveLength(2)
  })

  it('asks again for unknown keys at most every ten seconds', async () => {
    const { clock, asked, answers, keys } = setUp()
    const set = await keySet('a')
    answers.set(jwksUrl, () => set)
    await keys.load()
    for (let at = 0; at < 1000; at += 1) expect(await keys.renew()).toBe(true)
    expect(asked).toHaveLength(2)
    clock.now += 10_000
    await Promise.all(Array.from({ length: 100 }, () => keys.renew()))
    expect(asked).toHaveLength(3)
  })

  it('refreshes in the background, and holds on to the last good keys for keepFor', async () => {
    const { clock, answers, events, keys, timers, fail } = setUp()
    const set = await keySet('a')
    answers.set(jwksUrl, () => set)
    const loaded = await keys.load()
    expect(timers).toHaveLength(1)
    expect(timers[0]?.at).toBeLessThanOrEqual(clock.now + 600_000)
    answers.set(jwksUrl, fail)
    clock.now += 600_000
    expect(await keys.renew()).toBe(false)
    expect(keys.current).toBe(loaded)
    expect(keys.state).toMatchObject({ keys: 1, lastFault: 'out' })
    clock.now += 86_400_000 - 600_000
    expect(keys.current).toBeUndefined()
    answers.set(jwksUrl, () => set)
    expect(await keys.load()).toBeDefined()
    expect(events).toEqual([false, true])
    keys.close()
  })

  it('has none while there never were any, and is not asked for them again at once', async () => {
    const { clock, asked, answers, events, keys, fail } = setUp()
    answers.set(jwksUrl, fail)
    expect(await keys.load()).toBeUndefined()
    for (let at = 0; at < 100; at += 1) expect(await keys.load()).toBeUndefined()
    expect(asked).toHaveLength(1)
    expect(events).toEqual([false])
    expect(keys.retryAfterMs).toBe(1000)
    clock.now += 1000
    await keys.load()
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['nothing', undefined],
    ['text', 'keys'],
    ['no list', { keys: {} }],
    ['an empty list', { keys: [] }],
    ['a list without end', { keys: Array.from({ length: 101 }, () => ({ kty: 'EC' })) }],
    ['a list of texts', { keys: ['a'] }],
  ])('refuses %s and keeps the keys it has', async (_, answer) => {
    const { clock, answers, keys } = setUp()
    const set = await keySet('a')
    answers.set(jwksUrl, () => set)
    const loaded = await keys.load()
    answers.set(jwksUrl, () => answer)
    clock.now += 20_000
    expect(await keys.renew()).toBe(false)
    expect(keys.current).toBe(loaded)
  })

  it('finds the keys by discovery, and believes no other issuer', async () => {
    const { answers, asked, keys } = setUp({})
    const at = 'https://login.example.com/.well-known/openid-configuration'
    const set = await keySet('a')
    answers.set(at, () => ({ issuer, jwks_uri: jwksUrl }))
    answers.set(jwksUrl, () => set)
    expect(await keys.load()).toBeDefined()
    expect(asked).toEqual([at, jwksUrl])
  })

  it.each([
    ['another issuer', { issuer: 'https://evil.example/', jwks_uri: jwksUrl }],
    ['the issuer less its slash', { issuer: 'https://login.example.com', jwks_uri: jwksUrl }],
    ['keys over http', { issuer, jwks_uri: 'http://login.example.com/keys' }],
    ['keys in a file', { issuer, jwks_uri: 'file:///etc/keys' }],
    ['no keys', { issuer }],
    ['nothing', null],
  ])('refuses a discovery document of %s', async (_, document) => {
    const { answers, keys } = setUp({})
    answers.set('https://login.example.com/.well-known/openid-configuration', () => document)
    answers.set(jwksUrl, () => ({ keys: [{ kty: 'EC' }] }))
    expect(await keys.load()).toBeUndefined()
    expect(keys.state.lastFault).toMatch(/discovery document/)
  })
})
