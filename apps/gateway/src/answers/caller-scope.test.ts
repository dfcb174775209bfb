import type { Context } from 'hono'
import { describe, expect, it } from 'vitest'
import { anonymous, type Identity } from '../auth/identity.ts'
import type { Scope } from '../config/settings.ts'
import type { GatewayEnv } from '../env.ts'
import type { Route } from '../routes.ts'
import { callerScope } from './caller-scope.ts'

type Endpoints = readonly ('passes' | 'replaced')[]

interface Caller {
  readonly identity?: Identity
  readonly headers?: readonly string[]
  readonly consumed?: readonly string[]
}

function scopeOf(endpoints: Endpoints, caller: Caller, among?: Scope): string | undefined {
  const route = {
    upstreams: endpoints.map((each) => ({
      endpoints: [
        {
          credentials: {
            replacement: each === 'passes' ? undefined : ['authorization', 'Bearer own'],
          },
        },
      ],
    })),
  } as unknown as Pick<Route, 'upstreams'>
  const variables: Record<string, unknown> = {
    identity: caller.identity ?? anonymous,
    consumedHeaders: caller.consumed,
  }
  const c = {
    get: (name: string) => variables[name],
    env: { incoming: { rawHeaders: caller.headers ?? [] } },
  } as unknown as Context<GatewayEnv>
  return callerScope(route, among)(c)
}

const ada: Identity = { kind: 'key', id: 'ada' }
const keyOfAda = ['Authorization', 'Bearer of ada']
const consumed = ['authorization']

describe('callerScope', () => {
  it('is one for each caller, by the way they have proved to be somebody', () => {
    const identities: Identity[] = [ada, { kind: 'key', id: 'bob' }, { kind: 'jwt', id: 'ada' }]
    const scopes = identities.map((identity) => scopeOf(['replaced'], { identity }))
    expect(new Set(scopes).size).toBe(3)
    expect(scopes).not.toContain(undefined)
  })

  it('is the same for a caller whose token was renewed', () => {
    const of = (token: string) =>
      scopeOf(['passes'], { identity: ada, headers: ['authorization', token], consumed })
    expect(of('Bearer one')).toBe(of('Bearer two'))
  })

  it('tells apart for whom a caller speaks, by what goes on to the upstream', () => {
    const of = (...headers: string[]) =>
      scopeOf(['passes'], { identity: ada, headers: [...keyOfAda, ...headers], consumed })
    const all = [
      of(),
      of('x-api-key', '1'),
      of('X_Api_Key', '2'),
      of('Cookie', '1'),
      of('cookie', '2'),
    ]
    expect(new Set(all).size).toBe(all.length)
  })

  it('is nobody for who is anonymous without a credential', () => {
    expect(scopeOf(['passes'], {})).toBeUndefined()
    expect(scopeOf(['passes'], { headers: ['cookie', 'theme=dark'] })).toBeUndefined()
    for (const value of ['', ' ', 'Bearer', 'bearer ', 'Basic']) {
      expect(scopeOf(['passes'], { headers: ['authorization', value] })).toBeUndefined()
      expect(scopeOf(['passes'], { headers: ['x-api-key', ''] })).toBeUndefined()
    }
  })

  it('is the credential where the upstream judges it, and holds nothing of it', () => {
    const scope = scopeOf(['passes'], { headers: keyOfAda })
    expect(scope).toBeDefined()
    expect(scope).not.toContain('of ada')
    expect(scopeOf(['passes'], { headers: ['authorization', 'Bearer of bob'] })).not.toBe(scope)
  })

  it('is nobody where an endpoint replaces the credential unseen', () => {
    expect(scopeOf(['replaced'], { headers: keyOfAda })).toBeUndefined()
    expect(scopeOf(['passes', 'replaced'], { headers: keyOfAda })).toBeUndefined()
  })

  it('has no two callers that look like one when written in a row', () => {
    const one = scopeOf(['passes'], { identity: { kind: 'key', id: 'a:1:b' } })
    const other = scopeOf(['passes'], {
      identity: { kind: 'key', id: 'a' },
      headers: ['cookie', 'b'],
    })
    expect(one).not.toBe(other)
  })

  it('is one for all who prove to be the same user, where users share', () => {
    const byJwt: Identity = { kind: 'jwt', id: 'ada', user: 'ada' }
    const byOauth: Identity = { kind: 'oauth', id: 'ada', user: 'ada' }
    const of = (identity: Identity) => scopeOf(['replaced'], { identity }, 'user')
    expect(of(byJwt)).toBe(of(byOauth))
    expect(of(byJwt)).not.toBe(of({ ...byJwt, user: 'bob' }))
    expect(of({ kind: 'key', id: 'ada' })).not.toBe(of(byJwt))
    expect(of(anonymous)).toBeUndefined()
  })

  it('is one for everybody where all share, but for what they bring the upstream', () => {
    const of = (caller: Caller, ...endpoints: Endpoints) => scopeOf(endpoints, caller, 'public')
    const own = { headers: ['authorization', 'Bearer own'] }
    expect(of({}, 'replaced')).toBe(of({ identity: ada, headers: keyOfAda, consumed }, 'replaced'))
    expect(of(own, 'replaced')).toBe(of({}, 'replaced'))
    expect(of(own, 'passes')).not.toBe(of({}, 'passes'))
    expect(of({ headers: ['cookie', 'a=1'] }, 'replaced')).not.toBe(of({}, 'replaced'))
  })
})
