import { generateKeyPairSync, sign } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import type { IssuerSettings } from '../config/auth-settings.ts'
import { JwtVerifier } from './jwt.ts'
import { RemoteSigningKeys } from './signing-keys.ts'

const issuer = 'https://login.example.com/'

const settings: IssuerSettings = {
  ...{ issuer, name: undefined, audience: ['us'], jwksUrl: 'https://login.example.com/keys' },
  ...{ algorithms: ['ES256'], clockTolerance: 30_000, cacheFor: 600_000, keepFor: 86_400_000 },
  ...{ userClaim: 'sub', tierClaim: 'tier', scopes: [], claims: new Map() },
}

async function keyPair(kid?: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }) }
  const sign = (claims: object = {}) =>
    new SignJWT({ iss: issuer, aud: 'us', sub: 'ada', exp: 2000, ...claims })
      .setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) })
      .sign(privateKey)
  return { jwk, sign }
}

/** One that signatures are taken of no more (RFC 7518 §3.3). */
function weakKey(pair = generateKeyPairSync('rsa', { modulusLength: 1024 })) {
  return pair.publicKey.export({ format: 'jwk' })
}

function setUp(first: readonly object[], more: Partial<IssuerSettings> = {}) {
  const clock = { now: 1_000_000 }
  const state: { listed: readonly object[] | undefined; asked: number } = {
    listed: first,
    asked: 0,
  }
  const faults: unknown[] = []
  const own = { ...settings, ...more }
  const keys = new RemoteSigningKeys({
    settings: own,
    fetch: async () => {
      state.asked += 1
      if (state.listed === undefined) throw new Error('out')
      return { keys: state.listed }
    },
    now: () => clock.now,
    schedule: () => () => undefined,
    onChange: () => undefined,
  })
  const verifier = new JwtVerifier({
    issuers: [{ settings: own, keys }],
    tiers: new Set(['pro']),
    now: () => clock.now,
    onFault: (_, error) => faults.push(error),
  })
  return { clock, state, keys, verifier, faults }
}

describe('JwtVerifier', () => {
  it('remembers a good token until its end, tolerance included, and never longer', async () => {
    const pair = await keyPair('a')
    const { clock, verifier } = setUp([pair.jwk])
    const token = await pair.sign({ tier: 'pro' })
    expect(verifier.recall(token)).toBeUndefined()
    const verdict = await verifier.verify(token)
    expect(verdict).toMatchObject({ kind: 'known', identity: { id: 'ada', tier: 'pro' } })
    expect(verifier.recall(token)).toBe(verdict)
    expect(verifier.verify(token)).toBe(verdict)
    clock.now = 2_029_999
    expect(verifier.recall(token)).toBe(verdict)
    clock.now = 2_030_000
    expect(verifier.recall(token)).toBeUndefined()
    expect(await verifier.verify(token)).toMatchObject({ kind: 'rejected', reason: 'expired' })
  })

  it('remembers nothing that was refused', async () => {
    const pair = await keyPair('a')
    const { verifier } = setUp([pair.jwk])
    const token = await pair.sign({ aud: 'them' })
    expect(await verifier.verify(token)).toEqual({
      ...{ kind: 'rejected', reason: 'audience', genuine: true },
    })
    expect(verifier.recall(token)).toBeUndefined()
  })

  it('forgets a token with the key it was signed by', async () => {
    const [old, young] = [await keyPair('a'), await keyPair('b')]
    const { clock, state, keys, verifier } = setUp([old.jwk])
    const token = await old.sign()
    expect((await verifier.verify(token)).kind).toBe('known')
    state.listed = [young.jwk]
    clock.now += 10_000
    expect((await verifier.verify(await young.sign())).kind).toBe('known')
    expect(keys.state.keys).toBe(1)
    expect(verifier.recall(token)).toBeUndefined()
    expect(await verifier.verify(token)).toMatchObject({ kind: 'rejected', reason: 'key' })
  })

  it('tries all keys for a token that names none, and new ones before it says no', async () => {
    const [one, two, three] = [await keyPair(), await keyPair(), await keyPair()]
    const { state, verifier } = setUp([one.jwk, two.jwk])
    expect((await verifier.verify(await one.sign())).kind).toBe('known')
    expect((await verifier.verify(await two.sign())).kind).toBe('known')
    expect(state.asked).toBe(1)
    state.listed = [three.jwk]
    expect((await verifier.verify(await three.sign())).kind).toBe('known')
    expect(state.asked).toBe(2)
    expect(await verifier.verify(await one.sign({ sub: 'eve' }))).toMatchObject({
      ...{ kind: 'rejected', reason: 'key', genuine: false },
    })
    expect(state.asked).toBe(2)
  })

  it('is in doubt about a key it does not know while nobody can be asked', async () => {
    const [known, young] = [await keyPair('a'), await keyPair('b')]
    const { state, verifier } = setUp([known.jwk])
    await verifier.verify(await known.sign())
    state.listed = undefined
    expect(await verifier.verify(await young.sign())).toMatchObject({ kind: 'unavailable' })
    expect((await verifier.verify(await known.sign({ sub: 'eve' }))).kind).toBe('known')
  })

  it('takes no key for a signature that it was not made for', async () => {
    const pair = await keyPair('a')
    const { verifier } = setUp([{ ...pair.jwk, use: 'enc' }])
    expect(await verifier.verify(await pair.sign())).toMatchObject({ reason: 'key' })
    const other = setUp([{ ...pair.jwk, alg: 'ES384' }])
    expect(await other.verifier.verify(await pair.sign())).toMatchObject({ reason: 'key' })
  })

  it('blames no token for a key that makes no sense', async () => {
    const pair = await keyPair('a')
    const { verifier, faults } = setUp([{ ...pair.jwk, x: 'AAAA' }])
    expect(await verifier.verify(await pair.sign())).toMatchObject({ kind: 'unavailable' })
    expect(faults).toHaveLength(1)
  })

  it('finds the key of a token that names none beside keys of no use', async () => {
    const pair = await keyPair()
    const { verifier, faults } = setUp([{ ...pair.jwk, x: 'AAAA' }, weakKey(), pair.jwk], {
      algorithms: ['ES256', 'RS256'],
    })
    expect((await verifier.verify(await pair.sign())).kind).toBe('known')
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const other = setUp([weakKey(short), weakKey()], { algorithms: ['RS256'] })
    const body = [{ alg: 'RS256' }, { iss: issuer, aud: 'us', sub: 'ada', exp: 2000 }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const signature = sign('sha256', Buffer.from(body), short.privateKey).toString('base64url')
    expect(await other.verifier.verify(`${body}.${signature}`)).toMatchObject({ reason: 'key' })
    expect([...faults, ...other.faults]).toEqual([])
  })

  it('asks for scopes and claims after the signature', async () => {
    const pair = await keyPair('a')
    const { verifier } = setUp([pair.jwk], { scopes: ['use'] })
    expect(await verifier.verify(await pair.sign())).toMatchObject({ kind: 'insufficient' })
    expect(await verifier.verify(await pair.sign({ scope: 'see use' }))).toMatchObject({
      kind: 'known',
    })
  })
})
