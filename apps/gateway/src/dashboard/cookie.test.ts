import { describe, expect, it } from 'vitest'
import { sessionCookie, sessionTokens, withoutSession } from './cookie.ts'

describe('sessionTokens', () => {
  it('finds all of our name, and of no other', () => {
    expect(sessionTokens('a=1; tidegate_session=x.y; tidegate_session=z')).toEqual(['x.y', 'z'])
    expect(sessionTokens('my_tidegate_session=x; tidegate_sessions=y; a=tidegate_session')).toEqual(
      [],
    )
    expect(sessionTokens('tidegate_session')).toEqual([])
    expect(sessionTokens(undefined)).toEqual([])
  })
})

describe('withoutSession', () => {
  it('leaves the cookies of others as they are', () => {
    expect(withoutSession('a=1;b = 2')).toBe('a=1;b = 2')
    expect(withoutSession('a=1; tidegate_session=x; b=2')).toBe('a=1; b=2')
    expect(withoutSession('tidegate_session=x; b=2')).toBe('b=2')
    expect(withoutSession('a=1; \t tidegate_session =x')).toBe('a=1')
  })

  it('leaves nothing of a header that held nothing else', () => {
    expect(withoutSession('tidegate_session=x')).toBeUndefined()
    expect(withoutSession('tidegate_session=x; tidegate_session=y')).toBeUndefined()
  })
})

describe('sessionCookie', () => {
  it('is for this origin’s requests alone, and for no script', () => {
    expect(sessionCookie('x', { secure: true, maxAgeS: 60 })).toBe(
      'tidegate_session=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure',
    )
    expect(sessionCookie('', { secure: false, maxAgeS: 0 })).toBe(
      'tidegate_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    )
  })
})
