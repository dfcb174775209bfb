import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ClaimReading, judgeClaims, readClaim } from './claims.ts'

const reading: ClaimReading = {
  kind: 'jwt',
  userClaim: 'sub',
  tierClaim: 'tier',
  scopes: [],
  claims: new Map(),
  tiers: new Set(['free', 'pro']),
}
const judge = (claims: object, more: Partial<ClaimReading> = {}) =>
  judgeClaims({ sub: 'ada', ...claims }, { ...reading, ...more })
const identity = (claims: object, more: Partial<ClaimReading> = {}) => {
  const verdict = judge(claims, more)
  return verdict.kind === 'known' ? verdict.identity : verdict
}

describe('judgeClaims', () => {
  it('reads user, tier and session', () => {
    expect(identity({ tier: 'pro', sid: 's-1' })).toEqual({
      ...{ kind: 'jwt', id: 'ada', user: 'ada', tier: 'pro', sessionId: 's-1' },
    })
    expect(identity({ sub: 17 })).toEqual({ kind: 'jwt', id: '17', user: '17' })
  })

  it('puts the name of the issuer before the user', () => {
    expect(identity({}, { name: 'partners' })).toMatchObject({
      ...{ id: 'partners:ada', user: 'partners:ada' },
    })
  })

  it('takes the first tier that there is, and none that there is not', () => {
    expect(identity({ tier: ['admin', 'pro', 'free'] })).toMatchObject({ tier: 'pro' })
    expect(identity({ tier: 'gold' })).not.toHaveProperty('tier')
    expect(identity({ tier: { pro: true } })).not.toHaveProperty('tier')
  })

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a list', ['ada']],
    ['a text without end', 'a'.repeat(257)],
    ['a number that others are read as too', 2 ** 53],
    ['half a character', 'ada\ud800'],
  ])('lets nobody pass whose name is %s', (_, sub) => {
    expect(judge({ sub })).toEqual({ kind: 'rejected', reason: 'nobody', genuine: true })
  })

  it('knows a service by its client id, where tokens are asked about', () => {
    const claims = { sub: undefined, client_id: 'batch' }
    expect(identity(claims, { kind: 'oauth' })).toEqual({ kind: 'oauth', id: 'batch' })
    expect(judge(claims)).toMatchObject({ kind: 'rejected' })
  })

  it.each([
    [{ scope: 'models.use models.list' }, true],
    [{ scp: ['models.use'] }, true],
    [{ scp: 'models.use' }, true],
    [{ scope: 'models.usefully' }, false],
    [{ scope: ['MODELS.USE'] }, false],
    [{}, false],
  ])('finds its scope in %j: %s', (claims, passes) => {
    const verdict = judge(claims, { scopes: ['models.use'] })
    expect(verdict.kind).toBe(passes ? 'known' : 'insufficient')
    if (!passes) {
      expect(verdict).toMatchObject({ lacks: ['scope "models.use"'], scope: 'models.use' })
    }
  })

  it('compares required claims by value, within lists too', () => {
    const more = {
      claims: new Map<string, string | boolean>([
        ['verified', true],
        ['groups', 'ai'],
      ]),
    }
    expect(judge({ verified: true, groups: ['ai', 'x'] }, more).kind).toBe('known')
    expect(judge({ verified: 'true', groups: 'ai' }, more)).toMatchObject({
      lacks: ['claim "verified"'],
    })
  })
})

describe('readClaim', () => {
  it('reads by name, then by path, and nothing that objects have by themselves', () => {
    const claims = { 'https://x.example/tier': 'a', realm: { roles: ['b'] }, 'a.b': 1, a: { b: 2 } }
    expect(readClaim(claims, 'https://x.example/tier')).toBe('a')
    expect(readClaim(claims, 'realm.roles')).toEqual(['b'])
    expect(readClaim(claims, 'a.b')).toBe(1)
    for (const name of [
      'constructor',
      'realm.constructor',
      'realm.roles.length.x',
      '__proto__.a',
    ]) {
      expect(readClaim(claims, name)).toBeUndefined()
    }
  })

  it('reads anything without throwing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (claims, name) => {
        readClaim(claims, name)
        judgeClaims(claims, { ...reading, tierClaim: name, userClaim: name })
      }),
    )
  })
})
