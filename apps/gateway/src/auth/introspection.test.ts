import { Secret } from '@tidegate/config'
import { describe, expect, it } from 'vitest'
import type { IntrospectionSettings } from '../config/auth-settings.ts'
import { FetchFault } from './fetch-json.ts'
import { Introspection } from './introspection.ts'

const settings: IntrospectionSettings = {
  ...{ url: 'https://login.example.com/introspect', clientId: 'gate way', audience: undefined },
  ...{ clientSecret: new Secret('s:cr%t é'), cacheFor: 30_000, timeout: 2_000 },
  ...{ userClaim: 'sub', tierClaim: 'tier', scopes: [], claims: new Map() },
}

function setUp(more: Partial<IntrospectionSettings> = {}) {
  const clock = { now: 1_000_000 }
  const asked: { token: string | undefined; authorization: string }[] = []
  const answers = new Map<string, unknown>()
  const faults: unknown[] = []
  const state: { out: boolean; refuses?: string } = { out: false }
  const introspection = new Introspection({
    settings: { ...settings, ...more },
    ask: async (form, authorization) => {
      asked.push({ token: form.token, authorization })
      if (state.out) throw new Error('out')
      const refused = state.refuses === form.token
      if (refused) throw new FetchFault('no', { status: 400 })
      return answers.get(form.token ?? '') ?? { active: false }
    },
    tiers: new Set(['pro']),
    now: () => clock.now,
    onFault: (error) => faults.push(error),
  })
  return { clock, asked, answers, faults, state, introspection }
}

describe('Introspection', () => {
  it('asks once for all who wait and for as long as the answer counts', async () => {
    const { clock, asked, answers, introspection } = setUp()
    answers.set('t', { active: true, sub: 'ada', tier: 'pro', client_id: 'app' })
    const all = await Promise.all(Array.from({ length: 20 }, () => introspection.verify('t')))
    expect(all[0]).toMatchObject({
      kind: 'known',
      identity: { kind: 'oauth', id: 'ada', user: 'ada', tier: 'pro' },
    })
    expect(new Set(all).size).toBe(1)
    clock.now += 29_999
    expect(introspection.recall('t')).toBe(all[0])
    await introspection.verify('t')
    expect(asked).toHaveLength(1)
    clock.now += 1
    expect(introspection.recall('t')).toBeUndefined()
    await introspection.verify('t')
    expect(asked).toHaveLength(2)
  })

  it('keeps asking a server that refuses to look at nonsense', async () => {
    const { clock, asked, answers, faults, state, introspection } = setUp()
    answers.set('good', { active: true, sub: 'ada' })
    state.refuses = 'nonsense'
    for (let i = 0; i < 20; i += 1) {
      expect(await introspection.verify('nonsense')).toMatchObject({ reason: 'inactive' })
      clock.now += 5_000
    }
    expect(faults).toHaveLength(20)
    expect(await introspection.verify('good')).toMatchObject({ kind: 'known' })
    expect(asked).toHaveLength(21)
    expect(await introspection.verify('t\u00f6ken')).toEqual({ kind: 'unknown' })
    expect(asked).toHaveLength(21)
  })

  it('forgets a no sooner, and a yes at the end of the token', async () => {
    const { clock, asked, answers, introspection } = setUp()
    expect(await introspection.verify('no')).toEqual({
      ...{ kind: 'rejected', reason: 'inactive', genuine: false },
    })
    clock.now += 4_999
    await introspection.verify('no')
    expect(asked).toHaveLength(1)
    clock.now += 1
    await introspection.verify('no')
    expect(asked).toHaveLength(2)
    answers.set('short', { active: true, sub: 'ada', exp: clock.now / 1000 + 2 })
    await introspection.verify('short')
    clock.now += 2_000
    expect(introspection.recall('short')).toBeUndefined()
    expect(await introspection.verify('short')).toMatchObject({ reason: 'expired' })
  })

  it('sends its credentials form-encoded, as RFC 6749 has it', async () => {
    const { asked, introspection } = setUp()
    await introspection.verify('t')
    const [scheme, encoded = ''] = asked[0]?.authorization.split(' ') ?? []
    expect(scheme).toBe('Basic')
    expect(Buffer.from(encoded, 'base64').toString()).toBe('gate+way:s%3Acr%25t+%C3%A9')
  })

  it('lets nobody in while it has no answer, and leaves the server alone after five faults', async () => {
    const { clock, asked, answers, faults, state, introspection } = setUp()
    answers.set('t', { active: true, sub: 'ada' })
    await introspection.verify('t')
    state.out = true
    for (let at = 0; at < 10; at += 1) {
      const verdict = await introspection.verify(`t-${at}`)
      expect(verdict).toMatchObject({ kind: 'unavailable' })
    }
    expect(asked).toHaveLength(6)
    expect(faults).toHaveLength(5)
    expect(introspection.recall('t')?.kind).toBe('known')
    state.out = false
    clock.now += 3_000
    expect((await introspection.verify('t')).kind).toBe('known')
  })

  it.each([null, [], 'active', { active: 'true' }, { active: 1 }, {}])(
    'does not take %j for an answer',
    async (answer) => {
      const { answers, introspection } = setUp()
      answers.set('t', answer ?? 0)
      expect(await introspection.verify('t')).toMatchObject({ kind: 'unavailable' })
    },
  )

  it('checks audience and begin where the server tells them', async () => {
    const { answers, introspection } = setUp({ audience: ['us'] })
    answers.set('ours', { active: true, sub: 'ada', aud: ['them', 'us'] })
    answers.set('theirs', { active: true, sub: 'ada', aud: 'them' })
    answers.set('anybodys', { active: true, sub: 'ada' })
    answers.set('later', { active: true, sub: 'ada', aud: 'us', nbf: 1_001 })
    expect((await introspection.verify('ours')).kind).toBe('known')
    expect(await introspection.verify('theirs')).toMatchObject({ reason: 'audience' })
    expect(await introspection.verify('anybodys')).toMatchObject({ reason: 'audience' })
    expect(await introspection.verify('later')).toMatchObject({ reason: 'not_yet_valid' })
  })

  it('asks about so many at a time, and about nothing without end', async () => {
    const { asked, introspection } = setUp()
    const all = await Promise.all(
      Array.from({ length: 300 }, (_, at) => introspection.verify(`t-${at}`)),
    )
    expect(asked).toHaveLength(256)
    expect(all.filter(({ kind }) => kind === 'unavailable')).toHaveLength(44)
    expect(await introspection.verify('x'.repeat(8_193))).toEqual({ kind: 'unknown' })
    expect(asked).toHaveLength(256)
  })
})
