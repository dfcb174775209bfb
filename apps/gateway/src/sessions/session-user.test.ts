import type { Exchange } from '@tidegate/server'
import { describe, expect, it } from 'vitest'
import { anonymous } from '../auth/identity.ts'
import { namedUser, sessionUser } from './session-user.ts'

const from = (clientIp: string) => ({ clientIp }) as Exchange

describe('sessionUser', () => {
  it('tells users of the same name apart by how they are known', () => {
    expect(sessionUser({ kind: 'key', id: 'ada' }, from('192.0.2.1'))).toBe('key:ada')
    expect(sessionUser({ kind: 'jwt', id: 'ada' }, from('192.0.2.1'))).toBe('jwt:ada')
  })

  it('knows whoever is anonymous by the address, of IPv6 by the network', () => {
    expect(sessionUser(anonymous, from('192.0.2.1'))).toBe('ip:192.0.2.1')
    expect(sessionUser(anonymous, from('2001:db8:1:2::3'))).toBe('ip:2001:db8:1::/56')
  })
})

describe('namedUser', () => {
  it('takes users as they are shown, and addresses as they come', () => {
    expect(namedUser('key:ada')).toBe('key:ada')
    expect(namedUser('ip:2001:db8:1:2::3')).toBe('ip:2001:db8:1::/56')
    expect(namedUser('ip:2001:db8:1::/56')).toBe('ip:2001:db8:1::/56')
  })

  it.each(['', 'ada', 'key:', 'other:ada', `key:${'x'.repeat(1_000)}`])('refuses %j', (text) => {
    expect(() => namedUser(text)).toThrow(expect.objectContaining({ code: 'invalid_session_user' }))
  })
})
