import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Damping, type DampingOptions } from './damping.ts'
import { type HealthStatus, STATUSES, severity } from './status.ts'

const after = (results: readonly HealthStatus[], options: DampingOptions = {}) => {
  const damping = new Damping(options)
  return results.map((result) => damping.push(result))
}

describe('Damping', () => {
  it('lets the first result count at once', () => {
    expect(after(['unhealthy'], { failures: 3 })).toEqual(['unhealthy'])
  })

  it('follows every result unless told otherwise', () => {
    const results: HealthStatus[] = ['healthy', 'unhealthy', 'degraded', 'healthy']
    expect(after(results)).toEqual(results)
  })

  it('takes so many failures in a row to get worse, and so many successes to get better', () => {
    const ok = 'healthy'
    const bad = 'unhealthy'
    const results: HealthStatus[] = [ok, bad, ok, bad, bad, bad, ok, bad, ok, ok]
    expect(after(results, { failures: 3, successes: 2 })).toEqual([
      ...[ok, ok, ok, ok, ok, bad, bad, bad, bad, ok],
    ])
  })

  it('gets as bad as all of the last results were at least', () => {
    expect(after(['healthy', 'unhealthy', 'degraded'], { failures: 2 }).at(-1)).toBe('degraded')
    const results: HealthStatus[] = ['healthy', 'degraded', 'unhealthy', 'unhealthy']
    expect(after(results, { failures: 2 })).toEqual([
      ...['healthy', 'healthy', 'degraded', 'unhealthy'],
    ])
  })

  it('never changes but to where the last results were or beyond', () => {
    const runs = fc.array(fc.constantFrom(...STATUSES), { minLength: 1, maxLength: 60 })
    const counts = fc.integer({ min: 1, max: 5 })
    fc.assert(
      fc.property(runs, counts, counts, (results, failures, successes) => {
        const held = after(results, { failures, successes })
        for (let at = 1; at < held.length; at += 1) {
          const [now, before] = [held[at], held[at - 1]].map((one) => severity(one ?? 'healthy'))
          if (now === undefined || before === undefined || now === before) continue
          const needed = now > before ? failures : successes
          const last = results.slice(Math.max(0, at + 1 - needed), at + 1).map(severity)
          expect(last.length).toBe(needed)
          const between = now > before ? Math.min(...last) : Math.max(...last)
          expect(between).toBe(now)
        }
      }),
    )
  })

  it('refuses counts that mean nothing', () => {
    expect(() => new Damping({ failures: 0 })).toThrow(/damping\.failures is 0/)
    expect(() => new Damping({ successes: 1.5 })).toThrow(/damping\.successes is 1\.5/)
  })
})
