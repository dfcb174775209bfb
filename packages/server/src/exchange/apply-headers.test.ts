import { describe, expect, it } from 'vitest'
import { applyHeaders } from './apply-headers.ts'

const apply = (initial: Record<string, string>, flat: string[]) => {
  const headers = new Headers(initial)
  applyHeaders(headers, flat)
  return headers
}

describe('applyHeaders', () => {
  it('keeps what the handler set itself', () => {
    expect(
      apply({ 'x-frame-options': 'SAMEORIGIN' }, ['x-frame-options', 'DENY']).get(
        'x-frame-options',
      ),
    ).toBe('SAMEORIGIN')
    expect(apply({}, ['x-frame-options', 'DENY']).get('x-frame-options')).toBe('DENY')
  })

  it('has the last word on the request id and CORS', () => {
    const headers = apply({ 'x-request-id': 'theirs', 'access-control-allow-origin': '*' }, [
      'x-request-id',
      'ours',
      'access-control-allow-origin',
      'https://a',
    ])
    expect(headers.get('x-request-id')).toBe('ours')
    expect(headers.get('access-control-allow-origin')).toBe('https://a')
  })

  it('extends vary without repeating a name', () => {
    expect(apply({ vary: 'accept-encoding, ORIGIN' }, ['vary', 'Origin']).get('vary')).toBe(
      'accept-encoding, ORIGIN',
    )
    expect(apply({ vary: 'Accept' }, ['vary', 'Origin', 'vary', 'X']).get('vary')).toBe(
      'Accept, Origin, X',
    )
    expect(apply({ vary: '*' }, ['vary', 'Origin']).get('vary')).toBe('*')
  })

  it('adds cookies to cookies', () => {
    expect(apply({ 'set-cookie': 'a=1' }, ['set-cookie', 'b=2']).getSetCookie()).toEqual([
      'a=1',
      'b=2',
    ])
  })
})
