import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatMs, timingHeaders } from './timing.ts'

describe('timingHeaders', () => {
  it('gives this server what no hop accounts for', () => {
    const timings = [
      { name: 'auth', ms: 0.25 },
      { name: 'upstream', ms: 12.3 },
    ]
    expect(timingHeaders({ service: 'gateway', startedAt: 100, timings }, 112.76)).toEqual([
      'server-timing',
      'gateway;dur=0.21, auth;dur=0.25, upstream;dur=12.30',
      'x-response-time',
      '12.76ms',
    ])
  })

  it('notes what neither a hop nor the client took', () => {
    const timings = [{ name: 'upstream', ms: 12 }]
    const exchange = { service: 'gateway', startedAt: 100, timings, clientMs: 5, ownMs: 0 }
    timingHeaders(exchange, 120)
    expect(exchange.ownMs).toBe(3)
  })

  it('never shows a negative share when hops overlap', () => {
    const timings = [{ name: 'upstream', ms: 20 }]
    const [, serverTiming] = timingHeaders({ service: 's', startedAt: 0, timings }, 10)
    expect(serverTiming).toBe('s;dur=0.00, upstream;dur=20.00')
  })
})

describe('formatMs', () => {
  it('writes what toFixed(2) would, to a hundredth', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (ms) => {
        expect(formatMs(ms)).toMatch(/^\d+\.\d\d$/)
        expect(Math.abs(Number(formatMs(ms)) - ms)).toBeLessThanOrEqual(0.0051)
      }),
    )
  })
})
