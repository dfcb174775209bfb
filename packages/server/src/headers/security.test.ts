import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { ExchangeEnv } from '../exchange/exchange.ts'
import { exchange } from '../exchange/middleware.ts'
import { createTrust } from '../network/trust.ts'
import { security, securityHeaders } from './security.ts'

describe('securityHeaders', () => {
  it('are the same in staging and production, and none elsewhere', () => {
    expect(Object.fromEntries(pairs(securityHeaders('production')))).toEqual({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-xss-protection': '1; mode=block',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'referrer-policy': 'strict-origin-when-cross-origin',
    })
    expect(securityHeaders('staging')).toEqual(securityHeaders('production'))
    expect(securityHeaders('development')).toEqual([])
    expect(securityHeaders('test')).toEqual([])
  })
})

describe('security', () => {
  it('adds them to each response and lets a handler choose otherwise', async () => {
    const app = new Hono<ExchangeEnv>()
    app.use(exchange({ profile: 'production', trust: createTrust([]) }))
    app.use(security('production'))
    app.get('/', (c) => c.text('ok', 200, { 'x-frame-options': 'SAMEORIGIN' }))
    const { headers } = await app.request('/')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN')
  })
})

function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) list.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return list
}
